"""``milepost connections`` against a mocked account."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from moto import mock_aws

from tests.contracts.cli.operator import READS, SESSION, STACK, Operator, _deploy, _describe_stacks


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MILEPOST_STACK", STACK)
    # A session reads its service models once: a new one a command costs more than all the rest.
    monkeypatch.setattr("cli.stack.boto3.Session", lambda **_: SESSION)
    monkeypatch.setenv("OFFERGRID_KEY", "key-of-offergrid")
    monkeypatch.setenv("RABOT_ID", "id-of-rabot")
    monkeypatch.setenv("RABOT_SECRET", "secret-of-rabot")
    with mock_aws():
        outputs = _deploy()
        operator = Operator(tmp_path, outputs)
        send = BaseClient._make_api_call

        def note(client: Any, operation: str, parameters: Any) -> Any:
            if operation == "DescribeStacks":
                return _describe_stacks(parameters["StackName"], outputs)
            if not READS.match(operation):
                operator.writes.append(operation)
            return send(client, operation, parameters)

        monkeypatch.setattr(BaseClient, "_make_api_call", note)
        yield operator


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run something while the next apply waits for confirmation, which is then given."""

    def arrange(act: Any) -> None:
        acts = [act]

        def agreed(_: Any) -> bool:
            while acts:
                acts.pop()()
            return True

        monkeypatch.setattr("cli.connections.commands._agreed", agreed)

    return arrange
