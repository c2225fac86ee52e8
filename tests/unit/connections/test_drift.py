"""Drift: what counts as a change of a provider's payloads, and what is kept of them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from milepost.connections.drift import (
    KEPT_FOR,
    LEARNED_AFTER,
    MISSED_AFTER,
    MOST_CHANGES,
    Drift,
    Known,
    Part,
    read_shape_text,
    recent,
    shape_text,
)
from tests.builders import NOON, minute

ORDER = {
    "id": 7,
    "state": "open",
    "customer": {"name": "Kim Example", "email": "kim@example.org"},
    "items": [{"sku": "A-1", "price": "7.50"}],
    "visit": None,
}


def learned(order: Any = ORDER) -> Known:
    known = Known()
    for _ in range(LEARNED_AFTER):
        known.look(Part.ORDER, order, (), at=NOON)
    known.is_changed = False
    return known


def said(known: Known) -> list[str]:
    return [str(one) for one in known.changes]


def look(known: Known, order: Any, times: int = 1, words: tuple[str, ...] = ()) -> list[str]:
    for _ in range(times):
        known.look(Part.ORDER, order, words, at=NOON)
    return said(known)


def test_the_first_payloads_and_those_that_look_like_them_are_no_change() -> None:
    known = learned()
    assert look(known, ORDER, 30) == []
    assert not known.is_changed


def test_a_new_field_is_noted_once_with_the_form_of_its_value() -> None:
    changed = {**ORDER, "customer": {**ORDER["customer"], "phone": "+49 171 5550199"}}  # type: ignore[dict-item]
    expected = ["new field order: customer.phone (text, such as +00 000 0000000)"]
    assert look(learned(), changed, 5) == expected


def test_a_new_object_is_one_change() -> None:
    changed = {**ORDER, "shipment": {"carrier": "Sample", "parcels": [{"code": "X1"}]}}
    assert look(learned(), changed) == ["new field order: shipment (object)"]


def test_another_type_is_a_change_and_null_is_none() -> None:
    assert look(learned(), {**ORDER, "id": None}) == []
    changed = [{"sku": "A-1", "price": 7.5}]
    assert look(learned(), {**ORDER, "items": changed}) == [
        "field order: items[].price has another type (text, now number, such as 0.0)"
    ]
    assert look(learned(), {**ORDER, "visit": "2026-03-01"}) == []


def test_a_field_that_was_always_there_is_missing_after_some_payloads() -> None:
    shorter = {name: one for name, one in ORDER.items() if name != "state"}
    known = learned()
    assert look(known, shorter, MISSED_AFTER - 1) == []
    expected = [f"field order: state is missing (in {MISSED_AFTER} payloads in a row)"]
    assert look(known, shorter, 5) == expected


def test_a_field_that_is_there_now_and_then_is_never_missing() -> None:
    shorter = {name: one for name, one in ORDER.items() if name != "state"}
    known = learned()
    look(known, shorter)
    look(known, ORDER)
    assert look(known, shorter, 2 * MISSED_AFTER) == []
    assert look(learned(), {**ORDER, "customer": None}, 2 * MISSED_AFTER) == []


def test_an_unknown_status_is_noted_at_once_and_once() -> None:
    known = Known()
    assert look(known, ORDER, 3, ("parked",)) == ["unknown status parked"]


def test_webhooks_are_compared_with_webhooks() -> None:
    known = learned()
    known.look(Part.WEBHOOK, {"event": "changed"}, (), at=NOON)
    assert said(known) == []


def test_nothing_personal_is_kept() -> None:
    known = learned()
    look(known, {**ORDER, "note": "Kim Example, 0171 5550199", "kim@example.org": {"Kim E": 7}})
    kept = json.dumps([shape_text(one) for one in known.shapes.values()]) + str(said(known))
    assert not [one for one in ("Kim", "kim", "0171", "555") if one in kept]


@pytest.mark.parametrize(
    "payload",
    [None, [], "text", 7, {}, {"": {"": {"": ""}}}, {"a" * 5000: 1}, {"\ud800": "\ud800"},
     {str(number): number for number in range(5000)}, [[[[[[[[[[{"a": 1}]]]]]]]]]],
     {f"f{letter}{other}": {"a": [1] * 99} for letter in "abcdefghij" for other in "abcdefghij"}],
)  # fmt: skip
def test_any_payload_costs_little_and_keeps_little(payload: Any) -> None:
    known = learned(payload)
    look(known, ORDER)
    look(known, payload, MISSED_AFTER + 1)
    text = shape_text(known.shapes[Part.ORDER])
    assert len(text) < 30_000
    assert len(known.changes) <= MOST_CHANGES
    assert shape_text(read_shape_text(text)) == text


def test_changes_are_shown_for_some_weeks_and_told_once() -> None:
    known = Known()
    known.look(Part.ORDER, {}, ["parked"], at=NOON)
    known.look(Part.ORDER, {}, ["lost"], at=minute(1))
    assert [one.detail for one in recent(known.changes, now=NOON)] == ["lost", "parked"]
    assert recent(known.changes, now=NOON + KEPT_FOR + timedelta(seconds=1))[0].detail == "lost"
    drift = Drift(tuple(known.changes), told_until=NOON)
    assert [one.detail for one in drift.unannounced] == ["lost"]
