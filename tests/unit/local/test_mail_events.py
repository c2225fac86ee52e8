"""What the local stack tells of mails: what AWS would, read by the reader of AWS's events."""

from typing import Any

import pytest

from local.emulator_corrections.mail_events import arrives, events_of, send_by_smtp, topics_of
from local.inbox.server import Inbox
from local.processes import find_free_port
from milepost.notifications.mail.ses_events import MailOutcome, read_event
from tests.builders import NOON


def request_to(address: str) -> dict[str, Any]:
    return {
        "FromEmailAddress": "Milepost <milepost@example.org>",
        "ConfigurationSetName": "milepost-MailEvents",
        "Destination": {"ToAddresses": [address]},
        "EmailTags": [{"Name": "mail", "Value": "m1"}],
    }


@pytest.mark.parametrize(
    ("address", "fates"),
    [
        ("sales@example.org", [MailOutcome.DELIVERED]),
        ("bounce@example.org", [MailOutcome.DELIVERED]),
        ("success@simulator.amazonses.com", [MailOutcome.DELIVERED]),
        ("bounce@simulator.amazonses.com", [MailOutcome.HARD_BOUNCE]),
        ("bounce+7@simulator.amazonses.com", [MailOutcome.HARD_BOUNCE]),
        ("suppressionlist@simulator.amazonses.com", [MailOutcome.HARD_BOUNCE]),
        ("Complaint+a@Simulator.amazonses.com", [MailOutcome.DELIVERED, MailOutcome.COMPLAINT]),
        ("ooto@simulator.amazonses.com", [MailOutcome.DELIVERED, MailOutcome.SOFT_BOUNCE]),
        ("mailbox-full+x@simulator.amazonses.com", [MailOutcome.SOFT_BOUNCE]),
    ],
)
def test_each_address_meets_with_its_fate(address: str, fates: list[MailOutcome]) -> None:
    events = [read_event(e) for e in events_of(request_to(address), message_id="s1", at=NOON)]
    assert [event.fate for event in events] == fates
    assert {(event.mail_id, event.message_id, event.recipient) for event in events} == {
        ("m1", "s1", address)
    }
    assert arrives(address) == (MailOutcome.DELIVERED in fates)


@pytest.mark.parametrize("address", ["sales@example.org", "ooto@simulator.amazonses.com"])
def test_a_mail_that_the_inbox_did_not_take_is_never_delivered(address: str) -> None:
    events = events_of(request_to(address), message_id="s1", at=NOON, is_taken=False)
    assert [read_event(event).fate for event in events] == [MailOutcome.SOFT_BOUNCE]


@pytest.mark.parametrize("subject", ["Hello", "Grüße"])
def test_a_mail_counts_as_taken_only_when_the_inbox_has_it(subject: str) -> None:
    port = find_free_port()
    message, to = f"Subject: {subject}\nTo: a@b.example\n\nBody.\n.\n", ["a@b.example"]
    assert not send_by_smtp(("127.0.0.1", port), "m@example.org", to, message)
    inbox = Inbox(smtp_port=port, page_port=0)
    try:
        assert send_by_smtp(("127.0.0.1", port), "m@example.org", to, message)
        assert not send_by_smtp(("127.0.0.1", port), "m@example.org", ["ü@b.example"], message)
        (mail,) = inbox.mailbox.list()
    finally:
        inbox.close()
    assert (mail.subject, mail.to, mail.text) == (subject, ("a@b.example",), "Body.\r\n.\r\n")


def test_topics_are_told_of_the_types_that_they_asked_for() -> None:
    destinations = {
        "topic": {
            "Enabled": True,
            "MatchingEventTypes": ["BOUNCE", "DELIVERY"],
            "SnsDestination": {"TopicArn": "arn:1"},
        },
        "off": {
            "Enabled": False,
            "MatchingEventTypes": ["BOUNCE"],
            "SnsDestination": {"TopicArn": "arn:2"},
        },
        "elsewhere": {"Enabled": True, "MatchingEventTypes": ["BOUNCE"]},
    }
    assert topics_of(destinations, "Bounce") == ["arn:1"]
    assert topics_of(destinations, "Complaint") == []
