"""What goes on by itself afterwards: what failed comes again, and nothing stays on its way."""

import json
from datetime import timedelta
from typing import Any, Final

from milepost.common.timestamps import parse_instant
from milepost.notifications.mail.sender import NEWS_WITHIN
from tests.batches import sqs_batch
from tests.integration.interleaving.account import World, hand_on
from tests.integration.interleaving.workers import Ended, Party
from tests.stack import aws

LATER: Final = NEWS_WITHIN + timedelta(minutes=5)
"""When what failed comes again: after every claim and lease of who is gone, and once a mail whose
outcome was unknown is looked at again."""
_NEXT_DIGESTS: Final = timedelta(minutes=61)
_MOST: Final = 6
"""So often is anything handed over before it is given up."""
_READERS: Final = (
    ("InboxQueue", "record_report"),
    ("EmailQueue", "send_notice"),
    ("EndpointQueue", "call_endpoint"),
)

Run = tuple[Party, Any, Ended]
"""Who ran, with which event, and how that ended."""


class NeverDone(Exception):
    """Something fails however often it comes again."""


def settle(world: World, *runs: Run) -> None:
    """Let everything come to its end.

    :raises NeverDone: when something doesn't
    """
    world.time.shift += LATER
    for party, event, ended in runs:
        if ended is Ended.FAILED:
            _hand_over_again(world, party, event)
    go_on(world)
    if any(one["pk"] == "due" for one in world.items("NoticesTable")):
        world.time.shift += _NEXT_DIGESTS
        world.run("release_notices", {})
        go_on(world)
    if any(party.erases for party, _, _ in runs):
        world.time.shift += LATER
        world.run("finish_erasures", {})
        go_on(world)


def go_on(world: World) -> None:
    """Hand over whatever waits, until nothing does.

    :raises NeverDone: when something always does
    """
    for _ in range(_MOST):
        if not _hand_over_what_waits(world):
            return
    raise NeverDone("messages that come again and again")


def _hand_over_again(world: World, party: Party, event: Any) -> None:
    answer: Any = None
    for _ in range(_MOST):
        try:
            ended, answer = party.run(world, event)
        except Exception as error:  # as Lambda has it: the event comes again
            ended, answer = Ended.FAILED, repr(error)
        if ended is not Ended.FAILED:
            return
        world.time.shift += timedelta(minutes=2)
    raise NeverDone(f"{party.name}: {answer}")


def _start_due_actions(world: World) -> bool:
    """Start what was planned meanwhile, and is due by now; whether there was anything."""
    scheduler, group = aws("scheduler"), world.stack.resources["ActionSchedules"]
    names = [one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]]
    found = False
    for one in (scheduler.get_schedule(Name=name, GroupName=group) for name in names):
        at = one["ScheduleExpression"].removeprefix("at(").removesuffix(")")
        if parse_instant(f"{at}Z") <= world.time.now():
            found = True
            scheduler.delete_schedule(Name=one["Name"], GroupName=group)
            world.run("perform_action", json.loads(one["Target"]["Input"]))
    return found


def _hand_over_what_waits(world: World) -> bool:
    """Hand it over once; whether there was anything."""
    found = _start_due_actions(world)
    while world.calls.seen.invoked:
        found = True
        payload = json.loads(world.calls.seen.invoked.pop(0))
        world.run("make_exports" if "export" in payload else "poll_orders", payload)
    for queue, function in _READERS:
        for body in world.take(queue):
            found = True
            if world.run(function, sqs_batch([body]))["batchItemFailures"]:
                # Somebody is at it, or was: it comes again once that is over.
                world.time.shift += timedelta(minutes=2)
                world.put_back(queue, body)
    for reader in world.stream:
        if world.stream[reader]:
            found = True
            if (answer := hand_on(world, reader)).get("batchItemFailures"):
                raise NeverDone(f"{reader}: {answer}")
    return found
