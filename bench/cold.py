"""Cold starts: what `sam build` made, packed and unpacked, against a bare boto3 client.

Beside them a webhook that is written with Powertools.
"""

from typing import Final

from bench.children import LAMBDA, run_python
from bench.figures import Figure, ratio
from bench.packaged import bare_boto3, environment_of, list_functions, path_of
from bench.powertools import OURS, run_webhook
from bench.stub import running_stub

GOAL: Final = 1.15
GOALS: Final = {"receive_webhook": 0.9}
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
for service in ("dynamodb", "secretsmanager", "ssm", "scheduler", "sqs"):
    client(service)
"""
"""What no API with Event Handler, its validation and orders_api's clients can go below."""
_BARE: Final = 'import boto3\nboto3.client("dynamodb")'


def measure(*, quick: bool) -> list[Figure]:
    """A row for each function of the template, as all talk to AWS, and one for the peer."""
    functions = sorted(list_functions())
    rounds = 5 if quick else 15
    with running_stub() as endpoint:
        bare, starts, peer, floor = [], dict[str, list[float]](), list[float](), list[float]()
        for _ in range(rounds):
            bare.append(_start_bare())
            peer.append(run_webhook(_TIMED.format(code="import app"), endpoint=endpoint))
            floor.append(_start("orders_api", _FLOOR, endpoint))
            for name in functions:
                starts.setdefault(name, []).append(_start(name, "import app", endpoint))
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
            note=f"{sorted(starts[name])[rounds // 2] * 1000:.0f} ms",
            if_missed=why_missed.get(name, ""),
        )
        for name in functions
    ]
    milliseconds = sorted(bare)[rounds // 2] * 1000
    return [
        Figure(what="R, a bare boto3 client", measured=milliseconds, unit="ms"),
        *rows,
        Figure(
            what="cold start of a webhook with Powertools",
            measured=ratio(peer, bare),
            unit="R",
            note=f"{sorted(peer)[rounds // 2] * 1000:.0f} ms; receive_webhook and record_report "
            f"one after the other {ratio(_together(starts), peer):.2f} times it",
        ),
    ]


def _why_missed(floor: float) -> str:
    return (
        f"{floor:.2f} R of it are Event Handler with validation, pydantic and the clients, before "
        "anything of ours. Done: subjects, OpenAPI and what operators need are imported when asked "
        "for, validators made at first use"
    )


def _together(starts: dict[str, list[float]]) -> list[float]:
    return [sum(each) for each in zip(*(starts[name] for name in OURS), strict=True)]


def _start_bare() -> float:
    seconds: float = run_python(_TIMED.format(code=_BARE), path=bare_boto3())
    return seconds


def _start(function: str, code: str, endpoint: str) -> float:
    seconds: float = run_python(
        _TIMED.format(code=code),
        path=path_of(function),
        environment={**LAMBDA, **environment_of(function, endpoint=endpoint)},
    )
    return seconds
