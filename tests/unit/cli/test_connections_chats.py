"""Chats in connections.yaml: by a reference, whose value is in no message and no difference."""

from pathlib import Path

import pytest

from cli.connections.desired_state import Wanted, require_possible, work_out
from cli.connections.difference import compare
from cli.connections.file import read_file
from cli.connections.stored_state import Stored
from cli.errors import InvalidFile
from milepost.notifications.chat.addresses import webhook_name
from milepost.notifications.notice import Channel
from tests.unit.cli.conftest import WriteFile
from tests.unit.cli.connection_files import entry

ADDRESS = "https://hooks.slack.com/services/T0/B0/SECRET"
NOTHING = Stored(settings={}, schedules={}, signing={}, credentials={}, subscriptions={})
SLACK = "  - slack: env:WEBHOOK\n    owner: it@example.org\n    mode: daily\n"


@pytest.fixture(autouse=True)
def _address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK", ADDRESS)


def wanted(path: Path) -> Wanted:
    file = read_file(path)
    secrets = file.read_secrets(literals=False)
    return work_out(file, secrets, {})


def test_a_chat_is_named_by_the_address_behind_its_reference(write_file: WriteFile) -> None:
    made = wanted(write_file(entry() + "subscriptions:\n" + SLACK))
    (one,) = made.subscriptions.values()
    assert (one.channel, one.recipient) == (Channel.SLACK, webhook_name(ADDRESS))
    assert made.endpoint_secrets == {one.id: ADDRESS}
    assert "SECRET" not in f"{made} {one}"
    difference = compare(made, NOTHING, prune=False, is_kept=lambda *_: True)
    (change,) = difference.subscriptions
    assert ("address", None, "from the file") in [
        (field.field, field.before, field.after) for field in change.fields
    ]
    assert "SECRET" not in str(difference)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("  - slack: env:MISSING\n    owner: it@example.org\n", "the environment has no MISSING"),
        (f"  - slack: {ADDRESS}\n    owner: it@example.org\n", "write env:NAME or file:PATH"),
        ("  - teams: env:WEBHOOK\n    owner: it@example.org\n", "not the host of an incoming"),
    ],
)
def test_what_leads_to_no_webhook_is_refused_without_quoting_it(
    write_file: WriteFile, lines: str, said: str
) -> None:
    with pytest.raises(InvalidFile) as refused:
        wanted(write_file(entry() + "subscriptions:\n" + lines))
    assert said in str(refused.value)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("  - slack: env:WEBHOOK\n", "needs owner: the address to tell when the chat"),
        (SLACK + "    secret: env:A\n", "secret is not for Slack"),
        ("  - {email: a@b.example, customer_names: true}\n", "customer_names is not for mails"),
        (SLACK + "    teams: env:WEBHOOK\n", "needs one of email"),
    ],
)
def test_settings_that_do_not_fit_a_chat_are_refused(
    write_file: WriteFile, lines: str, said: str
) -> None:
    with pytest.raises(InvalidFile, match=said):
        read_file(write_file(entry() + "subscriptions:\n" + lines))


def test_a_deployed_stack_posts_to_https_alone(
    write_file: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK", "http://127.0.0.1:9/SECRET")
    path = write_file(entry() + "subscriptions:\n" + SLACK)
    made = wanted(path)
    with pytest.raises(InvalidFile, match="not https") as refused:
        require_possible(read_file(path), made, NOTHING, prune=False, at_home=False)
    assert "SECRET" not in str(refused.value)
