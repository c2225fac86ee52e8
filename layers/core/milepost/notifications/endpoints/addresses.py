"""HTTPS endpoints of subscribers: which URLs and addresses may be called.

A subscriber chooses the URL, which could therefore name a machine inside our network. The check
applies to the IP address that the connection is made to, not to the host name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

LONGEST_URL: Final = 2048
_LONGEST_NAME: Final = 253
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class Refused(Exception):
    """An endpoint that may not be called; the message says why in a few words, without the URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A subscription's endpoint. ``failing_since`` is its first failure since its last success.

    ``not_before`` is until when this URL has asked not to be called, by its latest response.
    """

    subscription: str
    url: str
    owner: str | None = None
    ended: str | None = None
    failing_since: datetime | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The parts of a URL: ``path`` includes the query; ``host`` has no brackets."""

    is_tls: bool
    host: str
    port: int
    path: str


def read_url(url: str, *, allow_private: bool) -> Target:
    """Parse a URL that may be subscribed.

    :param allow_private: also accept plain ``http``, for endpoints of the local stack
    :raises Refused: for anything except a plain https URL
    """
    # urlsplit silently removes line ends and tabs, and other parsers read a backslash as a slash.
    if len(url) > LONGEST_URL or not all("!" <= c <= "~" and c not in '\\"<>' for c in url):
        raise Refused("refused: not a URL")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Refused("refused: not a URL") from None
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise Refused("refused: not https")
    in_brackets = "[" in parts.netloc
    if not host or port == 0 or in_brackets != (":" in host) or not _is_host(host):
        raise Refused("refused: not a URL")
    if "@" in parts.netloc:
        raise Refused("refused: a user name or password in the URL")
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_tls=is_tls, host=host, port=port or (443 if is_tls else 80), path=path)


def _is_host(host: str) -> bool:
    """Whether it is an IP address, or a name that DNS can hold.

    Source: RFC 1035, section 2.3.4 (lengths); RFC 1123, section 2.1 (no hyphen at an end).
    Underscores are accepted, since some services use them.
    """
    if ":" in host:
        # Without a zone such as %eth0, which is one of this machine's.
        return "%" not in host and _is_ipv6(host)
    name = host.removesuffix(".")
    return len(name) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, name.split(".")))


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def check_addresses(addresses: Sequence[str], *, allow_private: bool) -> list[str]:
    """The addresses of a host, in the order in which to try them.

    A single forbidden address is enough to refuse the host: a legitimate name has none. IPv4 comes
    first, since a function outside a VPC has no IPv6.

    :param addresses: as the resolver returned them
    :param allow_private: also accept private and loopback addresses, never link-local ones
    :raises Refused: with the kind of address
    """
    if not addresses:
        raise Refused("refused: its name has no address")
    for address in addresses:
        kind = kind_of_refused(address)
        if kind and not (allow_private and kind in _ALLOWED_AT_HOME):
            raise Refused(f"refused: {kind} address")
    return sorted(dict.fromkeys(addresses), key=lambda one: ":" in one)


def kind_of_refused(address: str) -> str | None:
    """The reason why an address isn't public, in a word; None if it is public.

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
    # Before the private networks, one of which contains it: the metadata service's IPv6 address.
    "metadata": ("169.254.169.254/32", "fd00:ec2::/32"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "shared": ("100.64.0.0/10",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    # Also translated and tunnelled addresses, which contain another address.
    "reserved": (
        *("0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    ),
}
_REFUSED: Final = tuple(
    (kind, tuple(ip_network(network) for network in networks)) for kind, networks in _KINDS.items()
)
