"""How long a digest of very many orders takes: reading, rendering, sending and its entries."""

import io
import json
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.children import WORK
from bench.engine import running_engine
from bench.figures import Figure
from bench.roundtrips.delays import Calls, in_turn, run_module
from bench.roundtrips.stored import slow_stack
from milepost.common.status import Status
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.topic_and_queues import batch_message
from milepost.notifications.claims import Batch
from milepost.notifications.recipients import Choice
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from tests.batches import sqs_batch
from tests.builders import NOON, OFFERGRID, announcement, minute, notice, report, tracked
from tests.stack import Context

ORDERS: Final = 500
SECONDS: Final = 1.5
ROUNDS: Final = 3


def measure(*, quick: bool) -> Iterator[Figure]:
    """Seconds for the function that sends a digest."""
    found = run_module("digest", str(ORDERS), str(1 if quick else ROUNDS))
    yield Figure(
        what=f"a digest of {ORDERS} orders",
        measured=min(found["seconds"]),
        unit="s",
        goal=SECONDS,
        note=f"{found['calls']} calls, {found['in_turn']} in turn; "
        f"{min(found['processor']):.2f} s of the processor; the fastest of "
        f"{len(found['seconds'])}, up to {max(found['seconds']):.1f} s",
    )


def hold(engine: Any, count: int, *, hour: int) -> Any:
    """The message for a digest of this number of orders, which are stored and held."""
    orders = OrdersTable(engine, table_name="OrdersTable", connection=OFFERGRID)
    log = NoticesTable(engine, table_name="NoticesTable")
    holds = HoldsTable(engine, table_name="NoticesTable")
    due_at = minute(60 * hour)
    for number in range(count):
        key = OrderKey(OFFERGRID.id, f"ord-{hour}-{number}", "item-1")
        held = notice(key=key)
        accepted = report(Status.ACCEPTED, key=key, reference=f"PP-{hour}-{number}")
        orders.write(tracked(accepted, announced=(announcement(),)), new=())
        log.enter(Choice(notice=held, due_at=due_at), at=NOON)
        holds.hold(held, due_at=due_at)
    return sqs_batch([json.dumps(batch_message(Batch.of(held, due_at=due_at)))])


def _run(count: int, rounds: int) -> dict[str, Any]:
    WORK.mkdir(parents=True, exist_ok=True)
    with (
        # In memory, the engine would keep the tables of each access key apart.
        TemporaryDirectory(dir=WORK) as place,
        running_engine(folder=Path(place)) as engine,
        slow_stack(engine) as (stack, calls, tables),
    ):
        stack.apply(OFFERGRID)
        app = stack.load("send_notice")
        # The first one imports what renders mails.
        _send(app, hold(engine, 2, hour=1), calls)
        batch = hold(engine, count, hour=2)
        tables.record()
        _send(app, batch, calls)
        tables.replay()
        taken = [_send(app, batch, calls) for _ in range(rounds)]
    return {
        "seconds": [seconds for seconds, _ in taken],
        "processor": [processor for _, processor in taken],
        "calls": len(calls.made),
        "in_turn": in_turn(calls.made),
    }


def _send(app: Any, batch: Any, calls: Calls) -> tuple[float, float]:
    """Seconds, and seconds of processor time, for one digest.

    :raises SystemExit: when it isn't sent
    """
    calls.clear()
    began, processor = time.perf_counter(), time.process_time()
    answer = app.handler(batch, Context())
    taken = time.perf_counter() - began - calls.beyond, time.process_time() - processor
    sent = [one for one in calls.made if one.name.startswith("SendEmail")]
    if answer["batchItemFailures"] or len(sent) != 1:
        raise SystemExit(f"no digest was sent: {answer}")
    if not any(one.name.startswith("DeleteItem") for one in calls.made):
        raise SystemExit(f"the digest's calls ended with {calls.made[-1].name}")
    return taken


def main() -> None:
    """Measure in this process, and print the result."""
    with redirect_stdout(io.StringIO()):
        measured = _run(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(measured))
