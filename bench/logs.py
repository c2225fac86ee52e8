"""The number of bytes that an event writes to the log at INFO."""

import json
from pathlib import Path
from typing import Any, Final

from bench.children import CONTEXT, LAMBDA, WORK, run_python
from bench.events import batches, request, webhook
from bench.figures import Figure
from bench.packaged import environment_of, path_of
from bench.stub import running_stub

GOAL: Final = 1_024
_COUNTED: Final = (
    CONTEXT
    + """
import io, json, sys
said, sys.stdout = sys.stdout, io.StringIO()
import app
for line in open(sys.argv[1]):
    app.handler(json.loads(line), context)
print(json.dumps(len(sys.stdout.getvalue().encode())), file=said, flush=True)
"""
)


def measure(*, quick: bool) -> list[Figure]:
    """A row for each way in which events arrive, and one for a webhook that changes an order."""
    count = 60 if quick else 600
    requests = [request(webhook(one, 2), delivery_id=f"msg_{one:08d}") for one in range(count)]
    received = _bytes_of("receive_webhook", requests) / count
    recorded = _bytes_of("record_report", list(batches(count // 6))) / count
    return [
        Figure(what="log of a webhook received", measured=received, unit="bytes", goal=GOAL),
        Figure(what="log of a report recorded", measured=recorded, unit="bytes", goal=GOAL),
        Figure(
            what="both together",
            measured=received + recorded,
            unit="bytes",
            goal=GOAL,
            note="Lambda's own lines are turned off (SystemLogLevel)",
        ),
    ]


def _bytes_of(function: str, events: list[dict[str, Any]]) -> int:
    path = _write(function, events)
    with running_stub() as endpoint:
        environment = {**LAMBDA, **environment_of(function, endpoint=endpoint)}
        count: int = run_python(
            _COUNTED, str(path), path=path_of(function), environment=environment
        )
    return count


def _write(name: str, events: list[dict[str, Any]]) -> Path:
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"logs-{name}.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    return path
