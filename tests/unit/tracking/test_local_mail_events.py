"""What the local stack tells of mails: what AWS would, read by the reader of AWS's events."""

from typing import Any

import pytest

from local.mail_events import arrives, events_of, topics_of
from milepost.mail_events import Fate, read_event
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
        ("sales@example.org", [Fate.DELIVERED]),
        ("bounce@example.org", [Fate.DELIVERED]),
        ("success@simulator.amazonses.com", [Fate.DELIVERED]),
        ("bounce@simulator.amazonses.com", [Fate.HARD_BOUNCE]),
        ("bounce+7@simulator.amazonses.com", [Fate.HARD_BOUNCE]),
        ("suppressionlist@simulator.amazonses.com", [Fate.HARD_BOUNCE]),
        ("Complaint+a@Simulator.amazonses.com", [Fate.DELIVERED, Fate.COMPLAINT]),
        ("ooto@simulator.amazonses.com", [Fate.DELIVERED, Fate.SOFT_BOUNCE]),
        ("mailbox-full+x@simulator.amazonses.com", [Fate.SOFT_BOUNCE]),
    ],
)
def test_each_address_meets_with_its_fate(address: str, fates: list[Fate]) -> None:
    events = [read_event(e) for e in events_of(request_to(address), message_id="s1", at=NOON)]
    assert [event.fate for event in events] == fates
    assert {(event.mail_id, event.message_id, event.recipient) for event in events} == {
        ("m1", "s1", address)
    }
    assert arrives(address) == (Fate.DELIVERED in fates)


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
