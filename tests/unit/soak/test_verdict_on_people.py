"""The judge of what people did names what came to nothing, and what nobody wanted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from milepost.common.status import Status
from milepost.notifications.subscription import FROM_FILE, Subscription
from milepost.orders.lifecycle import fold
from milepost.orders.order import OrderKey, TrackedOrder
from tests.builders import KEY, OFFERGRID, RULES, announcement, minute, notice, report
from tests.soak.declaring_person import differences
from tests.soak.operating_person import Reader, Wish
from tests.soak.verdict_on_people import (
    traces,
    wrongly_erased,
    wrongly_redriven,
    wrongly_subscribed,
    wrongly_told,
)

READER = "reader@example.org"
BOTH = frozenset({"accepted", "completed"})


def kept(*, erased_at: datetime | None = None, reports: int = 1) -> dict[OrderKey, TrackedOrder]:
    """One order, told once of its acceptance, two minutes after noon."""
    seen = [report(Status.ACCEPTED, number) for number in range(reports)]
    told = replace(announcement(), announced_at=minute(2))
    order = TrackedOrder(order=fold(seen, RULES), version=1, announced=(told,))
    return {KEY: replace(order, erased_at=erased_at)}


def reader(*wishes: tuple[frozenset[str], float]) -> Reader:
    """Somebody who wanted these kinds from these minutes on; each answer took half a minute."""
    made = [
        Wish(kinds=kinds, asked_at=minute(at), answered_at=minute(at + 0.5)) for kinds, at in wishes
    ]
    return Reader(recipient=READER, id="sub-1", wishes=made)


def logged(recipient: str = READER) -> list[Mapping[str, Any]]:
    """The items of the log's table: a notice that was sent, and a subscription."""
    sent = {"id": notice(recipient=recipient).id, "recipient": recipient, "state": "sent"}
    return [one | {"channel": "email"} for one in (sent, {"recipient": recipient})]


@pytest.mark.parametrize(
    ("wishes", "wanted"),
    [
        ([], False),
        ([(BOTH, 0)], True),
        ([(BOTH, 1.8)], None),
        ([(BOTH, 3)], None),
        ([(BOTH, 0), (frozenset(), 1)], False),
        ([(BOTH, 0), (frozenset(), 3)], None),
        ([(BOTH, 0), (frozenset({"completed"}), 1)], False),
        ([(BOTH, 0), (frozenset({"accepted"}), 3)], True),
    ],
)
def test_a_reader_wants_what_holds_when_it_is_announced_and_still_does_later(
    wishes: list[tuple[frozenset[str], float]], wanted: bool | None
) -> None:
    assert reader(*wishes).wants("accepted", announced_at=minute(2)) is wanted


def test_a_reader_who_was_not_told_has_lost_it_and_one_who_was_is_content() -> None:
    wants = [reader((BOTH, 0))]
    assert wrongly_told(kept(), logged(), wants, connection=KEY.connection) == ([], [])
    lost, doubled = wrongly_told(kept(), [], wants, connection=KEY.connection)
    assert (lost, doubled) == ([f"{READER} was not told of {KEY}/1"], [])


def test_a_reader_who_had_left_before_and_was_told_is_named() -> None:
    left = [reader((BOTH, 0), (frozenset(), 1))]
    lost, doubled = wrongly_told(kept(), logged(), left, connection=KEY.connection)
    assert (lost, doubled) == ([], [f"{READER} did not ask for {KEY}/1"])
    assert wrongly_told(kept(), [], left, connection=KEY.connection) == ([], [])


def test_what_another_connection_announces_is_not_for_these_readers() -> None:
    assert wrongly_told(kept(), [], [reader((BOTH, 0))], connection="another") == ([], [])


def test_an_erased_order_is_a_tombstone_and_no_other_order_is() -> None:
    tombstone = kept(erased_at=minute(3))
    assert wrongly_erased(tombstone, [KEY.path_id]) == []
    assert wrongly_erased(kept(), [KEY.path_id]) == [f"{KEY.path_id} is not erased"]
    assert wrongly_erased(tombstone, []) == [f"{KEY.path_id} is erased, and nobody requested it"]


def test_an_item_that_names_an_erased_customer_is_named_without_naming_them() -> None:
    items = [("SearchTable", {"pk": "customer#1", "reference": "Ada ADA.1@example.de"})]
    assert traces(items, ["ada.1@example.de"]) == [
        "SearchTable customer#1 still names an erased customer"
    ]
    assert traces(items, ["ada.11@example.de"]) == []


def test_a_redriven_report_is_on_its_timeline_once() -> None:
    assert wrongly_redriven(kept(), [KEY]) == []
    assert wrongly_redriven({}, [KEY]) == [f"{KEY} was redriven, and has []"]
    assert len(wrongly_redriven(kept(reports=2), [KEY])) == 1


def stored(**values: Any) -> Any:
    """What the stack has stored of one connection, with one signing secret."""
    there: dict[str, Any] = {
        "ids": {OFFERGRID.id},
        "schedules": {OFFERGRID.id: {}},
        "settings": {OFFERGRID.id: OFFERGRID},
        "subscriptions": {},
        "signing_secrets": lambda name: ["new"] if name == OFFERGRID.id else [],
    }
    return cast(Any, SimpleNamespace(**there | values))


def declared(**values: Any) -> dict[str, Any]:
    entry = {"id": OFFERGRID.id, "poll": "1 minute", "signing": {"secrets": ["new"]}}
    return {"connections": [entry | values]}


def test_what_is_stored_as_declared_does_not_differ() -> None:
    assert differences(declared(), stored()) == []


OF_THE_FILE = Subscription(id="file-1", recipient=READER, source=FROM_FILE)


@pytest.mark.parametrize(
    ("said", "there", "found"),
    [
        ({"signing": {"secrets": ["newer", "new"]}}, {}, "other signing secrets"),
        ({"notices_per_hour": 5}, {}, "has notices_per_hour 100"),
        ({"poll": "off"}, {}, "schedules: ['offergrid-home'], not []"),
        ({}, {"ids": {OFFERGRID.id, "guest"}}, "connections: ['guest', 'offergrid-home'], not"),
        ({}, {"subscriptions": {"file-1": OF_THE_FILE}}, "subscriptions of the file"),
    ],
)
def test_what_differs_from_what_was_declared_is_named(
    said: dict[str, Any], there: dict[str, Any], found: str
) -> None:
    (line,) = differences(declared(**said), stored(**there))
    assert found in line


def test_a_subscription_is_as_its_reader_wanted_it_last() -> None:
    there = stored(subscriptions={"sub-1": Subscription(id="sub-1", recipient=READER, kinds=BOTH)})
    assert wrongly_subscribed(there, [reader((BOTH, 0))]) == []
    assert wrongly_subscribed(stored(), [reader((BOTH, 0), (frozenset(), 1))]) == []
    assert len(wrongly_subscribed(there, [reader((BOTH, 0), (frozenset(), 1))])) == 1
    assert len(wrongly_subscribed(stored(), [reader((BOTH, 0))])) == 1
