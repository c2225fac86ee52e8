"""An operator who runs ``milepost connections`` against a stack's stores."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from cli.connections.stored_state import SharedSecret
from cli.main import app
from milepost.connections.aws.settings import ApiCredentials, ConnectionSettings
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.endpoints.aws.endpoints import EndpointSecretsStore
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.providers.registry import REGISTRY
from milepost.webhooks.aws.secrets import SigningSecretsStore
from tests.stack import create_table

STACK = "milepost-test"


API_URL = "https://api123.execute-api.eu-central-1.amazonaws.com"


FUNCTION_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:milepost-test-poll-orders"


ROLE_ARN = "arn:aws:iam::123456789012:role/milepost-test-polls"


DEAD_LETTERS_ARN = "arn:aws:sqs:eu-central-1:123456789012:failed-invocations"


SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


FILE = """\
connections:
  - id: offergrid-home
    provider: offergrid
    credentials: {api_key: env:OFFERGRID_KEY}
  - id: rabot-energy
    provider: rabot
    base_url: https://api.rabot.example
    token_url: https://auth.rabot.example/connect/token
    poll: 1 hour
    credentials: {client_id: env:RABOT_ID, client_secret: env:RABOT_SECRET}
subscriptions:
  - email: sales@example.org
  - email: late@example.org
    kinds: [overdue]
    connections: [rabot-energy]
"""


FILE_WITH_ENDPOINT = (
    FILE
    + """\
  - url: https://crm.example.com/hooks?token=t0ps3cret
    owner: ops@example.org
    kinds: [rejected]
"""
)


FILE_WITH_TEXT = FILE.replace(
    "provider: offergrid\n",
    "provider: offergrid\n    templates: {accepted: {team: {en: texts/accepted.j2}}}\n",
)


TEXT = """\
{% extends layout %}
{% block subject %}Accepted: {{ reference }}{% endblock %}
{% block lead %}All is well.{% endblock %}
"""


FILE_WITHOUT_RABOT = FILE.split("  - id: rabot-energy", maxsplit=1)[0]


class Operator:
    """Runs the command against the mocked account, and records every write to AWS."""

    def __init__(self, directory: Path, outputs: Mapping[str, str]) -> None:
        self.file = directory / "connections.yaml"
        self.file.write_text(FILE)
        self.writes: list[str] = []
        self.settings = ConnectionSettings(
            SESSION.client("ssm"),
            path=outputs["ConnectionsPath"],
            clock=_always_later(),
            providers=REGISTRY,
        )
        secrets = SESSION.client("secretsmanager")
        self.credentials = ApiCredentials(
            secrets, secret_id=outputs["ApiCredentialsArn"], clock=_always_later()
        )
        self.credentials_arn = outputs["ApiCredentialsArn"]
        self._signing_arn = outputs["SigningSecretsArn"]
        self._endpoints_arn = outputs["EndpointSecretsArn"]
        self.subscriptions = SubscriptionsTable(
            SESSION.client("dynamodb"), table_name=outputs["NoticesTable"]
        )

    def run(self, *arguments: str, given: str | None = None) -> Result:
        self.writes.clear()
        return CliRunner().invoke(app, ["connections", *arguments], input=given)

    def apply(self, *arguments: str) -> Result:
        return self.run("apply", str(self.file), *arguments)

    def declare(self, text: str) -> None:
        self.file.write_text(text)

    def keep_text(self, text: str) -> None:
        path = self.file.parent / "texts" / "accepted.j2"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def signing_secrets(self, connection_id: str) -> tuple[str, ...]:
        store = SigningSecretsStore(SESSION.client("secretsmanager"), secret_id=self._signing_arn)
        return tuple(store.get(connection_id, now=0).secrets)

    def endpoint_secret(self, subscription_id: str) -> str | None:
        return next(iter(self.endpoint_secrets(subscription_id)), None)

    def endpoint_secrets(self, subscription_id: str) -> tuple[str, ...]:
        store = EndpointSecretsStore(
            SESSION.client("secretsmanager"), secret_id=self._endpoints_arn, clock=_always_later()
        )
        return tuple(store.active(subscription_id, now=datetime.now(UTC)))

    def lose_signing_secrets(self) -> None:
        SESSION.client("secretsmanager").put_secret_value(
            SecretId=self._signing_arn, SecretString="{}"
        )

    def keep_endpoint_secret(self, subscription_id: str, secret: str) -> None:
        SharedSecret(SESSION.client("secretsmanager"), secret_id=self._endpoints_arn).change(
            lambda entries: entries.update({subscription_id: secret})
        )

    def text(self, connection_id: str) -> str | None:
        """The template that send_notice would find for the team's English mail of an acceptance."""
        table = OverridesTable(
            SESSION.client("dynamodb"), table_name="notices", clock=_always_later()
        )
        return table.get(connection_id, "accepted", "team", "en")

    def schedules(self) -> dict[str, Mapping[str, Any]]:
        client = SESSION.client("scheduler")
        names = [one["Name"] for one in client.list_schedules(GroupName="polls")["Schedules"]]
        return {name: client.get_schedule(GroupName="polls", Name=name) for name in names}


def _always_later() -> Any:
    ticks = iter(range(0, 10**9, 1000))
    return lambda: float(next(ticks))


def _deploy() -> dict[str, str]:
    """The resources that the template would have created, and its outputs."""
    SESSION.client("scheduler").create_schedule_group(Name="polls")
    SESSION.client("dynamodb").create_table(
        TableName="notices",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    secrets = SESSION.client("secretsmanager")
    return {
        "ApiUrl": API_URL,
        "NoticesTable": "notices",
        "ActivityTable": create_table(SESSION.client("dynamodb"), "ActivityTable"),
        "ActivityDays": "366",
        "FiguresTable": create_table(SESSION.client("dynamodb"), "FiguresTable"),
        "SigningSecretsArn": secrets.create_secret(Name="signing", SecretString="{}")["ARN"],
        "ApiCredentialsArn": secrets.create_secret(Name="api", SecretString="{}")["ARN"],
        "EndpointSecretsArn": secrets.create_secret(Name="endpoints", SecretString="{}")["ARN"],
        "ConnectionsPath": f"/{STACK}/connections",
        "PollOrdersFunctionArn": FUNCTION_ARN,
        "PollSchedulesGroup": "polls",
        "PollSchedulesRoleArn": ROLE_ARN,
        "FailedInvocationsArn": DEAD_LETTERS_ARN,
    }


def _describe_stacks(name: str, outputs: Mapping[str, str]) -> Any:
    """CloudFormation's response; the mocked account has all services except this one."""
    if name != STACK:
        error = {"Code": "ValidationError", "Message": f"Stack with id {name} does not exist"}
        raise ClientError({"Error": error}, "DescribeStacks")
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"Stacks": [{"StackName": name, "Outputs": listed}]}


SESSION = boto3.Session(region_name="eu-central-1")


READS = re.compile(r"Get|List|Describe|Query")


def _put_subscription_by_hand(subscription_id: str) -> None:
    SESSION.client("dynamodb").put_item(
        TableName="notices",
        Item={
            "pk": {"S": "subscriptions"},
            "sk": {"S": subscription_id},
            "recipient": {"S": "person@example.org"},
        },
    )
