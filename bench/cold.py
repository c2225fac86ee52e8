"""Cold starts: the output of `sam build`, packed and unpacked, compared with a bare boto3 client.

Beside them a webhook that is written with Powertools, and the first event together with its start.
"""

import json
from statistics import median
from typing import Any, Final

from bench.children import CONTEXT, LAMBDA, run_python
from bench.events import batches, request, webhook
from bench.figures import Figure, ratio
from bench.packaged import bare_boto3, environment_of, list_functions, path_of
from bench.powertools import OURS, run_webhook
from bench.stub import running_stub

GOAL: Final = 1.15
GOALS: Final = {"receive_webhook": 0.9, "orders_api": 1.2, "console": 1.3}
_TIMED: Final = """
import json, time
started = time.process_time()
{code}
print(json.dumps(time.process_time() - started))
"""
_FLOOR: Final = """
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from milepost.aws.clients import client
from pydantic import BaseModel
APIGatewayHttpResolver(enable_validation=True)
for service in ("dynamodb", "secretsmanager", "ssm"):
    client(service)
"""
"""What no API with Event Handler, its validation and orders_api's clients can go below."""
_FIRST_EVENT: Final = (
    CONTEXT
    + """
import app, sys
app.handler(json.loads(sys.argv[1]), context)
print()
"""
)
_BARE: Final = 'import boto3\nboto3.client("dynamodb")'
_WITH_THE_FIRST: Final = {
    "receive_webhook": "",
    "record_report": "; whose order it is about is not known before, so the provider's adapter and "
    "pydantic are imported then",
}


def measure(*, quick: bool) -> list[Figure]:
    """A row for each function of the template, with the AWS clients that it uses, and one for the
    peer.
    """
    functions = sorted(list_functions())
    rounds = 5 if quick else 9
    event = request(webhook(1, 1), delivery_id="msg_00000001")
    events = dict(zip(OURS, (event, next(batches(1))), strict=True))
    bare, peer, floor, peer_through = [], list[float](), list[float](), list[float]()
    starts, through = dict[str, list[float]](), dict[str, list[float]]()
    with running_stub() as endpoint:
        for _ in range(rounds):
            bare.append(start_bare())
            peer.append(_start_peer("import app", endpoint))
            peer_through.append(_start_peer(_FIRST_EVENT, endpoint, event))
            floor.append(start_floor(endpoint))
            for name in functions:
                starts.setdefault(name, []).append(start_of(name, endpoint))
            for name, first in events.items():
                through.setdefault(name, []).append(_start(name, _FIRST_EVENT, endpoint, first))
    why_missed = {
        "orders_api": _why_missed(ratio(floor, bare)),
        "send_notice": "Jinja2 and Babel, which every mail needs, are a tenth of it",
    }
    rows = [
        Figure(
            what=f"cold start of {name}",
            measured=ratio(starts[name], bare),
            unit="R",
            goal=GOALS.get(name, GOAL),
            note=_milliseconds(starts[name]),
            if_missed=why_missed.get(name, ""),
        )
        for name in functions
    ]
    both = f"{' and '.join(OURS)} together"
    return [
        Figure(what="R, a bare boto3 client", measured=median(bare) * 1000, unit="ms"),
        *rows,
        *(
            Figure(
                what=f"{name} through its first event",
                measured=ratio(through[name], bare),
                unit="R",
                note=_milliseconds(through[name]) + _WITH_THE_FIRST[name],
            )
            for name in OURS
        ),
        Figure(
            what="cold start of a webhook with Powertools",
            measured=ratio(peer, bare),
            unit="R",
            note=f"{_milliseconds(peer)}; {both} {ratio(_together(starts), peer):.2f} times it",
        ),
        Figure(
            what="… through its first event",
            measured=ratio(peer_through, bare),
            unit="R",
            note=f"{_milliseconds(peer_through)}; {both} "
            f"{ratio(_together(through), peer_through):.2f} times it",
        ),
    ]


def _milliseconds(seconds: list[float]) -> str:
    return f"{median(seconds) * 1000:.0f} ms"


def _why_missed(floor: float) -> str:
    return (
        f"{floor:.2f} R of it are Event Handler with validation, pydantic and the clients, before "
        "anything of ours. Done: subjects, OpenAPI and what operators need are imported when asked "
        "for, validators made at first use"
    )


def _together(starts: dict[str, list[float]]) -> list[float]:
    return [sum(each) for each in zip(*(starts[name] for name in OURS), strict=True)]


def start_bare() -> float:
    """Seconds of processor time for a bare boto3 client."""
    seconds: float = run_python(_TIMED.format(code=_BARE), path=bare_boto3())
    return seconds


def start_floor(endpoint: str) -> float:
    """Seconds of processor time for an API's libraries and clients, without our code."""
    return _start("orders_api", _FLOOR, endpoint)


def start_console_floor(endpoint: str) -> float:
    """Seconds of processor time for the console's libraries and clients, without our code."""
    return _start("console", f"{_FLOOR}from jinja2 import Environment\n", endpoint)


def start_of(function: str, endpoint: str) -> float:
    """Seconds of processor time for the import of a function.

    :param endpoint: where AWS is (``running_stub``)
    """
    return _start(function, "import app", endpoint)


def _start_peer(code: str, endpoint: str, *events: Any) -> float:
    seconds: float = run_webhook(
        _TIMED.format(code=code), *map(json.dumps, events), endpoint=endpoint
    )
    return seconds


def _start(function: str, code: str, endpoint: str, *events: Any) -> float:
    seconds: float = run_python(
        _TIMED.format(code=code),
        *map(json.dumps, events),
        path=path_of(function),
        environment={**LAMBDA, **environment_of(function, endpoint=endpoint)},
    )
    return seconds
