"""HTTPS endpoints of subscribers: which may be called, and what follows from how they answer.

A subscriber names the URL, so it could name a machine that only we can reach. What counts is the
address that the connection is made to, whatever the name resolves to for somebody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil
from typing import Final
from urllib.parse import urlsplit

from milepost.retry_after import read_retry_after
from milepost.sending import Mail

LONGEST_URL: Final = 2048


RETRY_AFTER: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each failure the endpoint is called again, at the earliest. Source: Standard
Webhooks specification, "Deliverability and reliability"."""

JITTER: Final = 0.2
"""By which part of itself a wait may be longer, so that what failed together isn't retried
together. Source: as above."""

LONGEST_WAIT: Final = timedelta(days=1)
"""How long an endpoint may ask us to wait by Retry-After."""

LONGEST_PAUSE: Final = timedelta(hours=1)
"""How long an endpoint may hold back its other notices by Retry-After; then one is tried."""

SWITCHED_OFF_AFTER: Final = timedelta(days=5)
_GONE: Final = 410
_BUSY: Final = (429, 503)
"""Answers about the endpoint as a whole, not about the message (RFC 6585, section 4; RFC 9110,
section 15.6.4)."""


class Refused(Exception):
    """An endpoint that is not called; the message says why in a few words, without the URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A subscription's endpoint. ``failing_since`` is its first failure since it last worked.

    ``not_before`` is until when this URL has asked not to be called, by the newest answer of it.
    """

    subscription: str
    url: str
    owner: str | None = None
    ended: str | None = None
    failing_since: datetime | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a URL names: ``path`` is the request's, with its query; ``host`` has no brackets."""

    is_tls: bool
    host: str
    port: int
    path: str


def read_url(url: str, *, allow_private: bool) -> Target:
    """Take a URL apart, if it is one that may be subscribed.

    :param allow_private: also plain ``http``, as endpoints of the local stack have it
    :raises Refused: for what is not one plain https URL
    """
    # urlsplit drops line ends and tabs in silence, and others read a backslash as a slash.
    if len(url) > LONGEST_URL or not all("!" <= c <= "~" and c not in '\\"<>' for c in url):
        raise Refused("refused: not a URL")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Refused("refused: not a URL") from None
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise Refused("refused: not https")
    if not host or port == 0 or "%" in host:
        raise Refused("refused: not a URL")
    if "@" in parts.netloc:
        raise Refused("refused: a user name or password in the URL")
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_tls=is_tls, host=host, port=port or (443 if is_tls else 80), path=path)


def check_addresses(addresses: Sequence[str], *, allow_private: bool) -> list[str]:
    """The addresses of a host in the order in which to try them.

    One address that may not be called is enough to refuse the host: an honest name has none.
    IPv4 comes first, since a function outside of a network of its own has no other.

    :param addresses: as the resolver gave them
    :param allow_private: also private and loopback addresses, never link-local ones
    :raises Refused: naming what kind of address it is
    """
    if not addresses:
        raise Refused("refused: its name has no address")
    for address in addresses:
        kind = kind_of_refused(address)
        if kind and not (allow_private and kind in _ALLOWED_AT_HOME):
            raise Refused(f"refused: {kind} address")
    return sorted(dict.fromkeys(addresses), key=lambda one: ":" in one)


def kind_of_refused(address: str) -> str | None:
    """Why an address is not one of the public Internet, in a word; None when it is.

    Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; the networks are spelled out,
    since what ``ipaddress`` calls private differs between patch releases of Python.
    """
    try:
        ip: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return "unreadable"
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
    for kind, networks in _REFUSED:
        if any(ip in network for network in networks):
            return kind
    is_public = isinstance(ip, IPv4Address) or ip in _GLOBAL_UNICAST
    return None if is_public else "reserved"


