"""``milepost connections apply`` against a stack's stores, as an operator calls it."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.connections.stored_state import StoredSettings
from milepost.connections.connection import SenderIdentity, UnusableConnection
from tests.contracts.cli.operator import (
    API_URL,
    DEAD_LETTERS_ARN,
    FILE,
    FILE_WITHOUT_RABOT,
    FUNCTION_ARN,
    ROLE_ARN,
    SESSION,
    STACK,
    Operator,
)


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


def test_a_connection_that_left_the_file_is_left_alone(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(FILE_WITHOUT_RABOT)

    result = operator.apply("--yes")

    assert "rabot-energy is not in the file and is not changed" in result.output
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


@pytest.mark.thorough
def test_apply_says_which_connections_don_t_tell_customers_who_writes(operator: Operator) -> None:
    notifying = FILE.replace("poll: 1 hour\n", "poll: 1 hour\n    customer_notices: [accepted]\n")
    operator.declare(notifying)
    nobody = operator.apply("--dry-run")
    operator.declare(notifying + "sender: {company: Example GmbH}\n")
    no_law = operator.apply("--dry-run")
    operator.declare(notifying + "sender: {company: Example GmbH, legal: HRB 1}\n")
    whole = operator.apply()

    assert "rabot-energy: its customers get mails, but no sender is set" in nobody.stderr
    no_line = "its sender has no legal line, which the law requires in DE"
    assert f"rabot-energy: {no_line}" in no_law.stderr
    assert "sender" not in whole.stderr
    said = SenderIdentity(company="Example GmbH", legal="HRB 1")
    for name in ("rabot-energy", "offergrid-home"):
        assert operator.settings.get(name).sender == said


@pytest.mark.thorough
def test_an_id_keeps_its_provider(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(
        FILE.replace("provider: offergrid", "provider: spirii\n    base_url: https://s.example")
    )

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert "give the account at spirii another id" in result.output


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


def _raise(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


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
    assert "changed since the comparison: run apply again" in " ".join(result.output.split())
    assert set(operator.schedules()) == {"offergrid-home"}
    again = operator.apply("--dry-run").output
    assert "rabot-energy is added" in again


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
