"""Quarantine, dead letters, replays and polls by the command."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest

from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.aws.activity import ContactsTable
from milepost.connections.poll_request import PollRequest
from milepost.polling.aws.lease import PollsTable
from tests.builders import NOON, OFFERGRID, RABOT, minute
from tests.stack import Context, aws
from tests.unit.cli.conftest import Deployed

pytestmark = pytest.mark.thorough

UNREADABLE = b'{"event": "order.status_changed"}'


@pytest.fixture
def kept(deployed: Deployed) -> str:
    """The id of something that is in the quarantine."""
    deliver(deployed, UNREADABLE)
    (one,) = deployed.tell("quarantine", "list")["items"]
    return str(one["id"])


def deliver(deployed: Deployed, body: bytes) -> None:
    """Have a webhook recorded that was accepted."""
    message = {
        "connection": OFFERGRID.id,
        "delivery_id": "msg-1",
        "received_at": NOON.timestamp(),
        "body": b64encode(body).decode(),
    }
    records = [{"messageId": "1", "body": json.dumps(message)}]
    answer = deployed.function("record_report").handler({"Records": records}, Context())
    assert answer == {"batchItemFailures": []}


# ---- quarantine


def test_the_quarantine_says_what_is_there_and_why(deployed: Deployed, kept: str) -> None:
    said = deployed.say("quarantine", "list")
    assert kept in said
    assert "not the expected Event" in " ".join(said.split())
    assert "2026-03-02 12:00" in said


def test_one_of_them_is_shown_byte_for_byte(deployed: Deployed, kept: str) -> None:
    assert deployed.run("quarantine", "show", kept, "--raw").stdout_bytes == UNREADABLE
    assert deployed.tell("quarantine", "show", kept)["text"] == UNREADABLE.decode()


def test_an_empty_quarantine_is_said_to_be_so(deployed: Deployed) -> None:
    assert deployed.say("quarantine", "list", "--since", "3d") == "The quarantine is empty.\n"


@pytest.mark.parametrize("command", [["quarantine", "replay"], ["replay"]])
def test_one_is_read_again_and_tells_nobody(
    deployed: Deployed, kept: str, command: list[str]
) -> None:
    deployed.say(*command, kept)
    (message,) = deployed.stack.messages("InboxQueue")
    assert (message["kept_as"], message["announce"]) == (kept, False)


def test_a_replay_may_tell_people(deployed: Deployed, kept: str) -> None:
    deployed.say("replay", kept, "--notices")
    assert deployed.stack.messages("InboxQueue")[0]["announce"]


def test_what_is_given_up_is_gone(deployed: Deployed, kept: str) -> None:
    asked_nobody = deployed.run("quarantine", "discard", kept)
    assert asked_nobody.exit_code == 2
    assert "--yes" in asked_nobody.output
    deployed.say("quarantine", "discard", kept, "--yes")
    gone = deployed.run("quarantine", "show", kept)
    assert gone.exit_code == 1


def test_nobody_is_asked_to_delete_or_lift_what_does_not_exist(deployed: Deployed) -> None:
    kept = f"{OFFERGRID.id}:2026-03-02:{'f' * 32}"
    nothing = deployed.run("quarantine", "discard", kept)
    assert nothing.exit_code == 1
    assert "--yes" not in nothing.output
    nobody = deployed.run("suppressions", "lift", "nope", "--yes")
    assert nobody.exit_code == 2
    assert "no email address" in nobody.output
    assert deployed.run("suppressions", "list", "--address", "nope").exit_code == 2


def test_a_message_that_is_not_in_the_queue_is_not_redriven_without_a_word(
    deployed: Deployed,
) -> None:
    done = deployed.run("redrive", "inbox", "nope")
    assert done.exit_code == 1
    assert "nope was not redriven: it was not found in the queue" in done.stderr


@pytest.mark.parametrize("columns", ["20", "80"])
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["orders", "list", "--status", "nope"], "Invalid value for '--status': 'nope' is not one"),
        (["orders", "list", "--nope"], "No such option: --nope"),
        (["orders", "show"], "Missing argument 'ORDER'"),
        (["--region", "eu-west-1"], "No such option: --region"),
        (["nope"], "No such command 'nope'"),
    ],
)
def test_wrong_usage_is_one_line_however_narrow_the_terminal(
    deployed: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    columns: str,
    command: list[str],
    said: str,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = deployed.run(*command)
    what, where = result.stderr.splitlines()
    assert result.exit_code == 2
    assert what.startswith(said)
    assert where.startswith(("Try 'milepost", "Try 'root"))


def test_a_connections_time_is_replayed_from_quarantine_and_provider(
    deployed: Deployed, kept: str
) -> None:
    told = deployed.tell("replay", "--connection", OFFERGRID.id, "--since", "2026-03-01T00:00:00Z")
    assert (told["replayed"], told["polled_since"]) == (1, None)
    deployed.stack.messages("InboxQueue")
    assert deployed.tell(
        "replay", "--connection", OFFERGRID.id, "--since", "2026-03-03T00:00:00Z"
    ) == {"replayed": 0, "polled_since": None, "request": None}


def test_a_polled_connection_is_asked_again_for_what_changed(deployed: Deployed) -> None:
    polled(deployed)
    since = "2026-03-01T00:00:00Z"
    told = deployed.tell("replay", "--connection", OFFERGRID.id, "--since", since)
    (request,) = pending(deployed)
    assert told == {"replayed": 0, "polled_since": since, "request": request.id}
    assert (request.since, request.announce) == (parse_instant(since), False)
    ((_, asked),) = deployed.started
    assert asked == {"connection": OFFERGRID.id}


@pytest.mark.parametrize(
    "asked", [[], ["ID", "--order", "x"], ["--order", "x", "--connection", "y"]]
)
def test_a_replay_is_of_one_thing(deployed: Deployed, asked: list[str]) -> None:
    assert deployed.run("replay", *asked).exit_code == 2


# ---- dead letters


def test_dead_letters_are_counted_shown_and_taken_up_again(deployed: Deployed) -> None:
    url = deployed.stack.resources["InboxDeadLetters"]
    aws("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"connection": OFFERGRID.id}))
    assert "inbox" in deployed.say("dead-letters", "list")
    waiting = {one["name"]: one["waiting"] for one in deployed.tell("dead-letters", "list")}
    assert waiting["inbox"] == 1
    (message,) = deployed.tell("dead-letters", "show", "inbox")["messages"]
    assert message["id"] in deployed.say("dead-letters", "show", "inbox")
    assert deployed.tell("redrive", "inbox") == {"moved": 1, "failed": [], "left": 0}
    assert deployed.stack.messages("InboxQueue") == [{"connection": OFFERGRID.id}]


def test_a_dead_letter_is_given_up(deployed: Deployed) -> None:
    url = deployed.stack.resources["EmailDeadLetters"]
    sent = aws("sqs").send_message(QueueUrl=url, MessageBody="{}")
    deployed.say("dead-letters", "discard", "email", sent["MessageId"], "--yes")
    assert deployed.tell("dead-letters", "show", "email")["messages"] == []
    again = deployed.run("dead-letters", "discard", "email", sent["MessageId"], "--yes")
    assert again.exit_code == 1


@pytest.mark.parametrize("queue", ["nope", "Email", "NOPE!", "e mail", "../email"])
@pytest.mark.parametrize("options", [[], ["--yes"]])
def test_a_queue_that_there_is_not_is_named_before_anything_is_asked_or_deleted(
    deployed: Deployed, queue: str, options: list[str]
) -> None:
    result = deployed.run("dead-letters", "discard", queue, "2f1c8a7e", *options)
    said = " ".join(result.output.split())
    assert result.exit_code == 1
    assert f"There is no dead-letter queue {queue}; there are: inbox, email" in said
    assert "confirm" not in said


def test_a_dead_letter_is_not_given_up_unasked(deployed: Deployed) -> None:
    url = deployed.stack.resources["EmailDeadLetters"]
    sent = aws("sqs").send_message(QueueUrl=url, MessageBody="{}")
    result = deployed.run("dead-letters", "discard", "email", sent["MessageId"])
    assert result.exit_code == 2
    assert "pass --yes" in " ".join(result.output.split())
    (message,) = deployed.tell("dead-letters", "show", "email")["messages"]
    assert message["id"] == sent["MessageId"]


def test_a_queue_that_there_is_not_is_named_with_those_that_there_are(deployed: Deployed) -> None:
    result = deployed.run("redrive", "nonsense")
    assert result.exit_code == 1
    assert "inbox, email" in result.output


# ---- connections


def polled(deployed: Deployed) -> None:
    """Let the connection be one that is polled."""
    deployed.stack.apply(replace(OFFERGRID, poll_minutes=15))


def pending(deployed: Deployed) -> tuple[PollRequest, ...]:
    table = deployed.stack.resources["PollsTable"]
    return ContactsTable(aws("dynamodb"), table_name=table).get(OFFERGRID.id).requests


def test_connections_are_listed_with_how_they_are(deployed: Deployed) -> None:
    polled(deployed)
    said = deployed.say("connections", "list")
    assert "never polled" in said
    listed = {one["id"]: one["health"] for one in deployed.tell("connections", "list")}
    assert listed[OFFERGRID.id]["condition"] == "never_polled"
    assert listed[RABOT.id]["condition"] == "not_polled"
    assert max(map(len, said.splitlines()[:6])) <= 80


def test_a_poll_is_started_out_of_turn(deployed: Deployed) -> None:
    polled(deployed)
    told = deployed.tell("connections", "poll", OFFERGRID.id)
    assert [one.id for one in pending(deployed)] == [told["request"]]
    ((_, asked),) = deployed.started
    assert asked == {"connection": OFFERGRID.id}


def test_a_poll_that_does_not_end_is_no_success(deployed: Deployed) -> None:
    result = deployed.run("connections", "poll", OFFERGRID.id, "--wait", "--patience", "0")
    assert result.exit_code == 1
    assert "not fulfilled within 0 s" in result.output


def test_waiting_is_for_this_request_and_not_for_the_poll_that_was_at_work(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = PollsTable(aws("dynamodb"), table_name=deployed.stack.resources["PollsTable"])
    minutes = timedelta(minutes=5)
    ends = {
        1: table.lease(OFFERGRID.id, now=NOON, duration=minutes),
        2: None,
    }

    def sleep(_: float) -> None:
        at = min(ends)
        lease = ends.pop(at) or table.lease(OFFERGRID.id, now=minute(at), duration=minutes)
        done = [one.id for one in lease.state.requests]
        lease.succeed(cursor=None, validator=None, at=minute(at), done=done)

    monkeypatch.setattr("cli.connections.poll.time.sleep", sleep)
    found = deployed.tell("connections", "poll", OFFERGRID.id, "--wait")
    assert not ends
    assert found["health"]["last_success_at"] == format_instant(minute(2))


def test_a_poll_for_a_request_that_fails_is_no_success_and_keeps_the_request(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = PollsTable(aws("dynamodb"), table_name=deployed.stack.resources["PollsTable"])

    def sleep(_: float) -> None:
        lease = table.lease(OFFERGRID.id, now=NOON, duration=timedelta(minutes=5))
        lease.fail(error="the provider answered 500", at=NOON, not_before=None)

    monkeypatch.setattr("cli.connections.poll.time.sleep", sleep)
    result = deployed.run("connections", "poll", OFFERGRID.id, "--wait")
    assert result.exit_code == 1
    assert "The request is kept" in result.output
    assert len(pending(deployed)) == 1


def test_a_poll_of_a_connection_that_there_is_not_is_refused(deployed: Deployed) -> None:
    result = deployed.run("connections", "poll", "nobody")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "There is no connection nobody; there are: offergrid-business, " in said
