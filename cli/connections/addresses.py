"""Endpoints that the function would refuse to call: better said when they are subscribed."""

from collections.abc import Iterator
from ipaddress import ip_address

from cli.connections.file import ConnectionsFile
from cli.faults import Problem
from cli.stack import is_loopback
from milepost.endpoints import Refused, check_addresses, read_url


def uncallable_endpoints(file: ConnectionsFile) -> Iterator[Problem]:
    """What is wrong with endpoints for a deployed stack, as far as their URLs alone tell.

    Names are resolved by whoever calls, each time: what they lead to from here says little.
    """
    for index, one in enumerate(file.declared.subscriptions):
        if one.url is None:
            continue
        try:
            _require_public(read_url(one.url, allow_private=False).host)
        except Refused as refusal:
            what = f"{refusal}: a deployed stack calls public https addresses alone"
            yield file.problem(("subscriptions", index, "url"), what)


def _require_public(host: str) -> None:
    """:raises Refused: when the host is an address, or a name, of no public machine"""
    try:
        address = str(ip_address(host))
    except ValueError:
        if is_loopback(host):
            raise Refused("refused: loopback address") from None
        return
    check_addresses([address], allow_private=False)
