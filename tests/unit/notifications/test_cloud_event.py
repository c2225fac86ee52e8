"""Announcements as CloudEvents, and the schema that is published for them."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from milepost.common.status import Status
from milepost.notifications.announcement_message import topic_message
from milepost.notifications.announcement_schema import PUBLISHED_KINDS, json_schema
from milepost.notifications.cloud_event import cloud_event
from milepost.orders.announcements import Announced
from milepost.orders.order import Kind, OrderKey
from tests.builders import NOON, announced, announcement
from tests.stack import ROOT

SOURCE: Final = "/milepost/milepost-prod"
VALIDATOR: Final = Draft202012Validator(json_schema())
WHOLE: Final = replace(
    announced(
        Kind.REJECTED,
        reference="PP-20417",
        service_type="internet",
        appointment="2026-03-12T02:00:00Z",
        reason="Service not available at this address",
        cause="outside_service_area",
        delivery_end="2026-09-30",
    ),
    announcement=announcement(Kind.REJECTED, status=Status.REJECTED),
)
"""An announcement with every field."""


def event_of(one: Announced) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(json.dumps(cloud_event(one, source=SOURCE)))
    return event


@pytest.mark.parametrize("kind", PUBLISHED_KINDS)
def test_an_event_of_each_kind_is_as_the_schema_says_with_the_message_as_its_data(
    kind: Kind,
) -> None:
    one = announced(kind)
    event = event_of(one)
    VALIDATOR.validate(event)
    assert event["type"] == f"milepost.order.{kind}.v1"
    assert event["data"] == topic_message(one)


def test_the_context_attributes_are_those_of_cloudevents() -> None:
    event = event_of(announced())
    data = event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": "offergrid-home/ord-7c1e20-b4f/item-7c1e20-1/1",
        "source": SOURCE,
        "type": "milepost.order.accepted.v1",
        "subject": "offergrid-home/ord-7c1e20-b4f/item-7c1e20-1",
        "time": "2026-03-02T12:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "https://milepost.dev/schemas/announcement.v1.json#/$defs/Announcement",
    }
    assert data["id"] == event["id"]
    # Source: CloudEvents 1.0.2, "Naming conventions".
    assert all(re.fullmatch("[a-z0-9]+", name) for name in event)


def test_the_schema_has_exactly_the_fields_of_the_message() -> None:
    declared = json_schema()["$defs"]["Announcement"]["properties"]
    assert set(topic_message(WHOLE)) == set(declared)
    VALIDATOR.validate(event_of(WHOLE))


@pytest.mark.parametrize(
    "broken",
    [
        {"specversion": "0.3"},
        {"type": "milepost.order.escalated.v1"},
        {"data": {}},
        {"id": ""},
        {"source": 7},
    ],
)
def test_what_is_no_announcement_is_not_valid(broken: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(event_of(announced()) | broken)


def test_a_reader_takes_fields_that_are_added_later() -> None:
    event = event_of(announced())
    event["data"]["new"] = "field"
    VALIDATOR.validate(event | {"traceparent": "extension"})


@pytest.mark.parametrize(
    "moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_dates_at_the_ends_of_the_calendar_are_dates(moment: datetime) -> None:
    one = announcement(occurred_at=moment, announced_at=NOON)
    event = event_of(replace(announced(), announcement=one))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"])


def test_ids_of_any_characters_are_one_text() -> None:
    key = OrderKey("offergrid-home", "ord/ 1\u2028é", "{}")
    event = event_of(announced(key=key))
    assert event["subject"] == "offergrid-home/ord%2F%201%E2%80%A8%C3%A9/%7B%7D"
    assert event["id"] == f"{event['subject']}/1"


def test_the_published_schema_is_the_one_of_the_code_and_a_schema() -> None:
    published = json.loads((ROOT / "docs/schemas/announcement.v1.json").read_text())
    assert published == json_schema()
    Draft202012Validator.check_schema(published)
