"""``milepost connections``: signing secrets and credentials."""

import json
import re
from base64 import b64encode
from typing import Any

import pytest
from typer.testing import Result

from cli.connections import commands
from cli.connections.stored_state import SharedSecret, StoredSettings
from milepost.webhooks.receiver import UnknownWebhook
from tests.contracts.cli.operator import (
    FILE,
    SESSION,
    SIGNING_SECRET,
    Operator,
)


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


def test_entries_that_others_wrote_into_a_shared_secret_stay(operator: Operator) -> None:
    arn = operator.credentials_arn
    theirs = {"other-team": {"api_key": "theirs"}}
    SESSION.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(theirs))

    operator.apply("--yes")

    assert operator.credentials.get("other-team") == {"api_key": "theirs"}
    assert operator.credentials.get("offergrid-home") == {"api_key": "key-of-offergrid"}


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
    unasked = operator.run("secret", "rotate", "offergrid-home", "--finish")
    assert (unasked.exit_code, "pass --yes" in unasked.stderr) == (2, True)
    finished = operator.run("secret", "rotate", "offergrid-home", "--finish", "--yes")

    assert json.loads(rotated.stdout)["secrets"] == [new, old]
    assert previous == old
    assert new != old
    assert again.exit_code == 1
    assert "is in progress" in again.output
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


def test_a_secret_that_stands_in_the_file_is_refused_for_a_real_stack(operator: Operator) -> None:
    operator.declare(FILE.replace("env:OFFERGRID_KEY", "key-in-clear"))

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert "connections[0] (offergrid-home).credentials.api_key" in result.output
    assert "key-in-clear" not in result.output


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
    assert "an HTTP header can't contain line breaks" in result.output
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
        r"The stored settings \(at 20[-0-9T:]{14}Z\) changed since the comparison: run"
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
    assert "Somebody else is changing the connections of this stack:" in said
    assert operator.signing_secrets("offergrid-home") == before
    assert operator.settings.get("rabot-energy").poll_minutes == 120
    assert operator.apply("--yes").exit_code == 0, "once it is done, others may"
