"""What a cold start has to read: which of the dear packages each function may import."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.stack import DEAD_LETTERS, template

ROOT: Final = Path(__file__).parents[2]
FUNCTIONS: Final = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
DEAR: Final = (
    "asyncio",
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.event_handler.openapi.models",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parser",
    "babel",
    "boto3",
    "email_validator",
    "idna",
    "jinja2",
    "milepost.api.order_schema",
    "milepost.aws.dynamodb_items",
    "milepost.operations.aws.services",
    "milepost.notifications.mail.rendering",
    "multiprocessing",
    "pydantic",
)
"""Packages that cost a cold start more than a few milliseconds; ``dynamodb_items`` stands for
DynamoDB, ``order_schema`` for a subject of the API."""
LOGGING: Final = {"aws_lambda_powertools"}
CLIENTS: Final = {"boto3", "multiprocessing"}
"""boto3's clients bring s3transfer, which imports multiprocessing."""
USUAL: Final = LOGGING | CLIENTS | {"milepost.aws.dynamodb_items"}
MAY_IMPORT: Final[dict[str, set[str]]] = {
    "console": USUAL
    | {
        "asyncio",
        "aws_lambda_powertools.event_handler",
        "aws_lambda_powertools.utilities.data_classes",
        "jinja2",
        "pydantic",
    },
    "make_exports": USUAL
    | {
        "asyncio",
        "aws_lambda_powertools.event_handler",
        "aws_lambda_powertools.utilities.data_classes",
        "milepost.api.order_schema",
        "pydantic",
    },
    "orders_api": USUAL
    | {
        "asyncio",
        "aws_lambda_powertools.event_handler",
        "aws_lambda_powertools.utilities.data_classes",
        "pydantic",
    },
    "receive_webhook": set(),
    # Two small modules of it, which read and clean texts from outside.
    "tracking_page": USUAL | {"milepost.notifications.mail.rendering"},
    "send_notice": USUAL | {"babel", "jinja2", "milepost.notifications.mail.rendering"},
}
"""What a function may import; those that are not named here, what is usual."""

_LOOK: Final = """
import gc, json, os, sys
import botocore.session
paths, dear = json.loads(sys.argv[1]), set(json.loads(sys.argv[2]))
for path in paths:
    if child := os.fork():
        if os.waitpid(child, 0)[1]:
            sys.exit(f"{path} can't be imported")
        continue
    sys.path.insert(0, path)
    import app
    objects = gc.get_freeze_count() + len(gc.get_objects())
    found = {"dear": sorted(dear & sys.modules.keys()), "objects": objects}
    print(json.dumps([path, found | {"collected_at": gc.get_threshold()[0]}]), flush=True)
    os._exit(0)
"""
"""One process that has botocore already forks for each function: every one of them needs it."""


@pytest.fixture(scope="module")
def started() -> dict[str, dict[str, Any]]:
    """By function, what a start comes to: dear packages, objects, and when these are collected."""
    paths = [str(ROOT / "functions" / name) for name in FUNCTIONS]
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, json.dumps(paths), json.dumps(DEAR)],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(path).name: found for path, found in lines}


def _environment() -> dict[str, str]:
    """Every variable that the template sets; importing asks nobody for what they name."""
    functions: list[Any] = [
        one["Properties"]
        for one in template().values()
        if one["Type"] == "AWS::Serverless::Function"
    ]
    named = [name for one in functions for name in one.get("Environment", {}).get("Variables", {})]
    return {
        **dict.fromkeys(named, "https://milepost.example.org/000000000000/name"),
        "ACTIVITY_DAYS": "366",
        "DEAD_LETTERS": DEAD_LETTERS,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "POWERTOOLS_SERVICE_NAME": "milepost",
        "POWERTOOLS_METRICS_NAMESPACE": "Milepost/milepost",
        "PYTHONPATH": str(ROOT / "layers" / "core"),
    }


@pytest.mark.thorough
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_no_dear_package_that_it_is_not_known_to_need(
    function: str, started: dict[str, dict[str, Any]]
) -> None:
    too_many = set(started[function]["dear"]) - MAY_IMPORT.get(function, USUAL)
    assert not too_many, f"{function} pays for {too_many} at every cold start"


@pytest.mark.thorough
def test_the_webhook_loads_neither_pydantic_nor_anything_of_dynamodb(
    started: dict[str, dict[str, Any]],
) -> None:
    assert started["receive_webhook"]["dear"] == []


@pytest.mark.thorough
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_start_is_through_before_the_collector_would_look_through_it(
    function: str, started: dict[str, dict[str, Any]]
) -> None:
    assert started[function]["objects"] < started[function]["collected_at"]
