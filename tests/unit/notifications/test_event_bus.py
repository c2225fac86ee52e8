"""What PutEvents answers, and what becomes of the event."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from milepost.notifications.aws.event_bus import (
    MOST_BYTES,
    AnnouncementsBus,
    EventNotPut,
    size_of,
)
from milepost.notifications.cloud_event import cloud_event
from milepost.notifications.dispatch import EventRefused
from milepost.orders.announcements import Announced
from milepost.orders.order import OrderKey
from tests.builders import announced, minute

TAKEN: Final = {"FailedEntryCount": 0, "Entries": [{"EventId": "event-1"}]}
LONGEST_ID: Final = 1_024
"""Characters of an order's key together: a DynamoDB sort key has 1,024 bytes."""


def failed(code: str) -> dict[str, Any]:
    entry = {"ErrorCode": code, "ErrorMessage": "a message, which may quote the event"}
    return {"FailedEntryCount": 1, "Entries": [entry]}


@dataclass
class EventBridge:
    """Answers PutEvents as it is told to."""

    answers: list[dict[str, Any]]
    asked: list[dict[str, Any]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.asked += Entries
        return self.answers.pop(0)

    def bus(self) -> AnnouncementsBus:
        return AnnouncementsBus(
            self,  # type: ignore[arg-type]
            bus_name="milepost-prod-announcements",
            source="/milepost/milepost-prod",
            pause=self.pauses.append,
        )


def test_an_event_is_the_whole_cloud_event_in_an_entry_that_rules_can_match() -> None:
    service = EventBridge([TAKEN])
    assert service.bus().put(announced()) == "event-1"
    [entry] = service.asked
    event = json.loads(entry.pop("Detail"))
    assert event == cloud_event(announced(), source="/milepost/milepost-prod")
    assert entry == {
        "EventBusName": "milepost-prod-announcements",
        "Source": "milepost",
        "DetailType": "milepost.order.accepted.v1",
        "Time": minute(1),
    }


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure", "InternalException"])
def test_an_entry_that_fails_in_an_answer_of_200_is_put_again(code: str) -> None:
    service = EventBridge([failed(code), failed(code), TAKEN])
    assert service.bus().put(announced()) == "event-1"
    first, *others = service.asked
    assert others == [first, first]
    assert len(service.pauses) == 2


def test_an_entry_that_keeps_failing_is_left_to_the_next_delivery() -> None:
    service = EventBridge([failed("ThrottlingException")] * 3)
    with pytest.raises(EventNotPut, match="ThrottlingException"):
        service.bus().put(announced())
    assert service.answers == []


@pytest.mark.parametrize(
    "answer",
    [
        failed("AccessDeniedException"),
        failed("NotAuthorizedForSourceException"),
        failed("something new"),
        {"FailedEntryCount": 0, "Entries": [{}]},
    ],
)
def test_what_a_moment_does_not_mend_is_left_to_the_next_delivery_at_once(
    answer: dict[str, Any],
) -> None:
    service = EventBridge([answer])
    with pytest.raises(EventNotPut) as raised:
        service.bus().put(announced())
    assert "quote" not in str(raised.value)
    assert service.pauses == []


@pytest.mark.parametrize("code", ["InvalidArgument", "MalformedDetail"])
def test_an_event_that_can_never_be_put_is_refused(code: str) -> None:
    with pytest.raises(EventRefused, match=code):
        EventBridge([failed(code)]).bus().put(announced())


def of_order(order_id: str) -> Announced:
    return replace(announced(), key=OrderKey("offergrid-home", order_id, "item"))


def test_an_event_of_the_most_bytes_is_put_and_one_more_byte_is_refused_without_asking() -> None:
    service = EventBridge([TAKEN, TAKEN])
    # The order's id is three times in an event: in its own field, in its ids and in the subject.
    service.bus().put(of_order("a"))
    [small] = service.asked
    copies = small["Detail"].count("/a/") + small["Detail"].count('"a"')
    longest, rest = divmod(MOST_BYTES - size_of(small), copies)  # type: ignore[arg-type]
    connection = "c" * (1 + longest)
    service.bus().put(of_order(connection))
    assert MOST_BYTES - size_of(service.asked[-1]) == rest  # type: ignore[arg-type]
    with pytest.raises(EventRefused, match="bytes"):
        service.bus().put(of_order("c" * (2 + longest)))
    assert len(service.asked) == 2


def test_no_real_announcement_comes_near_the_limit() -> None:
    service = EventBridge([TAKEN])
    one = announced(
        key=OrderKey("c" * 64, "\U0001f600" * (LONGEST_ID // 8), "é" * (LONGEST_ID // 4)),
        reason="\U0001f600" * 500,
        reference="r" * 64,
        service_type="s" * 64,
    )
    service.bus().put(one)
    assert size_of(service.asked[0]) < MOST_BYTES / 8  # type: ignore[arg-type]
