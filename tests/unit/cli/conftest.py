"""Shared parts of tests of the command: a file in a directory of its own, and a stack."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli.main import app
from milepost.connections.connection import Connection
from milepost.orders.aws.table import OrdersTable
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import record
from milepost.orders.report import Report
from milepost.queries.aws.projector import MeasuredOrders
from milepost.queries.indexed_words import Indexing, indexed_words
from tests.builders import OFFERGRID, RABOT, RETAIL
from tests.stack import CONNECTIONS_PATH, SENDER, Context, Stack, aws
from tests.stream import Stream

WriteFile = Callable[[str], Path]
SESSION: Final = boto3.Session(region_name="eu-central-1")


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    """Writes connections.yaml and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "connections.yaml"
        path.write_text(text)
        return path

    return write


@dataclass
class Deployed:
    """A stack in moto, as the template declares it, and a command for it."""

    stack: Stack
    started: list[tuple[str, Any]] = field(default_factory=list)
    """Functions that were started without waiting for them, and with what."""
    functions: dict[str, ModuleType] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    """What AWS says to operations that moto knows nothing of."""

    def run(self, *arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=given)

    def say(self, *arguments: str) -> str:
        """The output of a successful command."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def tell(self, *arguments: str) -> Any:
        """The same, parsed as JSON."""
        return json.loads(self.say(*arguments, "--json"))

    def function(self, name: str) -> ModuleType:
        if name not in self.functions:
            self.functions[name] = self.stack.load(name)
            for handler in logging.getLogger("milepost").handlers:
                # In Lambda what it logs goes elsewhere than what the command prints.
                if isinstance(handler, logging.StreamHandler):
                    handler.setStream(io.StringIO())
        return self.functions[name]

    def invoke(self, function: str, payload: bytes) -> dict[str, Any]:
        """Lambda's response: that of the function's own code, with the template's variables."""
        answer = self.function(function).handler(json.loads(payload), Context())
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def keep(self, *reports: Report, connection: Connection = OFFERGRID) -> None:
        """Record reports, and count them like the stream."""
        table = OrdersTable(
            aws("dynamodb"), table_name=self.stack.resources["OrdersTable"], connection=connection
        )
        indexing = Indexing(country=connection.country)
        stream = Stream(Rules(), words_of=lambda order: indexed_words(order, indexing))
        for one in reports:
            record(one, orders=table, rules=Rules(), now=one.seen_at)
            stream.report(one)
        MeasuredOrders(
            aws("dynamodb"),
            figures_table=self.stack.resources["FiguresTable"],
            search_table=self.stack.resources["SearchTable"],
        ).take(stream.changes)

    def outputs(self) -> dict[str, str]:
        named = {
            "ApiUrl": "https://api.example.org",
            "ConnectionsPath": CONNECTIONS_PATH,
            "OrdersApiFunction": "orders_api",
            "ActivityDays": "366",
            "ReleaseNoticesFunction": "release_notices",
            "PollOrdersFunctionArn": f"{_FUNCTIONS}:poll_orders",
            "PollSchedulesRoleArn": "arn:aws:iam::123456789012:role/poll-schedules",
            "FailedInvocationsArn": "arn:aws:sqs:eu-central-1:123456789012:failed-invocations",
        }
        return named | {
            output: self.stack.resources[resource] for output, resource in _OUTPUTS.items()
        }


_STACK: Final = {
    "StackName": "milepost-test",
    "StackStatus": "UPDATE_COMPLETE",
    "Parameters": [{"ParameterKey": "SenderAddress", "ParameterValue": SENDER}],
}
_FUNCTIONS: Final = "arn:aws:lambda:eu-central-1:123456789012:function"
_OUTPUTS: Final = {
    "NoticesTable": "NoticesTable",
    "ActivityTable": "ActivityTable",
    "OrdersTable": "OrdersTable",
    "FiguresTable": "FiguresTable",
    "EmailQueueUrl": "EmailQueue",
    "EndpointQueueUrl": "EndpointQueue",
    "EndpointSecretsArn": "EndpointSecrets",
    "SigningSecretsArn": "SigningSecrets",
    "ApiCredentialsArn": "ApiCredentials",
    "PollSchedulesGroup": "PollSchedules",
}


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MILEPOST_STACK", "milepost-test")
    monkeypatch.setattr("cli.stack.boto3.Session", lambda **_: SESSION)
    with mock_aws():
        made = Deployed(Stack())
        made.stack.apply(OFFERGRID, RETAIL, RABOT)
        send = BaseClient._make_api_call

        def answer(client: Any, operation: str, parameters: Any) -> Any:
            if operation in made.answers:
                return made.answers[operation]
            if operation == "DescribeStacks":
                outputs = made.outputs().items()
                listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs]
                return {"Stacks": [{**_STACK, "Outputs": listed}]}
            if operation == "Invoke":
                name, payload = parameters["FunctionName"], parameters["Payload"]
                if parameters.get("InvocationType") == "Event":
                    made.started.append((name, json.loads(payload)))
                    return {"StatusCode": 202}
                return made.invoke(name, payload)
            return send(client, operation, parameters)

        monkeypatch.setattr(BaseClient, "_make_api_call", answer)
        yield made
