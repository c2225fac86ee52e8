"""Reports: instants, ids, and what is dated ahead."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.common.strict_json import canonical_json
from milepost.common.timestamps import format_instant, parse_instant
from milepost.orders.order import BadOrderId, OrderKey
from milepost.orders.report import Source, refuse_future
from tests.builders import minute, report


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T12:00:00Z", "2026-03-02T12:00:00.000Z", "2026-03-02T13:00:00+01:00",
     "2026-03-02T12:00:00.000999Z"],
)  # fmt: skip
def test_one_instant_has_one_text(text: str) -> None:
    assert format_instant(parse_instant(text)) == "2026-03-02T12:00:00Z"


@pytest.mark.parametrize(
    "text",
    ["", "noon", "2026-03-02", "2026-03-02T12:00:00", "2026-13-02T12:00:00Z",
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1772446200"],
)  # fmt: skip
def test_what_is_no_instant_with_a_zone_is_a_bad_payload(text: str) -> None:
    with pytest.raises(BadPayload):
        parse_instant(text)


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29),  # noqa: DTZ001
                    timezones=st.just(UTC) | st.just(timezone(timedelta(hours=9)))))  # fmt: skip
def test_an_instant_is_read_as_it_was_written(instant: datetime) -> None:
    text = format_instant(instant)
    assert format_instant(parse_instant(text)) == text


def test_five_minutes_ahead_is_as_far_as_clocks_differ() -> None:
    refuse_future([report(Status.ACCEPTED, 5)], now=minute(0))
    with pytest.raises(BadPayload):
        refuse_future([report(Status.ACCEPTED, 5.01)], now=minute(0))


def test_an_id_depends_on_what_was_said_and_when() -> None:
    one = report(Status.ACCEPTED, 0, reference="a")
    assert one.id == report(Status.ACCEPTED, 0, seen=50, reference="a").id
    assert one.id != report(Status.ACCEPTED, 1, reference="a").id
    assert one.id != report(Status.ACCEPTED, 0, reference="b").id
    assert one.id != report(Status.ACCEPTED, 0, raw="Accepted", reference="a").id


@pytest.mark.parametrize(
    ("one", "other"),
    [("75.00", "75"), ("1E+2", "100"), ("-0.0", "0"), ("0.10", "0.1"), ("1E-3", "0.001")],
)
def test_equal_amounts_have_one_text(one: str, other: str) -> None:
    assert canonical_json(Decimal(one)) == canonical_json(Decimal(other))


def test_a_key_is_one_text_even_when_ids_hold_its_separator() -> None:
    assert str(OrderKey("a", "b/c", "d")) != str(OrderKey("a", "b", "c/d"))


def test_an_action_asked_for_twice_with_one_key_is_one_report() -> None:
    first = report(None, 0, source=Source.PERSON, action="cancel", action_key="k", person="kim")
    again = report(None, 9, source=Source.PERSON, action="cancel", action_key="k", person="lee")
    other = report(None, 0, source=Source.PERSON, action="cancel", action_key="l", person="kim")
    assert first.id == again.id != other.id


@pytest.mark.parametrize("key", [OrderKey("a", "b:c/d", "é %3A"), OrderKey("a", "b", "c")])
def test_a_key_can_be_read_back_from_both_its_texts(key: OrderKey) -> None:
    assert OrderKey.parse(str(key)) == OrderKey.parse(key.path_id) == key
    assert "/" not in key.path_id


@pytest.mark.parametrize("text", ["", "a", "a:b", "a:b:c:d", "a::c"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadOrderId, match="connection:order:item"):
        OrderKey.parse(text)
