"""Whether people's requests had the intended results, and no others."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import boto3

from cli.connections.stored_state import Stored, open_stores, read_stored
from cli.stack import Stack as DeployedStack
from local.stack import Stack
from milepost.common.status import Status
from milepost.orders.order import OrderKey, TrackedOrder
from tests.soak.operating_person import Reader

PLACES: Final = ("OrdersTable", "NoticesTable", "SearchTable", "FiguresTable", "ErasuresTable")
"""Every table that may hold something of a customer."""

Kept = Mapping[OrderKey, TrackedOrder]


def wrongly_erased(kept: Kept, erased: Iterable[str]) -> list[str]:
    """Erased customers' orders that aren't tombstones, and tombstones of others."""
    wanted = set(erased)
    names = {key.path_id for key, one in kept.items() if one.erased_at is not None}
    found = [f"{name} is not erased" for name in sorted(wanted - names)]
    return found + [f"{name} is erased, and nobody requested it" for name in sorted(names - wanted)]


def traces(items: Iterable[tuple[str, Mapping[str, Any]]], emails: Iterable[str]) -> list[str]:
    """Where an item names an erased customer, once for each item; items come with their place."""
    wanted = [email.casefold() for email in emails]
    return [
        f"{place} {item.get('pk')} still names an erased customer"
        for place, item in items
        if any(email in json.dumps(item, default=str).casefold() for email in wanted)
    ]


def wrongly_redriven(kept: Kept, redriven: Sequence[OrderKey]) -> list[str]:
    """Redriven reports that are on no timeline, or on one more than once."""
    found = []
    for key in redriven:
        seen = [entry.report.status for entry in kept[key].order.timeline] if key in kept else []
        if seen != [Status.ACCEPTED]:
            found.append(f"{key} was redriven, and has {seen}")
    return found


def wrongly_told(
    kept: Kept, log: Iterable[Mapping[str, Any]], readers: Sequence[Reader], *, connection: str
) -> tuple[list[str], list[str]]:
    """Notices that the recipients wanted and that aren't in the log, and unwanted notices in the
    log.

    A digest is in the log once for each announcement, and so is a mail that another one replaces.
    """
    logged = {
        (str(item.get("recipient")), str(item["id"]).rsplit("/email/", 1)[0])
        for item in log
        # The table has subscriptions as well, which have no state.
        if item.get("channel") == "email" and "state" in item
    }
    lost, doubled = [], []
    for key, tracked in kept.items():
        if key.connection != connection:
            continue
        for one in tracked.announced:
            for reader in readers:
                wants = reader.wants(one.kind, announced_at=one.announced_at)
                is_there = (reader.recipient, one.id_for(key)) in logged
                if wants is True and not is_there:
                    lost.append(f"{reader.recipient} was not told of {one.id_for(key)}")
                elif wants is False and is_there:
                    doubled.append(f"{reader.recipient} did not ask for {one.id_for(key)}")
    return lost, doubled


def wrongly_subscribed(stored: Stored, readers: Sequence[Reader]) -> list[str]:
    """Subscriptions that differ from their recipients' last settings."""
    found = []
    for reader in readers:
        there = stored.subscriptions.get(reader.id)
        kinds = there.kinds if there else frozenset()
        if kinds != reader.kinds:
            found.append(f"{reader.id} is {sorted(kinds)}, not {sorted(reader.kinds)}")
    return found


def read_what_is_stored(stack: Stack) -> Stored:
    """All data that ``milepost connections`` reads from the stack."""
    session = boto3.Session(
        aws_access_key_id=stack.access_key_id,
        aws_secret_access_key=stack.secret_access_key,
        region_name=stack.region,
    )
    deployed = DeployedStack(
        name=stack.stack_name,
        region=stack.region,
        outputs=stack.outputs,
        api_url=stack.api_url,
        session=session,
        endpoint_url=stack.aws_endpoint_url,
    )
    return read_stored(open_stores(deployed))