_ALLOWED_AT_HOME: Final = frozenset({"private", "loopback"})
_GLOBAL_UNICAST: Final = ip_network("2000::/3")
_KINDS: Final = {
    # Before the private ones, whose network it is in: the metadata service's IPv6 address.
    "metadata": ("169.254.169.254/32", "fd00:ec2::/32"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "shared": ("100.64.0.0/10",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    # Translated and tunnelled ones too: there is another address inside of them.
    "reserved": (
        *("0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    ),
}
_REFUSED: Final = tuple(
    (kind, tuple(ip_network(network) for network in networks)) for kind, networks in _KINDS.items()
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered; of its headers only ``Retry-After`` matters."""

    status: int
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call did not succeed, in words, and how long the endpoint asks us to wait.

    ``pause`` is how long it asks not to be called at all, ``is_gone`` when it wants no more
    messages, ever.
    """

    reason: str
    wait: timedelta = timedelta(0)
    pause: timedelta = timedelta(0)
    is_gone: bool = False


def failure_of(answer: Answer, *, now: datetime) -> Failure | None:
    """Why an answer is a failure; None for a success, which is 2xx alone.

    Source: Standard Webhooks specification, "Delivery success and failure": who answers 410 is no
    longer interested, and is to be called no more.
    """
    if 200 <= answer.status < 300:
        return None
    if answer.status == _GONE:
        return Failure("answered 410 Gone", is_gone=True)
    redirects = 300 <= answer.status < 400
    reason = f"answered {answer.status}" + (": redirects are not followed" if redirects else "")
    wait = wait_asked(answer.retry_after, now=now)
    pause = min(wait, LONGEST_PAUSE) if answer.status in _BUSY else timedelta(0)
    return Failure(reason, wait, pause)


def wait_asked(retry_after: str | None, *, now: datetime) -> timedelta:
    """What ``Retry-After`` asks for; at most a day, nothing if it can't be read."""
    return min(read_retry_after(retry_after, now=now) or timedelta(0), LONGEST_WAIT)


def next_wait(failure: Failure, *, attempt: int, chance: float) -> timedelta | None:
    """How long to wait after a failure, in whole seconds; None when it was the last attempt.

    :param attempt: how many had failed before
    :param chance: a random number from 0 to 1, which decides how much is added as jitter. A wait is
        never shorter than the schedule, nor than what ``Retry-After`` asks for.
    """
    if attempt >= len(RETRY_AFTER):
        return None
    wait = max(RETRY_AFTER[attempt], failure.wait)
    return timedelta(seconds=round(wait.total_seconds() * (1 + JITTER * chance)))


def rest_of_pause(endpoint: Endpoint, *, now: datetime, chance: float) -> timedelta | None:
    """How long the endpoint is not to be called yet, in whole seconds; None when it may be.

    :param chance: a random number from 0 to 1, which decides how much is added as jitter, so that
        not all that wait come back at once
    """
    if endpoint.not_before is None or endpoint.not_before <= now:
        return None
    rest = (endpoint.not_before - now).total_seconds()
    return timedelta(seconds=ceil(rest * (1 + JITTER * chance)))


def is_to_switch_off(*, failing_since: datetime, now: datetime) -> bool:
    """Whether a failure now is one too many for an endpoint that began to fail then."""
    return now - failing_since > SWITCHED_OFF_AFTER


def switched_off_mail(endpoint: Endpoint, *, to: str, failure: str, since: datetime | None) -> Mail:
    """What an endpoint's owner is told. The URL is shown without its query, which may be secret.

    :param failure: why the last call failed, in words
    :param since: since when every call failed; None when it said itself that it is gone
    """
    why = (
        f"Every call since {since:%Y-%m-%d %H:%M} UTC has failed; the last one: {failure}."
        if since
        else f"It {failure}, which says that it wants no more messages."
    )
    shown = endpoint.url.partition("?")[0]
    host = urlsplit(shown).hostname or "an endpoint"
    paragraphs = (
        f"Milepost has switched off the endpoint {shown} of subscription {endpoint.subscription}.",
        why,
        "It is not called any more. What it missed is in the delivery log.",
        "When it works again, `milepost subscriptions resume` starts it again.",
    )
    marked = "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    return Mail(
        to=to,
        subject=f"Switched off: {host}"[:100],
        text="\n\n".join(paragraphs) + "\n",
        html=f'<!doctype html>\n<html lang="en"><body>\n{marked}\n</body></html>\n',
    )
