"""Checks that the hosts in a provider's file may be called, by the same rule as endpoints."""

import socket
from collections.abc import Callable, Iterator

from cli.errors import CannotDo
from milepost.notifications.endpoints.addresses import Refused, check_addresses, read_url
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.file_sign_in import OAuthSignIn


def addresses_of(host: str, port: int) -> list[str]:
    """The current addresses of a host name; none if it can't be resolved."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(one[4][0]) for one in found]


def check_hosts(
    said: Declaration, *, resolve: Callable[[str, int], list[str]] = addresses_of
) -> None:
    """Check every URL in a file.

    A name that can't be found from here is let pass: the functions may know it, and their requests
    go to the connection's own hosts alone.

    :raises CannotDo: when one leads to a private address, or to none of the public Internet
    """
    for name, url in _urls(said):
        try:
            target = read_url(url, allow_private=False)
            if addresses := resolve(target.host, target.port):
                check_addresses(addresses, allow_private=False)
        except Refused as refusal:
            raise CannotDo(f"{name} of the file can't be called: {refusal}.") from None


def _urls(said: Declaration) -> Iterator[tuple[str, str]]:
    if said.base_url:
        yield "base_url", said.base_url
    if isinstance(said.sign_in, OAuthSignIn) and said.sign_in.token_url:
        yield "sign_in.token_url", said.sign_in.token_url
