"""What tests of the command share: a file in a directory of its own, and a stack to work on."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli.main import app
from tests.builders import OFFERGRID, RABOT, RETAIL
from tests.stack import CONNECTIONS_PATH, Context, Stack

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
    """A stack in moto, as the template declares it, and the command to steer it with."""

    stack: Stack

    def run(self, *arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=given)

    def invoke(self, function: str, payload: bytes) -> dict[str, Any]:
        """What Lambda answers: the function's own code, with what the template sets for it."""
        answer = self.stack.load(function).handler(json.loads(payload), Context())
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def outputs(self) -> dict[str, str]:
        names = ("NoticesTable", "OrdersTable")
        found = {name: self.stack.resources[name] for name in names}
        return found | {
            "ConnectionsPath": CONNECTIONS_PATH,
            "EmailQueueUrl": self.stack.resources["EmailQueue"],
            "EndpointSecretsArn": self.stack.resources["EndpointSecrets"],
            "ReleaseNoticesFunction": "release_notices",
        }


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MILEPOST_STACK", "milepost-test")
    monkeypatch.setattr("cli.stack.boto3.Session", lambda: SESSION)
    with mock_aws():
        made = Deployed(Stack())
        made.stack.apply(OFFERGRID, RETAIL, RABOT)
        send = BaseClient._make_api_call

        def answer(client: Any, operation: str, parameters: Any) -> Any:
            if operation == "DescribeStacks":
                outputs = made.outputs().items()
                listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs]
                return {"Stacks": [{"StackName": "milepost-test", "Outputs": listed}]}
            if operation == "Invoke":
                return made.invoke(parameters["FunctionName"], parameters["Payload"])
            return send(client, operation, parameters)

        monkeypatch.setattr(BaseClient, "_make_api_call", answer)
        yield made
