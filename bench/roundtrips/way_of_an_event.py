"""From an accepted webhook to SNS's publish and SES's send: calls to AWS, and times.

Functions run one after the other in one process, each with the event that its trigger would hand
over. An event's time is from a function's start to its call that starts the next function, added up
over the functions. The time from one function to the next is AWS's and is not in it.
"""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from typing import Any, Final

from moto import mock_aws

from bench.events import STEPS, request, webhook
from bench.figures import Figure, percentile
from bench.roundtrips.delays import DELAY, Calls, run_module, slow_moto
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.subscription import Subscription
from tests.batches import sqs_batch
from tests.builders import OFFERGRID
from tests.stack import Context, Stack, aws

EVENTS: Final = 200
QUICK: Final = 20
WARM_UPS: Final = 3
_STEP: Final = STEPS.index("accepted")
CALLS: Final = 8
MILLISECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The work of a function until its call that starts the next function."""

    calls: list[str]
    seconds: float


def measure(*, quick: bool) -> Iterator[Figure]:
    """Calls and milliseconds until the publish, and milliseconds until the mail."""
    found = run_module("way_of_an_event", str(QUICK if quick else EVENTS))
    yield from summarize(found["events"], overlong=found["overlong"])


def summarize(events: Sequence[Any], *, overlong: int) -> Iterator[Figure]:
    """Rows with the results for each event.

    :param events: of each event its steps, as JSON: to the stream, to SNS and the email queue, to
        SES
    :param overlong: how often the emulator took longer than the delay
    """
    ways = [step["calls"] for step in events[-1][:2]]
    calls = [sum(len(step["calls"]) for step in steps[:2]) for steps in events]
    listed = "; ".join(", ".join(names) for names in ways)
    yield Figure(
        what="accepted webhook to SNS publish: calls to AWS",
        measured=percentile(calls, 50),
        goal=CALLS,
        note=listed,
    )
    note = f"of {len(events)} events, each by its own time stamps; {overlong} answers took longer"
    for what, count in (("SNS publish", 2), ("SES send", 3)):
        taken = [sum(step["seconds"] for step in steps[:count]) * 1_000 for steps in events]
        for rank in (50, 99):
            is_goal = count == 2 and rank == 50
            yield Figure(
                what=f"accepted webhook to {what}, p{rank}",
                measured=percentile(taken, rank),
                unit="ms",
                goal=MILLISECONDS if is_goal else None,
                note=f"{note} than {DELAY * 1_000:g} ms" if is_goal else "",
            )


class EventPath:
    """The functions on the way, and the input of each one from the previous one."""

    def __init__(self, stack: Stack, calls: Calls) -> None:
        self._stack, self._calls = stack, calls
        self._apps = {
            name: stack.load(name)
            for name in ("receive_webhook", "record_report", "announce", "send_notice")
        }

    def go(self, number: int) -> list[Step]:
        """The steps of one event, each of an order of its own."""
        event = request(webhook(number, _STEP), delivery_id=f"msg_{number:08d}")
        answer = self._apps["receive_webhook"].handler(event, Context())
        assert answer["statusCode"] == 202, answer
        bodies = self._stack.messages("InboxQueue")
        recorded = self._run("record_report", _batch(bodies), until="PutItem OrdersTable")
        published = self._run("announce", self._record(number), until="Publish")
        queued = _batch(self._stack.messages("EmailQueue"))
        return [recorded, published, self._run("send_notice", queued, until="SendEmail")]

    def _run(self, function: str, event: Any, *, until: str) -> Step:
        """Run a function; returns its calls until the call that starts the next function.

        :raises RuntimeError: when it doesn't make that call
        """
        self._calls.made.clear()
        began = time.perf_counter()
        answer = self._apps[function].handler(event, Context())
        ends = [one.ended for one in self._calls.made if one.name.startswith(until)]
        if not ends:
            made = [one.name for one in self._calls.made]
            raise RuntimeError(f"{function} made no call {until}, only {made}: {answer}")
        on_the_way = [one.name for one in self._calls.made if one.began < ends[0]]
        return Step(calls=on_the_way, seconds=ends[0] - began)

    def _record(self, number: int) -> Any:
        """The record in the table's stream of the order that was written last."""
        (item,) = [
            one.parameters["Item"] for one in self._calls.made if one.name == "PutItem OrdersTable"
        ]
        images = {"Keys": {name: item[name] for name in ("pk", "sk")}, "NewImage": item}
        change = {**images, "SequenceNumber": f"{number:021d}"}
        return {"Records": [{"eventID": f"{number}", "eventName": "INSERT", "dynamodb": change}]}


def _batch(bodies: Sequence[Any]) -> Any:
    return sqs_batch([json.dumps(one) for one in bodies])


def _run(events: int) -> dict[str, Any]:
    with mock_aws():
        stack = Stack()
        # Over the hourly limit, mails would be held for a digest.
        stack.apply(replace(OFFERGRID, notices_per_hour=WARM_UPS + events))
        SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"]).put(
            Subscription(id="sales", recipient="sales@example.org")
        )
        with slow_moto() as calls:
            way = EventPath(stack, calls)
            go: Callable[[int], list[Step]] = way.go
            for number in range(WARM_UPS):
                go(number)
            calls.overlong = 0
            found = [go(WARM_UPS + number) for number in range(events)]
    steps = [[{"calls": step.calls, "seconds": step.seconds} for step in each] for each in found]
    return {"events": steps, "overlong": calls.overlong}


def main() -> None:
    """Measure in this process, and print the result."""
    with redirect_stdout(io.StringIO()):
        measured = _run(int(sys.argv[1]))
    print(json.dumps(measured))
