"""From an accepted webhook to SNS's publish and SES's send, on the local stack, one at a time.

What the emulator takes to hand a message or a change to a function is not Milepost's. Right after
each event, a function that does nothing is called the same ways, and that time is taken off this
event's. What the emulator takes to answer the functions' own calls stays in.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar
from uuid import uuid4

from bench.do_nothing import DoNothing
from bench.figures import Figure, percentile
from local.stack import Stack, running_stack
from tests.signing import standard_headers

CONNECTIONS: Final = ("offergrid-home", "offergrid-business")
EACH: Final = 90
"""Orders of a connection: its team gets no more than a hundred notices an hour, warm-ups too."""
WARM_UPS: Final = 5
PATIENCE_SECONDS: Final = 60
LOOK_SECONDS: Final = 0.05
HOPS: Final = {"SNS publish": 2, "SES send": 3}
"""How many of a queue, a stream and another queue are on the way, each with a function behind."""

Found = TypeVar("Found")


def measure(*, quick: bool) -> list[Figure]:
    """Milliseconds at p50 and p99 of what each event took, less the emulator's share of it."""
    with running_stack() as stack, DoNothing(stack).running() as nothing:
        orders = 10 if quick else EACH
        pairs = [(told, _hop(nothing)) for told in _tell(stack, orders)]
    return summarize(pairs[WARM_UPS * len(CONNECTIONS) :])


def summarize(pairs: Sequence[tuple[Sequence[float], Sequence[float]]]) -> list[Figure]:
    """The percentiles of the differences, event by event.

    :param pairs: of each event the seconds to each of ``HOPS``, and those of the emulator's hops
    """
    figures: list[Figure] = []
    for place, (what, count) in enumerate(HOPS.items()):
        shares = [sum(hops[:count]) * 1000 for _, hops in pairs]
        own = [told[place] * 1000 - share for (told, _), share in zip(pairs, shares, strict=True)]
        for rank in (50, 99):
            figures.append(
                Figure(
                    what=f"accepted webhook to {what}, p{rank}",
                    measured=percentile(own, rank),
                    unit="ms",
                    note=f"of {len(own)} events, each less the emulator's own time beside it, "
                    f"{percentile(shares, 50):,.0f} ms in the middle",
                )
            )
    return figures


def _hop(nothing: DoNothing) -> tuple[float, float, float]:
    """Seconds: the inbox is full when the webhook is accepted, the others are yet to be called."""
    return nothing.queue(is_accepted=True), nothing.stream(), nothing.queue()


def _tell(stack: Stack, orders: int) -> Iterator[tuple[float, float]]:
    """Seconds to the publish and to the mail of each order, the next when one is through."""
    for _ in range(WARM_UPS + orders):
        for connection in CONNECTIONS:
            order_id = f"ord-{uuid4().hex[:10]}"
            accepted = _send(stack, connection, order_id)
            published = _wait(lambda: _published(stack, order_id), what=f"{order_id} on SNS")  # noqa: B023
            mailed = _wait(lambda: _mailed(stack, order_id), what=f"a mail of {order_id}")  # noqa: B023
            yield published - accepted, mailed - accepted


def _send(stack: Stack, connection: str, order_id: str) -> float:
    """When the webhook's acceptance arrived.

    :raises urllib.error.HTTPError: when it was not accepted
    """
    described = stack.connections[connection]
    event = {
        "event": "order.status_changed",
        "orderId": order_id,
        "itemId": "item-1",
        "previousStatus": "pending",
        "newStatus": "accepted",
        "providerNotes": None,
        "reason": None,
        "scheduledFor": None,
        "timestamp": datetime.now().astimezone().isoformat(),
    }
    body = json.dumps(event).encode()
    headers = standard_headers(
        body,
        secret=described["signing"]["secret"],
        delivery_id=f"msg_{uuid4().hex}",
        timestamp=int(time.time()),
    )
    headers["content-type"] = "application/json"
    request = urllib.request.Request(described["webhook_url"], body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS):
        return time.time()


def _published(stack: Stack, order_id: str) -> float | None:
    """When the order's announcement came to the subscriber's queue, which SNS sends at once."""
    sqs = stack.client("sqs")
    answer = sqs.receive_message(
        QueueUrl=stack.subscriber_queue_url,
        MaxNumberOfMessages=10,
        AttributeNames=["SentTimestamp"],
    )
    at = None
    for message in answer.get("Messages", []):
        sqs.delete_message(
            QueueUrl=stack.subscriber_queue_url, ReceiptHandle=message["ReceiptHandle"]
        )
        if json.loads(json.loads(message["Body"])["Message"])["order_id"] == order_id:
            at = int(message["Attributes"]["SentTimestamp"]) / 1000
    return at


def _mailed(stack: Stack, order_id: str) -> float | None:
    """When the mail that names the order came."""
    for mail in stack.mails():
        if order_id in mail["text"]:
            return datetime.fromisoformat(mail["received_at"]).timestamp()
    return None


def _wait(condition: Callable[[], Found | None], *, what: str) -> Found:
    """:raises SystemExit: when it does not come, with what was waited for"""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := condition()) is None:
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited {PATIENCE_SECONDS} s for {what}: see the stack's log.")
        time.sleep(LOOK_SECONDS)
    return found
