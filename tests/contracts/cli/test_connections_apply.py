"""``milepost connections`` against a stack's stores, as an operator calls it."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli.connections import commands
from cli.connections.signing_forms import is_signing_secret
from cli.connections.stored import SharedSecret, StoredSettings
from cli.main import app
from milepost.connections.aws.settings import ApiCredentials, ConnectionSettings
from milepost.connections.connection import SenderIdentity, UnusableConnection
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.endpoints.aws.endpoints import EndpointSecretsStore
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.notifications.notice import Channel
from milepost.orders.order import Kind
from milepost.providers.registry import REGISTRY
from milepost.webhooks.aws.secrets import SigningSecretsStore
from milepost.webhooks.receiver import UnknownWebhook
from milepost.webhooks.schemes import STANDARD_WEBHOOKS
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
    """Runs the command against the mocked account, and notes every write that reaches AWS."""

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
        return tuple(store.live(subscription_id, now=datetime.now(UTC)))

    def lose_signing_secrets(self) -> None:
        SESSION.client("secretsmanager").put_secret_value(
            SecretId=self._signing_arn, SecretString="{}"
        )

    def keep_endpoint_secret(self, subscription_id: str, secret: str) -> None:
        SharedSecret(SESSION.client("secretsmanager"), secret_id=self._endpoints_arn).change(
            lambda entries: entries.update({subscription_id: secret})
        )

    def text(self, connection_id: str) -> str | None:
        """What send_notice would find for the team's English mail of an acceptance."""
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
    """What the template would have made, and its outputs."""
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
    """CloudFormation's answer; the mocked account has all the services but this one."""
    if name != STACK:
        error = {"Code": "ValidationError", "Message": f"Stack with id {name} does not exist"}
        raise ClientError({"Error": error}, "DescribeStacks")
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"Stacks": [{"StackName": name, "Outputs": listed}]}


SESSION = boto3.Session(region_name="eu-central-1")
READS = re.compile(r"Get|List|Describe|Query")


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


@pytest.mark.thorough
def test_an_applied_file_is_what_the_functions_then_read(operator: Operator) -> None:
    result = operator.apply("--yes")

    assert result.exit_code == 0, result.output
    offergrid, rabot = (
        operator.settings.get("offergrid-home"),
        operator.settings.get("rabot-energy"),
    )
    assert offergrid.base_url == "https://api.offergrid.io"
    assert offergrid.requests_per_minute == 100
    assert rabot.token_url == "https://auth.rabot.example/connect/token"
    assert operator.credentials.get("offergrid-home") == {"api_key": "key-of-offergrid"}
    assert operator.credentials.get("rabot-energy")["client_secret"] == "secret-of-rabot"
    assert len(operator.signing_secrets("offergrid-home")) == 1


def test_each_connection_gets_one_schedule_that_starts_its_poll(operator: Operator) -> None:
    operator.apply("--yes")

    schedules = operator.schedules()
    assert set(schedules) == {"offergrid-home", "rabot-energy"}
    rabot = schedules["rabot-energy"]
    assert rabot["ScheduleExpression"] == "rate(1 hour)"
    assert rabot["Target"]["Arn"] == FUNCTION_ARN
    assert rabot["Target"]["RoleArn"] == ROLE_ARN
    assert json.loads(rabot["Target"]["Input"]) == {"connection": "rabot-energy"}
    assert rabot["Target"]["DeadLetterConfig"] == {"Arn": DEAD_LETTERS_ARN}
    assert rabot["FlexibleTimeWindow"]["Mode"] == "FLEXIBLE"


def test_subscriptions_of_the_file_are_kept_with_stable_ids(operator: Operator) -> None:
    operator.apply("--yes")

    found = {one.recipient: one for one in operator.subscriptions.all()}
    assert set(found) == {"sales@example.org", "late@example.org"}
    assert found["late@example.org"].kinds == frozenset({Kind.OVERDUE})
    assert found["late@example.org"].connections == frozenset({"rabot-energy"})
    assert {one.source for one in found.values()} == {"file"}


def test_a_second_apply_changes_nothing_and_writes_nothing(operator: Operator) -> None:
    operator.apply("--yes")
    first = operator.signing_secrets("offergrid-home")

    result = operator.apply("--yes")

    assert result.exit_code == 0
    assert "Nothing to change." in result.output
    assert operator.writes == []
    assert operator.signing_secrets("offergrid-home") == first


