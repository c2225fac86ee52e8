"""The command ``milepost`` against the account in memory, and files of connections to apply."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final
from unittest.mock import patch

import boto3
from typer.testing import CliRunner

from cli.main import app as command
from cli.stack import Stack as CommandStack
from tests.stack import CONNECTIONS_PATH, Stack, aws

HOME: Final = "offergrid-home"
CHARGE: Final = "spirii-charge"
EXTRA: Final = "offergrid-extra"
"""A connection that people apply and remove."""
OWNER: Final = "owner@example.org"


class HereStack(CommandStack):
    """The account in memory, as the command finds a stack."""

    def client(self, service: str) -> Any:
        return aws(service)

    @property
    def is_local(self) -> bool:
        return True


def command_stack(stack: Stack) -> HereStack:
    made = stack.resources
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:poll-orders"
    outputs = {
        "ConnectionsPath": CONNECTIONS_PATH,
        "SigningSecretsArn": made["SigningSecrets"],
        "ApiCredentialsArn": made["ApiCredentials"],
        "EndpointSecretsArn": made["EndpointSecrets"],
        "NoticesTable": made["NoticesTable"],
        "ActivityTable": made["ActivityTable"],
        "ActivityDays": "366",
        "OrdersTable": made["OrdersTable"],
        "EmailQueueUrl": made["EmailQueue"],
        "EndpointQueueUrl": made["EndpointQueue"],
        "PollSchedulesGroup": made["PollSchedules"],
        "PollOrdersFunctionArn": arn,
        "PollSchedulesRoleArn": "arn:aws:iam::123456789012:role/polls",
        "FailedInvocationsArn": "arn:aws:sqs:eu-central-1:123456789012:failed-invocations",
    }
    return HereStack(
        name="here",
        region="eu-central-1",
        outputs=outputs,
        api_url="https://api.example.org",
        session=boto3.Session(region_name="eu-central-1"),
    )


_PLACES: Final = (
    "cli.connections.commands.find_stack",
    "cli.connections.secret_commands.find_stack",
    "cli.subscriptions.commands.find_stack",
    "cli.notices.resending.find_stack",
    "cli.providers.commands.find_stack",
)


_CLOCKS: Final = (
    "cli.activity.recording.datetime",
    "cli.connections.apply.datetime",
    "cli.connections.apply_lock.datetime",
    "cli.notices.resending.datetime",
    "cli.subscriptions.commands.datetime",
)


def run_command(
    stack: Stack, *words: str, clock: type[datetime], given: str | None = None
) -> tuple[int, str]:
    """Run the command as a person does; its exit code and what it says.

    :param clock: the functions' one: a lease of the command's would have ended for them, or would
        not have begun, if its machine showed another time
    """
    target = command_stack(stack)
    with ExitStack() as patched:
        for place in _CLOCKS:
            patched.enter_context(patch(place, clock))
        for place in _PLACES:
            patched.enter_context(patch(place, lambda _: target))
        result = CliRunner().invoke(command, list(words), input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@dataclass(frozen=True)
class File:
    """A file of connections: what the world has, with more of it or without."""

    url: Callable[[str], str]
    """Where a connection's provider is."""
    more: bool = False

    def write(self) -> str:
        declared: list[dict[str, Any]] = [
            {
                "id": HOME, "provider": "offergrid", "base_url": self.url(HOME),
                "time_zone": "Australia/Melbourne", "country": "AU",
                "customer_notices": ["accepted", "scheduled"], "poll": "5 minutes",
            },
            {
                "id": CHARGE, "provider": "spirii", "base_url": self.url(CHARGE), "poll": "1 hour",
                "tracking": {},
            },
        ]  # fmt: skip
        content: dict[str, Any] = {"connections": declared}
        if self.more:
            extra = {"id": EXTRA, "provider": "offergrid", "base_url": self.url(HOME)}
            declared.append({**extra, "credentials": {"api_key": "key-of-extra"}})
            declared[0]["page_size"] = 40
            content["subscriptions"] = [
                {"email": "file@example.org"},
                {"url": "https://crm.example.com/file", "owner": OWNER},
            ]
        path = Path(mkdtemp()) / "connections.yaml"
        path.write_text(json.dumps(content))
        return str(path)
