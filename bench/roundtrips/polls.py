"""A first poll of very many orders, and a poll in which few have changed, compared with dlt."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from bench.children import CONTEXT, LAMBDA, ROOT, WORK, running_python
from bench.figures import Figure
from bench.packaged import environment_of, path_of
from bench.peers import PYTHON, require_peers
from bench.poll import EVERY, ORDERS, change
from bench.provider import running_provider
from bench.roundtrips.delays import DELAY
from bench.stub import read_calls, running_stub

QUICK: Final = 2_000
SECONDS: Final = 150
SECONDS_CHANGED: Final = 4
MEGABYTES: Final = 300
BARE_CALLS: Final = 200
_POLL: Final = (
    CONTEXT
    + f"BARE_CALLS = {BARE_CALLS}"
    + """
import json, os, sys, time
answers, sys.stdout = sys.stdout, open(os.devnull, "w")
import app, boto3

def bare(calls=BARE_CALLS):
    client, item = boto3.client("dynamodb"), {"pk": {"S": "bare"}, "text": {"S": "-" * 2_000}}
    client.put_item(TableName="bare", Item=item)
    began = time.process_time()
    for _ in range(calls):
        client.put_item(TableName="bare", Item=item)
    return (time.process_time() - began) / calls

print("null", file=answers, flush=True)
for _ in sys.stdin:
    wall, processor = time.perf_counter(), time.process_time()
    result = app.handler({"connection": "offergrid-home"}, context)
    result["wall"] = time.perf_counter() - wall
    result["seconds"] = time.process_time() - processor
    with open("/proc/self/status") as status:
        result["megabytes"] = int(status.read().partition("VmHWM:")[2].split()[0]) / 1024
    assert result["outcome"] == "complete", result
    result["bare"] = bare()
    print(json.dumps(result), file=answers, flush=True)
"""
)


def measure(*, quick: bool) -> Iterator[Figure]:
    """Seconds and memory of the first poll, seconds of the second, and processor time of both."""
    require_peers()
    orders = QUICK if quick else ORDERS
    with (
        running_provider(orders) as provider,
        running_stub(provider, delay=DELAY) as endpoint,
        _polling(endpoint) as poll,
        _loading(provider, endpoint) as load,
    ):
        read_calls(endpoint)
        first = _checked(poll(), orders)
        calls = read_calls(endpoint)
        calls["PutItem"] -= 1 + BARE_CALLS
        _checked(load(), orders)
        change(provider, step=2)
        second = _checked(poll(), orders // EVERY)
        theirs = _checked(load(), orders // EVERY)
    yield Figure(
        what=f"first poll of {orders:,} new orders",
        measured=first["wall"],
        unit="s",
        goal=SECONDS,
        note=f"one run; {first['seconds']:.0f} s of the processor, "
        f"{calls['BatchGetItem']:,} BatchGetItem, {calls['PutItem']:,} PutItem",
    )
    yield Figure(
        what="… per order, in PutItem calls of a bare boto3 client",
        measured=first["seconds"] / orders / first["bare"],
        unit="calls",
        note=f"processor time; a bare call takes {first['bare'] * 1_000:.2f} ms, so that "
        f"{orders:,} of them alone take {orders * first['bare']:.0f} s",
    )
    yield Figure(what="… peak memory", measured=first["megabytes"], unit="MB", goal=MEGABYTES)
    yield Figure(
        what=f"poll of {orders:,} orders, one in {EVERY} changed",
        measured=second["wall"],
        unit="s",
        goal=SECONDS_CHANGED,
    )
    yield Figure(
        what="… orders per second of processor time, compared with dlt into DynamoDB",
        measured=theirs["seconds"] / second["seconds"],
        unit="x as fast",
        goal=1.0,
        at_least=True,
        note=f"{orders / second['seconds']:,.0f}; dlt {orders / theirs['seconds']:,.0f}, which "
        "puts each changed order by boto3's batch_writer",
    )


def _checked(found: dict[str, Any], changed: int) -> dict[str, Any]:
    """:raises RuntimeError: if the poll didn't find exactly the changed orders"""
    if found["changed"] != changed:
        raise RuntimeError(f"{changed} orders had changed; found were {found['changed']}")
    return found


def _polling(endpoint: str) -> AbstractContextManager[Callable[[], Any]]:
    environment = {**LAMBDA, **environment_of("poll_orders", endpoint=endpoint)}
    return running_python(_POLL, path=path_of("poll_orders"), environment=environment)


def _loading(provider: str, endpoint: str) -> AbstractContextManager[Callable[[], Any]]:
    code = (ROOT / "bench" / "peers" / "poll_with_dlt_into_dynamodb.py").read_text()
    environment = {"HOME": str(WORK), "PATH": os.defpath}
    return running_python(code, provider, endpoint, python=PYTHON, environment=environment)
