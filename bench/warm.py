"""The cost of one event in a warm function, in calls of a bare boto3 client to the same stub."""

import json
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.children import CONTEXT, LAMBDA, WORK, run_python
from bench.events import batches, request, webhook
from bench.figures import Figure, ratio
from bench.packaged import bare_boto3, environment_of, path_of
from bench.powertools import OURS, run_webhook
from bench.stub import read_calls, running_stub
from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.orders.aws.table import order_item
from tests.builders import OFFERGRID, report, tracked

GOAL: Final = 1.3
WARM_UPS: Final = 20
WHY_MISSED: Final = {
    "receive_webhook": "",
    "record_report": "Two thirds of it are botocore's own work for one put and a tenth of a "
    "batch's read, without its walk through the items, checks and rules of endpoints; the rest "
    "is the order's fold, its item and a line of the log. Tried: the collector off (3%)",
}

_FUNCTION: Final = (
    CONTEXT
    + """
import json, sys, time
import app
events = [json.loads(line) for line in open(sys.argv[1])]
for event in events[:{warm_ups}]:
    app.handler(event, context)
started = time.process_time()
for event in events[{warm_ups}:]:
    answer = app.handler(event, context)
    assert answer.get("statusCode", 202) == 202, answer
    assert not answer.get("batchItemFailures"), answer
print()
print(json.dumps((time.process_time() - started) / (len(events) - {warm_ups})))
"""
)
_BARE: Final = """
import json, sys, time
import boto3
service, method, arguments = json.loads(sys.argv[1])
call = getattr(boto3.client(service), method)
for _ in range({warm_ups}):
    call(**arguments)
started = time.process_time()
for _ in range({times}):
    call(**arguments)
print(json.dumps((time.process_time() - started) / {times}))
"""


def measure(*, quick: bool) -> list[Figure]:
    """The webhook compared with sending a message, the record with putting an item, and both with a
    peer.
    """
    rounds, times = (3, 200) if quick else (9, 300)
    requests = write_events("requests", [_request(number) for number in range(times + WARM_UPS)])
    orders = (times + WARM_UPS * 10) // 6 // 10 * 10
    records = write_events("batches", list(batches(orders)))
    sent = ["sqs", "send_message", {"QueueUrl": "", "MessageBody": _inbox_body()}]
    put = ["dynamodb", "put_item", {"TableName": "t", "Item": _typical_item()}]
    ours: dict[str, list[float]] = {"receive_webhook": [], "record_report": []}
    bare: dict[str, list[float]] = {"receive_webhook": [], "record_report": []}
    peer: list[float] = []
    for _ in range(rounds):
        with running_stub() as endpoint:
            sent[2]["QueueUrl"] = f"{endpoint}/000000000000/name"  # type: ignore[index]
            for name, events, call in (
                ("receive_webhook", requests, sent),
                ("record_report", records, put),
            ):
                ours[name].append(run_function(name, events, endpoint))
                # An event that can't be recorded is answered well too, and ends in a bucket.
                assert "PUT object" not in read_calls(endpoint), f"{name} quarantined events"
                bare[name].append(_run_bare(call, times, endpoint))
            peer.append(_run_peer(requests, endpoint))
    ours["record_report"] = [seconds / 10 for seconds in ours["record_report"]]
    return [
        Figure(
            what=f"{name}, per event",
            measured=ratio(ours[name], bare[name]),
            unit="boto3 calls",
            goal=GOAL,
            note=f"{median(ours[name]) * 1000:.2f} ms; a call {median(bare[name]) * 1000:.2f} ms",
            if_missed=WHY_MISSED[name],
        )
        for name in OURS
    ] + [_beside(peer, [sum(each) for each in zip(*(ours[one] for one in OURS), strict=True)])]


def _beside(peer: list[float], ours: list[float]) -> Figure:
    return Figure(
        what="receive_webhook and record_report, per event, by a webhook with Powertools",
        measured=ratio(ours, peer),
        unit="times",
        note=f"{median(ours) * 1000:.2f} ms; Powertools {median(peer) * 1000:.2f} ms",
    )


def _request(number: int) -> dict[str, Any]:
    return request(webhook(number, 2), delivery_id=f"msg_{number:08d}")


def _inbox_body() -> str:
    first = next(batches(1))["Records"][0]
    body: str = first["body"]
    return body


def _typical_item() -> dict[str, Any]:
    order = tracked(
        report(Status.PENDING), report(Status.SUBMITTED, 10), report(Status.ACCEPTED, 20)
    )
    return to_item(order_item(order, connection=OFFERGRID, new=()))


def write_events(name: str, events: list[dict[str, Any]]) -> Path:
    """A file with one event in each line."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"{name}.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    return path


def run_function(name: str, events: Path, endpoint: str) -> float:
    """Seconds of processor time for each event, without the warm-ups."""
    seconds: float = run_python(
        _FUNCTION.format(warm_ups=WARM_UPS),
        str(events),
        path=path_of(name),
        environment={**LAMBDA, **environment_of(name, endpoint=endpoint)},
    )
    return seconds


def _run_peer(events: Path, endpoint: str) -> float:
    code = _FUNCTION.format(warm_ups=WARM_UPS)
    seconds: float = run_webhook(code, str(events), endpoint=endpoint)
    return seconds


def _run_bare(call: list[Any], times: int, endpoint: str) -> float:
    seconds: float = run_python(
        _BARE.format(warm_ups=WARM_UPS, times=times),
        json.dumps(call),
        path=bare_boto3(),
        environment={**LAMBDA, "AWS_ENDPOINT_URL": endpoint},
    )
    return seconds
