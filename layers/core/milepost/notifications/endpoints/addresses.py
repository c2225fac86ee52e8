"""HTTPS endpoints of subscribers: which may be called, and what follows from how they answer.

A subscriber names the URL, so it could name a machine that only we can reach. What counts is the
address that the connection is made to, whatever the name resolves to for somebody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

LONGEST_URL: Final = 2048


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
    IPv4 comes first, since a function outside of its own network has no other.

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
