"""track_delivery: events of SES, and what the log and the suppressions say afterwards."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from milepost.common.timestamps import parse_instant
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.aws.topic_and_queues import batch_of, notice_of
from milepost.notifications.mail.aws.sent_mails import MailsTable, mail_id_of
from milepost.notifications.mail.aws.ses import Mailbox
from milepost.notifications.mail.message import Mail
from milepost.notifications.notice import Audience, Channel, Notice, State
from milepost.notifications.recipients import Choice
from tests.batches import sqs_batch
from tests.builders import minute, notice
from tests.make_mail_events import MESSAGE_ID, ses_event
from tests.stack import SENDER, Context, Stack, aws, event

NOTICE = notice()
TABLE = "NoticesTable"


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    return stack.load("track_delivery")


def enter(stack: Stack, *notices: Notice, message_id: str | None = MESSAGE_ID) -> None:
    """Notices that were sent as one mail; not logged as sent when there is no id."""
    dynamodb, table = aws("dynamodb"), stack.resources[TABLE]
    log = NoticesTable(dynamodb, table_name=table)
    MailsTable(dynamodb, table_name=table).keep(notices, at=minute(1))
    for one in notices:
        log.enter(Choice(notice=one), at=minute(0))
        if message_id:
            log.mark_sent(one, message_id=message_id, at=minute(1))


def happen(app: ModuleType, *names: str) -> None:
    for name in names:
        app.handler(event("track_delivery", name), Context())


def entries(stack: Stack) -> list[dict[str, Any]]:
    return [item for item in stack.items(TABLE) if item["sk"].startswith("notice#")]


def entry(stack: Stack) -> dict[str, Any]:
    (found,) = [item for item in entries(stack) if item["pk"].startswith("order#")]
    return found


def why_suppressed(stack: Stack, address: str = NOTICE.recipient) -> str | None:
    suppressions = SuppressionsTable(aws("dynamodb"), table_name=stack.resources[TABLE])
    return suppressions.reason(address, audience=Audience.TEAM)


def due(stack: Stack, *, until: datetime) -> Sequence[Any]:
    holds = HoldsTable(aws("dynamodb"), table_name=stack.resources[TABLE])
    return list(holds.due(until=until))


@pytest.mark.parametrize(
    ("name", "state", "reason", "suppressed"),
    [
        ("delivered", State.DELIVERED, None, None),
        (
            "hard_bounce",
            State.BOUNCED,
            "hard bounce: NoEmail",
            "bounced before: NoEmail, on 2026-03-02",
        ),
        ("complaint", State.COMPLAINED, "reported as unwanted: abuse", "complained on 2026-03-02"),
        ("rejected", State.FAILED, "SES rejected the mail: Bad content", None),
        (
            "content_refused",
            State.BOUNCED,
            "the recipient's mail server refused it: ContentRejected",
            None,
        ),
        ("opened_is_not_ours", State.SENT, None, None),
        ("complaint_taken_back", State.SENT, None, None),
        ("topic_greeting", State.SENT, None, None),
    ],
)
def test_the_log_says_what_became_of_the_mail(
    name: str,
    state: State,
    reason: str | None,
    suppressed: str | None,
    *,
    app: ModuleType,
    stack: Stack,
) -> None:
    enter(stack, NOTICE)
    happen(app, name, name)
    found = entry(stack)
    assert (found["state"], found.get("reason")) == (state, reason)
    assert f"{state}_at" in found
    assert why_suppressed(stack) == suppressed


@pytest.mark.parametrize("names", [("delivered", "hard_bounce"), ("hard_bounce", "delivered")])
def test_a_bounce_stands_whether_told_before_or_after_the_delivery(
    names: tuple[str, ...], app: ModuleType, stack: Stack
) -> None:
    enter(stack, NOTICE)
    happen(app, *names)
    assert entry(stack)["state"] == State.BOUNCED


@pytest.mark.parametrize("name", ["soft_bounce", "undetermined_bounce"])
def test_a_soft_bounce_puts_the_notice_back_once_for_five_minutes_later(
    name: str, app: ModuleType, stack: Stack
) -> None:
    enter(stack, NOTICE)
    happen(app, name, name)
    found = entry(stack)
    assert (found["state"], found["attempts"]) == (State.QUEUED, 1)
    assert minute(6) < parse_instant(found["retry_at"]) < minute(7)
    assert due(stack, until=minute(6)) == []
    (one,) = due(stack, until=minute(7))
    assert (one.channel, notice_of(one.message)) == (Channel.EMAIL, NOTICE)
    assert why_suppressed(stack) is None


def test_a_retried_notice_can_be_claimed_and_sent_again(app: ModuleType, stack: Stack) -> None:
    enter(stack, NOTICE)
    happen(app, "soft_bounce")
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources[TABLE])
    token = log.claim(NOTICE, at=minute(7), until=minute(8))
    assert log.mark_sent(NOTICE, message_id="the second try", at=minute(7), claim=token)
    happen(app, "soft_bounce")
    assert entry(stack)["state"] == State.SENT
    assert entry(stack)["attempts"] == 1
    assert "retry_at" not in entry(stack)


def test_a_retry_is_not_sent_when_the_mail_was_delivered_after_all(
    app: ModuleType, stack: Stack
) -> None:
    enter(stack, NOTICE)
    happen(app, "soft_bounce", "delivered")
    assert not {"retry_at", "reason"} & entry(stack).keys()
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources[TABLE])
    assert not log.claim(NOTICE, at=minute(7), until=minute(8))


def test_an_event_of_a_digest_too_long_for_one_item_is_that_of_each_of_its_notices(
    app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("milepost.notifications.mail.aws.sent_mails._A_PART", 2)
    notices = digest(5)
    enter(stack, *notices)
    app.handler(sqs_batch([of_mail("delivered", mail_id_of(notices))]), Context())
    assert [one["state"] for one in entries(stack)] == [State.DELIVERED] * 5


def test_a_digest_that_bounced_softly_is_one_mail_again(app: ModuleType, stack: Stack) -> None:
    notices = digest(3)
    enter(stack, *notices)
    app.handler(sqs_batch([of_mail("soft_bounce", mail_id_of(notices))]), Context())
    (one,) = due(stack, until=minute(7))
    batch = batch_of(one.message)
    assert batch is not None
    holds = HoldsTable(aws("dynamodb"), table_name=stack.resources[TABLE])
    assert len(holds.held(batch)) == 3


def test_an_event_of_an_unknown_mail_is_done(app: ModuleType, stack: Stack) -> None:
    happen(app, "delivered")
    assert stack.items(TABLE) == []


def test_an_event_quicker_than_the_log_fails_so_that_it_comes_again(
    app: ModuleType, stack: Stack
) -> None:
    enter(stack, NOTICE, message_id=None)
    body = ses_event("delivered")
    body["mail"]["timestamp"] = datetime.now(UTC).isoformat()
    answer = app.handler(sqs_batch([json.dumps(body)]), Context())
    assert len(answer["batchItemFailures"]) == 1
    assert entry(stack)["state"] == State.QUEUED


def test_nothing_personal_is_logged(
    app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = StringIO()
    monkeypatch.setattr(app.logger.registered_handler, "stream", lines)
    enter(stack, NOTICE)
    happen(app, "hard_bounce", "topic_greeting")
    assert "tracked" in lines.getvalue()
    assert "example.org" not in lines.getvalue()


def test_the_record_of_a_mail_holds_no_address(stack: Stack) -> None:
    enter(stack, NOTICE)
    (record,) = [item for item in stack.items(TABLE) if item["pk"].startswith("mail#")]
    assert "example.org" not in str(record)


def test_a_mail_is_sent_under_the_tag_by_which_its_events_find_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    ses = aws("sesv2")
    asked: dict[str, Any] = {}
    ses.meta.events.register(
        "provide-client-params.sesv2.SendEmail", lambda params, **_: asked.update(params)
    )
    records = MailsTable(aws("dynamodb"), table_name=stack.resources[TABLE])
    box = Mailbox(ses, sender=SENDER, configuration_set="MailEvents", records=records)
    mail = Mail(to=NOTICE.recipient, subject="s", text="t", html="<p>t</p>")
    odd = replace(NOTICE, key=replace(NOTICE.key, connection="a b/ü"))
    box.send(mail, notices=[odd], at=minute(1))
    tags = {tag["Name"]: tag["Value"] for tag in asked["EmailTags"]}
    assert asked["ConfigurationSetName"] == "MailEvents"
    assert tags == {"kind": "accepted", "connection": "a_b__", "mail": mail_id_of([odd])}


def digest(size: int) -> list[Notice]:
    announcements = (replace(NOTICE.announcement, sequence=n + 1) for n in range(size))
    return [replace(NOTICE, announcement=one) for one in announcements]


def of_mail(name: str, mail_id: str) -> str:
    body = ses_event(name)
    body["mail"]["tags"]["mail"] = [mail_id]
    return json.dumps(body)
