"""Endpoints that the function would refuse to call: better said when they are subscribed."""

from collections.abc import Iterator

from cli.connections.file import ConnectionsFile
from cli.faults import Problem
from milepost.notifications.endpoints.addresses import Refused
from milepost.notifications.subscription_input import require_callable


def uncallable_endpoints(file: ConnectionsFile) -> Iterator[Problem]:
    """What is wrong with endpoints for a deployed stack, as far as their URLs alone tell.

    Names are resolved by whoever calls, each time: what they lead to from here says little.
    """
    for index, one in enumerate(file.declared.subscriptions):
        if one.url is None:
            continue
        try:
            require_callable(one.url)
        except Refused as refusal:
            what = f"{refusal}: a deployed stack calls public https addresses alone"
            yield file.problem(("subscriptions", index, "url"), what)
