"""How long a backlog of webhooks takes after an outage of the function that records them."""

import json
import tempfile
from collections.abc import Iterator
from statistics import median
from typing import Final

from bench.children import CONTEXT, LAMBDA, run_python
from bench.events import STEPS, batches
from bench.figures import Figure
from bench.packaged import environment_of, path_of
from bench.roundtrips.delays import DELAY
from bench.stub import running_stub

WEBHOOKS: Final = 100_000
FUNCTIONS: Final = 10
"""Concurrent executions of record_report."""
ORDERS: Final = 100
QUICK: Final = 20
WRITE_UNITS: Final = 4_000
"""A second, of a new table on demand. Source: DynamoDB's guide, "Initial throughput for on-demand
capacity mode"."""
UNITS_A_STEP: Final = 3.5
"""Of OrdersTable and its index, by `PART=writes`."""
_RECORD: Final = (
    CONTEXT
    + """
import json, os, sys, time
answers, sys.stdout = sys.stdout, open(os.devnull, "w")
import app
taken = []
for line in sys.argv[1:]:
    for batch in json.load(open(line)):
        began = time.perf_counter()
        answer = app.handler(batch, context)
        taken.append(time.perf_counter() - began)
        assert not answer["batchItemFailures"], answer
print(json.dumps(taken), file=answers, flush=True)
"""
)


def measure(*, quick: bool) -> Iterator[Figure]:
    """Seconds for the backlog with ten functions, compared with the seconds that the write limit
    allows.
    """
    size = 10
    work = [*batches(QUICK if quick else ORDERS, size=size)]
    with running_stub(delay=DELAY) as endpoint, tempfile.NamedTemporaryFile("w") as file:
        json.dump(work, file)
        file.flush()
        environment = {**LAMBDA, **environment_of("record_report", endpoint=endpoint)}
        taken = run_python(
            _RECORD, file.name, path=path_of("record_report"), environment=environment
        )
    # The first step of each order is measured as well, but not the first batch of the process.
    batch = median(taken[1:])
    limit = WEBHOOKS * UNITS_A_STEP / WRITE_UNITS
    yield Figure(
        what=f"a backlog of {WEBHOOKS:,} webhooks, by {FUNCTIONS} functions at a time",
        measured=WEBHOOKS / size / FUNCTIONS * batch,
        unit="s",
        goal=limit,
        note=f"a batch of {size} takes {batch * 1_000:.0f} ms, over {len(STEPS)} steps; the write "
        f"limit of a new table, {WRITE_UNITS:,} units a second, allows {limit:.0f} s",
    )
