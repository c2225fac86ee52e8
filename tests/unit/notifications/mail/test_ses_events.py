"""What is read of the mail service's events."""

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.timestamps import parse_instant
from milepost.notifications.mail.aws.sent_mails import mail_id_of
from milepost.notifications.mail.ses_events import MailOutcome, UnknownEvent, read_event
from tests.builders import notice
from tests.make_mail_events import MESSAGE_ID, ses_event


@pytest.mark.parametrize(
    ("name", "fate", "detail"),
    [
        ("delivered", MailOutcome.DELIVERED, ""),
        ("hard_bounce", MailOutcome.HARD_BOUNCE, "NoEmail"),
        ("soft_bounce", MailOutcome.SOFT_BOUNCE, "MailboxFull"),
        ("undetermined_bounce", MailOutcome.SOFT_BOUNCE, "Undetermined"),
        ("content_refused", MailOutcome.REFUSED_BOUNCE, "ContentRejected"),
        ("complaint", MailOutcome.COMPLAINT, "abuse"),
        ("rejected", MailOutcome.REJECT, "Bad content"),
    ],
)
def test_an_event_tells_what_its_mail_met_with(name: str, fate: MailOutcome, detail: str) -> None:
    event = read_event(ses_event(name))
    assert (event.fate, event.detail) == (fate, detail)
    assert event.mail_id == mail_id_of([notice()])
    assert event.message_id == MESSAGE_ID
    assert event.recipient == "sales@example.org"
    assert event.sent_at == parse_instant("2026-03-02T12:01:00Z")


def test_a_bounce_is_dated_by_the_bounce() -> None:
    event = read_event(ses_event("hard_bounce"))
    assert event.occurred_at == parse_instant("2026-03-02T12:01:04.321Z")


def test_a_rejection_without_a_time_is_dated_by_its_mail() -> None:
    event = read_event(ses_event("rejected"))
    assert event.occurred_at == event.sent_at


def test_a_feedback_notification_reads_like_an_event() -> None:
    body = ses_event("hard_bounce")
    body["notificationType"] = body.pop("eventType")
    del body["mail"]["tags"]
    event = read_event(body)
    assert (event.fate, event.mail_id) == (MailOutcome.HARD_BOUNCE, None)


@pytest.mark.parametrize("name", ["opened_is_not_ours", "complaint_taken_back"])
def test_other_events_are_unknown(name: str) -> None:
    with pytest.raises(UnknownEvent):
        read_event(ses_event(name))


def test_what_the_recipients_server_said_is_not_kept() -> None:
    event = read_event(ses_event("hard_bounce"))
    assert "user unknown" not in repr(event)


@st.composite
def mangled_events(draw: st.DrawFn) -> dict[str, Any]:
    body = copy.deepcopy(ses_event(draw(st.sampled_from(["hard_bounce", "complaint", "rejected"]))))
    junk: st.SearchStrategy[Any] = st.one_of(
        st.none(), st.text(), st.integers(), st.lists(st.text()), st.just({})
    )
    place = body
    for _ in range(draw(st.integers(0, 1))):
        place = draw(st.sampled_from([v for v in place.values() if isinstance(v, dict)]))
    place[draw(st.sampled_from(sorted(place)))] = draw(junk)
    return body


@given(mangled_events())
def test_a_mangled_event_is_read_or_unknown_and_nothing_else(body: dict[str, Any]) -> None:
    with suppress(UnknownEvent):
        read_event(body)