def test_a_dry_run_shows_the_difference_and_writes_nothing(operator: Operator) -> None:
    result = operator.apply("--dry-run")

    assert result.exit_code == 0
    assert "+ offergrid-home is added" in result.output
    assert operator.writes == []
    assert operator.schedules() == {}


def test_a_changed_field_is_shown_before_and_after(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(FILE.replace("poll: 1 hour", "poll: 5 minutes\n    page_size: 50"))

    result = operator.apply("--json")

    told = json.loads(result.stdout)
    assert told["applied"] is True
    assert told["connections"] == [
        {
            "id": "rabot-energy",
            "change": "changed",
            "fields": [
                {"field": "page_size", "before": "100", "after": "50"},
                {"field": "poll", "before": "1 hour", "after": "5 minutes"},
            ],
        }
    ]
    assert operator.settings.get("rabot-energy").page_size == 50
    assert operator.schedules()["rabot-energy"]["ScheduleExpression"] == "rate(5 minutes)"


def test_no_secret_is_ever_printed_by_apply_or_list(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = operator.apply("--yes")
    monkeypatch.setenv("RABOT_SECRET", "another-secret")
    changed = operator.apply("--yes")
    listed = operator.run("list")
    listed_as_json = operator.run("list", "--json")

    assert "credentials.client_secret  stored → changed" in changed.output
    output = "".join(one.output for one in (added, changed, listed, listed_as_json))
    secrets = ["key-of-offergrid", "secret-of-rabot", "another-secret", "whsec_"]
    assert [one for one in secrets if one in output] == []


def test_a_connection_that_left_the_file_is_left_alone(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(FILE_WITHOUT_RABOT)

    result = operator.apply("--yes")

    assert "rabot-energy is not in the file, left alone" in result.output
    assert "rabot-energy" in operator.settings.all()
    assert "rabot-energy" in operator.schedules()


def test_pruning_removes_all_that_belongs_to_a_connection(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(FILE_WITHOUT_RABOT)

    result = operator.apply("--yes", "--prune")

    assert "- rabot-energy is removed" in result.output
    assert set(operator.settings.all()) == {"offergrid-home"}
    assert set(operator.schedules()) == {"offergrid-home"}
    assert operator.credentials.get("rabot-energy") == {}
    assert operator.credentials.get("offergrid-home") == {"api_key": "key-of-offergrid"}


def test_a_subscription_to_what_is_pruned_is_refused(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(FILE_WITHOUT_RABOT + "subscriptions:" + FILE.partition("subscriptions:")[2])

    kept, pruned = operator.apply("--yes"), operator.apply("--yes", "--prune")

    assert kept.exit_code == 0
    assert pruned.exit_code == 2
    assert "subscriptions[1].connections[0]: there is no connection rabot-energy" in pruned.output
    assert "rabot-energy" in operator.settings.all()


@pytest.mark.thorough
def test_only_subscriptions_from_a_file_go_when_they_leave_it(operator: Operator) -> None:
    operator.apply("--yes")
    sales = next(
        one for one in operator.subscriptions.all() if one.recipient == "sales@example.org"
    )
    _put_subscription_by_hand("person-1")
    operator.declare(FILE.split("subscriptions:", maxsplit=1)[0])

    left_alone = operator.apply("--yes")
    assert "the subscription of sales@example.org is not in the file" in left_alone.output
    operator.apply("--yes", "--prune")

    assert [one.id for one in operator.subscriptions.all()] == ["person-1"]
    assert sales.id.startswith("file-")


@pytest.mark.thorough
def test_who_unsubscribed_is_not_subscribed_again_by_the_file(operator: Operator) -> None:
    operator.apply("--yes")
    sales = next(
        one for one in operator.subscriptions.all() if one.recipient == "sales@example.org"
    )
    operator.subscriptions.end(sales.id, reason="unsubscribed on 2026-03-04")
    operator.declare(
        FILE.replace("email: sales@example.org", "email: sales@example.org\n    language: de")
    )

    operator.apply("--yes")

    kept = operator.subscriptions.get(sales.id)
    assert kept is not None
    assert kept.language == "de"
    assert kept.ended == "unsubscribed on 2026-03-04"


@pytest.mark.thorough
def test_an_apply_that_broke_off_is_completed_by_the_next_one(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(
            "cli.connections.schedules.PollSchedules.put", _raise(ConnectionError("cable pulled"))
        )
        assert operator.apply("--yes").exit_code != 0
    assert operator.schedules() == {}
    signing = operator.signing_secrets("offergrid-home")

    result = operator.apply("--yes")

    assert result.exit_code == 0, result.output
    assert set(operator.schedules()) == {"offergrid-home", "rabot-energy"}
    assert operator.signing_secrets("offergrid-home") == signing


def test_entries_that_others_wrote_into_a_shared_secret_stay(operator: Operator) -> None:
    arn = operator.credentials_arn
    theirs = {"other-team": {"api_key": "theirs"}}
    SESSION.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(theirs))

    operator.apply("--yes")

    assert operator.credentials.get("other-team") == {"api_key": "theirs"}
    assert operator.credentials.get("offergrid-home") == {"api_key": "key-of-offergrid"}


@pytest.mark.thorough
def test_apply_says_which_connections_don_t_tell_customers_who_writes(operator: Operator) -> None:
    notifying = FILE.replace("poll: 1 hour\n", "poll: 1 hour\n    customer_notices: [accepted]\n")
    operator.declare(notifying)
    nobody = operator.apply("--dry-run")
    operator.declare(notifying + "sender: {company: Example GmbH}\n")
    no_law = operator.apply("--dry-run")
    operator.declare(notifying + "sender: {company: Example GmbH, legal: HRB 1}\n")
    whole = operator.apply()

    assert "rabot-energy: its customers get mails, but no sender says who" in nobody.stderr
    assert "rabot-energy: its sender has no legal line, which the law wants in DE" in no_law.stderr
    assert "sender" not in whole.stderr
    said = SenderIdentity(company="Example GmbH", legal="HRB 1")
    for name in ("rabot-energy", "offergrid-home"):
        assert operator.settings.get(name).sender == said


@pytest.mark.thorough
def test_credentials_that_are_stored_already_need_not_be_in_the_file(operator: Operator) -> None:
    refused = FILE.replace("    credentials: {api_key: env:OFFERGRID_KEY}\n", "")
    operator.declare(refused)
    first = operator.apply("--yes")
    assert first.exit_code == 2
    assert "milepost connections secret set offergrid-home api_key" in first.output

    stored = operator.run("secret", "set", "offergrid-home", "api_key", given="typed-in\n")
    second = operator.apply("--yes")

    assert (stored.exit_code, second.exit_code) == (0, 0)
    assert operator.credentials.get("offergrid-home") == {"api_key": "typed-in"}


@pytest.mark.thorough
def test_an_id_keeps_its_provider(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(
        FILE.replace("provider: offergrid", "provider: spirii\n    base_url: https://s.example")
    )

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert "give the account at spirii an id of its own" in result.output


@pytest.mark.thorough
def test_polling_that_is_switched_off_ends_its_schedule(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(FILE.replace("poll: 1 hour", "poll: off"))

    operator.apply("--yes")

    assert set(operator.schedules()) == {"offergrid-home"}


@pytest.mark.thorough
def test_a_schedule_that_somebody_paused_is_started_again(operator: Operator) -> None:
    operator.apply("--yes")
    paused = dict(operator.schedules()["rabot-energy"])
    names = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    SESSION.client("scheduler").update_schedule(
        **{name: paused[name] for name in names}, State="DISABLED"
    )

    result = operator.apply("--yes")

    assert "1 hour (paused) → 1 hour" in result.output
    assert operator.schedules()["rabot-energy"]["State"] == "ENABLED"


@pytest.mark.thorough
def test_webhooks_that_are_switched_off_lose_their_secret(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(
        FILE.replace("provider: offergrid", "provider: offergrid\n    webhooks: false")
    )

    operator.apply("--yes")

    listed = json.loads(operator.run("list", "--json").stdout)
    assert [one["webhook_url"] for one in listed] == [None, None]


@pytest.mark.thorough
def test_a_rotation_keeps_both_secrets_live_until_it_is_finished(operator: Operator) -> None:
    operator.apply("--yes")
    (old,) = operator.signing_secrets("offergrid-home")

    rotated = operator.run("secret", "rotate", "offergrid-home", "--json")
    new, previous = operator.signing_secrets("offergrid-home")
    again = operator.run("secret", "rotate", "offergrid-home")
    finished = operator.run("secret", "rotate", "offergrid-home", "--finish")

    assert json.loads(rotated.stdout)["secrets"] == [new, old]
    assert previous == old
    assert new != old
    assert again.exit_code == 1
    assert "is under way" in again.output
    assert finished.exit_code == 0
    assert operator.signing_secrets("offergrid-home") == (new,)


@pytest.mark.thorough
def test_an_apply_during_a_rotation_leaves_the_rotation_alone(operator: Operator) -> None:
    operator.apply("--yes")
    operator.run("secret", "rotate", "offergrid-home")
    live = operator.signing_secrets("offergrid-home")

    result = operator.apply("--yes")

    assert "Nothing to change." in result.output
    assert operator.signing_secrets("offergrid-home") == live


@pytest.mark.thorough
def test_the_provider_s_own_signing_secret_is_read_from_standard_input(operator: Operator) -> None:
    operator.apply("--yes")
    (old,) = operator.signing_secrets("offergrid-home")

    result = operator.run("secret", "set", "offergrid-home", "signing", given=SIGNING_SECRET + "\n")
    shown = operator.run("secret", "show", "offergrid-home")

    assert result.exit_code == 0
    assert operator.signing_secrets("offergrid-home") == (SIGNING_SECRET, old)
    assert shown.stdout.splitlines() == [f"current   {SIGNING_SECRET}", f"previous  {old}"]


@pytest.mark.thorough
def test_what_is_no_signing_secret_is_refused(operator: Operator) -> None:
    operator.apply("--yes")
    before = operator.signing_secrets("offergrid-home")

    result = operator.run("secret", "set", "offergrid-home", "signing", given="whsec_not base64\n")

    assert result.exit_code == 2
    assert operator.signing_secrets("offergrid-home") == before


@pytest.mark.thorough
def test_the_list_fits_eighty_columns_and_names_where_webhooks_go(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    operator.apply("--yes")

    lines = operator.run("list").stdout.splitlines()

    table = [line for line in lines if "takes webhooks at" not in line]
    assert max(map(len, table)) <= 80
    assert any(re.match(r"rabot-energy +rabot +1 hour .*no webhooks", one) for one in table)
    assert f"offergrid-home takes webhooks at {API_URL}/webhooks/offergrid-home" in lines


def test_a_stack_that_is_not_there_is_said_with_its_region(operator: Operator) -> None:
    result = operator.apply("--stack", "milepost-elsewhere")

    assert result.exit_code == 1
    assert "There is no stack milepost-elsewhere in eu-central-1." in result.output


def test_a_secret_that_stands_in_the_file_is_refused_for_a_real_stack(operator: Operator) -> None:
    operator.declare(FILE.replace("env:OFFERGRID_KEY", "key-in-clear"))

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert "connections[0] (offergrid-home).credentials.api_key" in result.output
    assert "key-in-clear" not in result.output


def test_an_endpoint_is_subscribed_with_a_secret_of_its_own(operator: Operator) -> None:
    operator.declare(FILE_WITH_ENDPOINT)

    result = operator.apply("--yes")

    (crm,) = [one for one in operator.subscriptions.all() if one.channel is Channel.HTTPS]
    assert crm.recipient == "https://crm.example.com/hooks?token=t0ps3cret"
    assert (crm.owner, crm.kinds) == ("ops@example.org", frozenset({Kind.REJECTED}))
    secret = operator.endpoint_secret(crm.id) or ""
    assert is_signing_secret(STANDARD_WEBHOOKS, secret)
    assert "+ subscription of https://crm.example.com/hooks is added" in result.output
    assert "t0ps3cret" not in result.output
    assert secret not in result.output


@pytest.mark.thorough
def test_an_endpoint_s_secret_stays_through_a_second_apply(operator: Operator) -> None:
    operator.declare(FILE_WITH_ENDPOINT)
    operator.apply("--yes")
    (crm,) = [one for one in operator.subscriptions.all() if one.channel is Channel.HTTPS]
    first = operator.endpoint_secret(crm.id)

    again = operator.apply("--yes")
    assert "Nothing to change." in again.output
    assert operator.writes == []

    operator.declare(FILE_WITH_ENDPOINT.replace("kinds: [rejected]", "kinds: [completed]"))
    operator.apply("--yes")
    assert operator.endpoint_secret(crm.id) == first


@pytest.mark.thorough
def test_an_endpoint_s_secret_can_be_named_and_changed(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_SECRET", SIGNING_SECRET)
    operator.declare(FILE_WITH_ENDPOINT)
    operator.apply("--yes")
    (crm,) = [one for one in operator.subscriptions.all() if one.channel is Channel.HTTPS]
    first = operator.endpoint_secret(crm.id)
    operator.declare(FILE_WITH_ENDPOINT + "    secret: env:CRM_SECRET\n")

    result = operator.apply("--yes")

    # The endpoint may change over later, so the old secret signs as well for a day.
    assert operator.endpoint_secrets(crm.id) == (SIGNING_SECRET, first)
    assert "Nothing to change." in operator.apply("--yes").output
    assert "secret  stored → changed" in result.output
    assert SIGNING_SECRET not in result.output


@pytest.mark.thorough
def test_an_endpoint_that_leaves_the_file_takes_its_secret_along(operator: Operator) -> None:
    operator.declare(FILE_WITH_ENDPOINT)
    operator.apply("--yes")
    (crm,) = [one for one in operator.subscriptions.all() if one.channel is Channel.HTTPS]
    operator.declare(FILE)

    operator.apply("--yes", "--prune")

    assert operator.subscriptions.get(crm.id) is None
    assert operator.endpoint_secret(crm.id) is None


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://crm.example.com/hooks", "refused: not https"),
        ("https://10.1.2.3/hooks", "refused: private address"),
        ("https://[::ffff:169.254.169.254]/", "refused: metadata address"),
        ("https://localhost:8443/hooks", "refused: loopback address"),
    ],
)
def test_a_deployed_stack_subscribes_public_endpoints_alone(
    operator: Operator, url: str, said: str
) -> None:
    operator.declare(f"{FILE}  - {{url: '{url}', owner: ops@example.org}}\n")

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert f"connections.yaml:16: subscriptions[2].url: {said}" in result.output
    assert operator.writes == []


@pytest.mark.thorough
def test_a_text_of_a_connection_s_own_is_what_is_sent_until_it_leaves_the_file(
    operator: Operator,
) -> None:
    operator.keep_text(TEXT)
    operator.declare(FILE_WITH_TEXT)
    added = operator.apply("--yes")
    assert "templates.accepted.team.en  stored" in added.output
    assert (operator.text("offergrid-home"), operator.text("rabot-energy")) == (TEXT, None)

    again = operator.apply("--yes")
    assert "Nothing to change." in again.output
    assert operator.writes == []

    operator.keep_text(TEXT.replace("well", "very well"))
    operator.apply("--yes")
    assert "very well" in (operator.text("offergrid-home") or "")

    operator.declare(FILE)
    operator.apply("--yes")
    assert operator.text("offergrid-home") is None


@pytest.mark.thorough
def test_texts_go_with_a_connection_that_is_pruned(operator: Operator) -> None:
    operator.keep_text(TEXT)
    operator.declare(FILE_WITH_TEXT)
    operator.apply("--yes")
    rabot = "  - id: rabot-energy" + FILE.partition("  - id: rabot-energy")[2]
    operator.declare(f"connections:\n{rabot}")

    operator.apply("--yes", "--prune")

    assert operator.text("offergrid-home") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT.replace("reference", "referense"), ":2: connections[0] (offergrid-home).templates"),
        (TEXT.replace("reference }}", "reference }"), "accepted.j2:2:"),
        ("Hello", "begin with {% extends layout %}"),
    ],
)
def test_a_broken_text_is_refused_with_its_own_line_and_nothing_is_written(
    operator: Operator, text: str, said: str
) -> None:
    operator.keep_text(text)
    operator.declare(FILE_WITH_TEXT)

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert said in result.output
    assert operator.writes == []


def test_a_text_that_is_not_there_or_that_nobody_gets_is_refused(operator: Operator) -> None:
    operator.keep_text(TEXT)
    operator.declare(
        FILE_WITH_TEXT.replace(
            "{team: {en: texts/accepted.j2}}",
            "{team: {en: texts/missing.j2}}, overdue: {customer: {en: texts/accepted.j2}}",
        )
    )

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert "texts/missing.j2 can't be read: No such file or directory" in result.output
    assert "there is no mail of kind overdue for the customer" in result.output


def test_texts_are_read_again_after_five_minutes(operator: Operator) -> None:
    operator.keep_text(TEXT)
    operator.declare(FILE_WITH_TEXT)
    times = iter([0.0, 0.0, 299.0, 301.0, 301.0])
    table = OverridesTable(
        SESSION.client("dynamodb"), table_name="notices", clock=lambda: next(times)
    )
    place = ("offergrid-home", "accepted", "team", "en")

    before = table.get(*place)
    operator.apply("--yes")

    assert (before, table.get(*place), table.get(*place)) == (None, None, TEXT)


def _put_subscription_by_hand(subscription_id: str) -> None:
    SESSION.client("dynamodb").put_item(
        TableName="notices",
        Item={
            "pk": {"S": "subscriptions"},
            "sk": {"S": subscription_id},
            "recipient": {"S": "person@example.org"},
        },
    )


def _raise(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "value", ["key\r\nX-Evil: 1", "key\x00", "schl\u00fcssel\u20ac", "key\x7fend", "a\u2028b"]
)
def test_a_credential_that_no_header_carries_is_refused_when_it_is_set(
    value: str, operator: Operator
) -> None:
    operator.apply("--yes")
    before = operator.credentials.get("offergrid-home")

    result = operator.run("secret", "set", "offergrid-home", "api_key", given=value)

    assert result.exit_code == 2
    assert "an HTTP header carries no line breaks" in result.output
    assert "Evil" not in result.output
    assert operator.credentials.get("offergrid-home") == before


def test_a_file_whose_credential_no_header_carries_is_refused_with_its_line(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFERGRID_KEY", "key\nof two lines")

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert "api_key: can't be sent in an HTTP header" in result.output
    assert "two lines" not in result.output
    assert operator.writes == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("size", "code"), [(23, 2), (24, 0), (64, 0), (65, 2)])
def test_a_signing_secret_has_24_to_64_bytes(size: int, code: int, operator: Operator) -> None:
    operator.apply("--yes")
    secret = "whsec_" + b64encode(b"k" * size).decode()

    result = operator.run("secret", "set", "offergrid-home", "signing", given=secret)

    assert result.exit_code == code
    assert (secret in operator.signing_secrets("offergrid-home")) is (code == 0)


def test_settings_that_cannot_be_used_are_written_again_by_the_next_apply(
    operator: Operator,
) -> None:
    operator.apply("--yes")
    ssm, path = SESSION.client("ssm"), f"/{STACK}/connections/offergrid-home"
    ssm.put_parameter(Name=path, Value="{", Type="String", Overwrite=True)
    with pytest.raises(UnusableConnection):
        operator.settings.get("offergrid-home")
    assert "the settings of offergrid-home can't be used" in operator.run("list").output

    assert operator.apply("--yes").exit_code == 0

    assert operator.settings.get("offergrid-home").provider == "offergrid"


# ---- somebody else writes between the comparison and the answer


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has something done while the next apply waits for its answer, which is yes."""

    def arrange(act: Any) -> None:
        acts = [act]

        def agreed(_: Any) -> bool:
            while acts:
                acts.pop()()
            return True

        monkeypatch.setattr("cli.connections.commands._agreed", agreed)

    return arrange


@pytest.mark.thorough
def test_a_connection_that_is_pruned_meanwhile_is_not_revived(
    operator: Operator, meanwhile: Any
) -> None:
    operator.apply("--yes")
    operator.declare(FILE.replace("poll: 1 hour", "poll: 2 hours"))
    theirs = operator.file.parent / "theirs.yaml"
    theirs.write_text(FILE_WITHOUT_RABOT)
    meanwhile(lambda: operator.run("apply", str(theirs), "--yes", "--prune"))

    result = operator.apply()

    assert result.exit_code == 1
    assert "changed since it was compared: run apply again" in " ".join(result.output.split())
    assert set(operator.schedules()) == {"offergrid-home"}
    again = operator.apply("--dry-run").output
    assert "rabot-energy is added" in again


@pytest.mark.thorough
def test_a_signing_secret_that_changed_meanwhile_is_neither_replaced_nor_made_again(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.apply("--yes")
    operator.declare(
        FILE.replace("provider: offergrid\n", "provider: offergrid\n    poll: 1 hour\n")
    )
    put = StoredSettings.put

    def put_and_lose_the_secret(self: Any, connection: Any) -> None:
        put(self, connection)
        operator.lose_signing_secrets()

    monkeypatch.setattr(StoredSettings, "put", put_and_lose_the_secret)
    result = operator.apply("--yes")

    assert result.exit_code == 1
    assert "the signing secret of offergrid-home changed" in " ".join(result.output.split())
    with pytest.raises(UnknownWebhook):
        operator.signing_secrets("offergrid-home")


def test_secrets_of_another_files_endpoints_stay(operator: Operator) -> None:
    operator.declare(FILE_WITH_ENDPOINT)
    operator.apply("--yes")
    operator.keep_endpoint_secret("file-of-another", SIGNING_SECRET)
    operator.declare(FILE)

    operator.apply("--yes", "--prune")

    assert operator.endpoint_secret("file-of-another") == SIGNING_SECRET


@pytest.mark.thorough
@pytest.mark.parametrize("answered", ["at the question", "--yes"])
def test_a_credential_that_a_colleague_sets_meanwhile_is_not_put_back(
    answered: str, operator: Operator, meanwhile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.apply("--yes")
    monkeypatch.setenv("RABOT_SECRET", "a secret of last week")
    arguments = ("secret", "set", "rabot-energy", "client_secret")

    def set_theirs() -> None:
        assert operator.run(*arguments, given="the new secret").exit_code == 0

    if answered == "--yes":
        compare = commands.compare

        def compare_and_meet(*args: Any, **more: Any) -> Any:
            monkeypatch.setattr(commands, "compare", compare)
            found = compare(*args, **more)
            set_theirs()
            return found

        monkeypatch.setattr(commands, "compare", compare_and_meet)
    else:
        meanwhile(set_theirs)

    result = operator.apply(*(["--yes"] if answered == "--yes" else []))

    assert result.exit_code == 1
    assert re.search(
        r"What this stack has stored \(at 20[-0-9T:]{14}Z\) changed since it was compared: run"
        r" apply again",
        " ".join(result.output.split()),
    )
    assert operator.credentials.get("rabot-energy")["client_secret"] == "the new secret"


@pytest.mark.thorough
def test_a_credential_that_is_changed_by_other_means_while_it_is_applied_is_not_put_back(
    operator: Operator, meanwhile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.apply("--yes")
    monkeypatch.setenv("RABOT_SECRET", "a secret of last week")
    secrets = SESSION.client("secretsmanager")
    entry = {"client_id": "id-of-rabot", "client_secret": "of the console"}
    meanwhile(
        lambda: SharedSecret(secrets, secret_id=operator.credentials_arn).change(
            lambda entries: entries.update({"rabot-energy": entry})
        )
    )

    result = operator.apply()

    assert result.exit_code == 1
    assert "the credentials of rabot-energy changed since" in " ".join(result.output.split())
    assert operator.credentials.get("rabot-energy")["client_secret"] == "of the console"


@pytest.mark.thorough
@pytest.mark.parametrize("theirs", ["apply", "rotate"])
def test_while_somebody_applies_nobody_else_changes_what_is_declared(
    theirs: str, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.apply("--yes")
    before = operator.signing_secrets("offergrid-home")
    operator.declare(FILE.replace("poll: 1 hour", "poll: 2 hours"))
    put, answers = StoredSettings.put, list[Result]()

    def put_and_meet(self: Any, connection: Any) -> None:
        monkeypatch.setattr(StoredSettings, "put", put)
        answers.append(
            operator.apply("--yes")
            if theirs == "apply"
            else operator.run("secret", "rotate", "offergrid-home")
        )
        put(self, connection)

    monkeypatch.setattr(StoredSettings, "put", put_and_meet)

    assert operator.apply("--yes").exit_code == 0
    (answer,) = answers
    assert answer.exit_code == 1
    said = " ".join(answer.output.split())
    assert "Somebody else is changing the connections of this stack now" in said
    assert operator.signing_secrets("offergrid-home") == before
    assert operator.settings.get("rabot-energy").poll_minutes == 120
    assert operator.apply("--yes").exit_code == 0, "once it is done, others may"


@pytest.mark.thorough
def test_an_apply_that_breaks_off_can_be_repeated_at_once(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = StoredSettings.put

    def fail(_: Any, connection: Any) -> None:
        raise ClientError({"Error": {"Code": "Throttling", "Message": connection.id}}, "Put")

    monkeypatch.setattr(StoredSettings, "put", fail)
    assert operator.apply("--yes").exit_code != 0
    monkeypatch.setattr(StoredSettings, "put", put)
    assert operator.apply("--yes").exit_code == 0
    assert operator.settings.get("rabot-energy").poll_minutes == 60
