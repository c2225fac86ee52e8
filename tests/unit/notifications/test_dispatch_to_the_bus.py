"""Announcements as events on the event bus."""

import pytest

from milepost.notifications.dispatch import EventRefused
from milepost.orders.order import Kind
from tests.builders import announced, minute
from tests.unit.notifications.dispatch_desk import BY_MAIL, Desk, MemoryBus, topic_entry


@pytest.fixture
def desk() -> Desk:
    return Desk()


def on_the_bus(desk: Desk) -> tuple[str, str | None]:
    """State and reason of the bus's entry in the log."""
    [entry] = [one for one in desk.log.items.values() if one["channel"] == "event_bus"]
    assert entry["recipient"] == "events"
    return entry["state"], entry.get("message_id") or entry.get("reason")


def test_the_bus_gets_each_announcement_once_and_the_log_has_it(desk: Desk) -> None:
    desk.bus = MemoryBus()
    for _ in range(2):
        desk.tell(BY_MAIL)
    assert desk.bus.taken == desk.topic.published == [announced()]
    assert on_the_bus(desk) == ("sent", "event-1")


def test_a_bus_that_is_away_holds_back_the_topics_entry_which_says_that_all_is_done(
    desk: Desk,
) -> None:
    desk.bus = MemoryBus(failing=[ConnectionError("the bus is away")])
    with pytest.raises(ConnectionError):
        desk.tell(BY_MAIL)
    assert desk.topic.published == [announced()]
    assert on_the_bus(desk) == ("queued", None)
    assert topic_entry(desk)["state"] == "queued"
    desk.tell(BY_MAIL, now=minute(5))
    assert topic_entry(desk)["state"] == "sent"
    assert desk.bus.taken == desk.topic.published == [announced()]
    assert on_the_bus(desk) == ("sent", "event-1")


def test_a_topic_that_is_away_has_nothing_put_on_the_bus_again(desk: Desk) -> None:
    desk.bus, desk.topic.failing = MemoryBus(), 1
    with pytest.raises(ConnectionError):
        desk.tell()
    desk.tell(now=minute(5))
    assert len(desk.bus.taken) == len(desk.topic.published) == 1


def test_an_event_that_is_refused_for_good_is_logged_and_holds_nothing_back(desk: Desk) -> None:
    desk.bus = MemoryBus(failing=[EventRefused("the event is too large")])
    for _ in range(2):
        desk.tell(BY_MAIL)
    assert on_the_bus(desk) == ("failed", "the event is too large")
    assert (desk.bus.taken, desk.topic.published) == ([], [announced()])


@pytest.mark.parametrize("kind", [Kind.ESCALATED, Kind.COMMISSION_OVERDUE])
def test_what_is_for_the_contact_alone_is_on_no_bus(kind: Kind, desk: Desk) -> None:
    desk.bus = MemoryBus()
    desk.tell(of=announced(kind))
    assert desk.bus.taken == []
