"""Cold starts: what `sam build` made, packed and unpacked, against a bare boto3 client."""

from typing import Final

from bench.children import LAMBDA, run_python
from bench.figures import Figure, ratio
from bench.packaged import bare_boto3, environment_of, list_functions, path_of
from bench.stub import running_stub

GOAL: Final = 1.15
GOALS: Final = {"receive_webhook": 0.9}
_TIMED: Final = """
import json, time
started = time.process_time()
{code}
print(json.dumps(time.process_time() - started))
"""
_BARE: Final = 'import boto3\nboto3.client("dynamodb")'


def measure(*, quick: bool) -> list[Figure]:
    """A row for each function of the template that talks to AWS, which all of them do."""
    functions = sorted(list_functions())
    rounds = 5 if quick else 15
    with running_stub() as endpoint:
        bare, starts = [], dict[str, list[float]]()
        for _ in range(rounds):
            bare.append(_start_bare())
            for name in functions:
                starts.setdefault(name, []).append(_start(name, "import app", endpoint))
    rows = [
        Figure(
            what=f"cold start of {name}",
            measured=ratio(starts[name], bare),
            unit="R",
            goal=GOALS.get(name, GOAL),
            note=f"{sorted(starts[name])[rounds // 2] * 1000:.0f} ms",
        )
        for name in functions
    ]
    milliseconds = sorted(bare)[rounds // 2] * 1000
    return [Figure(what="R, a bare boto3 client", measured=milliseconds, unit="ms"), *rows]


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
