"""Waits for the customer, and acknowledgements by people, in the fold of an order."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.orders.details import Details
from milepost.orders.lifecycle import fold
from milepost.orders.order import Attention
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report, Source
from milepost.orders.summary import Wait
from tests.builders import RULES, minute, report
from tests.unit.orders.lifecycle_reports import as_bytes


def test_what_a_person_did_stays_on_the_timeline_and_is_no_fact_of_the_order() -> None:
    noted = report(None, 1, source=Source.PERSON, action="note", person="kim", note="call back")
    order = fold([report(Status.PENDING), noted], RULES)
    assert order.details.keys() & {"action", "person", "note"} == set()
    assert order.last_entry.report.details["note"] == "call back"


def waits_for_notes(_status: Status, details: Details) -> str | None:
    return next((note["text"] for note in details.get("notes", [])), None)


WAITING = Rules(waits=waits_for_notes, examine=lambda _, d: [Attention("missing", str(len(d)))])


def note(text: str) -> dict[str, Any]:
    return {"notes": [{"kind": "other", "text": text}]}


def person(at: float, key: str, **details: Any) -> Report:
    return report(None, at, source=Source.PERSON, action="note", action_key=key, **details)


def some_reports_with_waits() -> st.SearchStrategy[list[Report]]:
    """Reports of a provider that sometimes waits, and of people who acknowledge."""
    said = st.builds(
        lambda status, at, what: report(status, at, **(note(what) if what else {})),
        st.sampled_from(
            [Status.PENDING, Status.ACCEPTED, Status.SCHEDULED, Status.COMPLETED, None]
        ),
        st.integers(0, 6),
        st.sampled_from([None, "payment", "signature"]),
    )
    seen_to = st.builds(
        lambda at, key, reasons: person(at, f"key-{key}", acknowledged=reasons),
        st.integers(0, 6),
        st.integers(0, 99),
        st.lists(st.sampled_from([Attention("missing", str(n)).id for n in range(3)]), max_size=2),
    )
    return st.lists(
        st.one_of(said, said, seen_to), min_size=1, max_size=12, unique_by=lambda r: r.id
    )


@given(some_reports_with_waits(), st.data())
def test_waits_and_acknowledgements_are_the_same_in_any_order_and_number(
    reports: list[Report], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(reports), max_size=8))
    shuffled = data.draw(st.permutations([*reports, *again]))
    whole = as_bytes(fold(reports, WAITING))
    assert as_bytes(fold(shuffled, WAITING)) == whole
    order = fold(shuffled[:1], WAITING)
    for one in shuffled[1:]:
        order = fold([*(entry.report for entry in order.timeline), one], WAITING, order.summary)
    assert as_bytes(order) == whole


def test_a_stage_counts_how_long_it_waited_and_what_for() -> None:
    life = [
        report(Status.PENDING, 0, **note("payment")),
        report(Status.PENDING, 10),
        report(Status.PENDING, 15, **note("signature")),
        report(Status.PENDING, 18, **note("contact")),
    ]
    orders = [fold(life[:count], WAITING) for count in range(1, 5)]
    assert [order.waiting for order in orders] == [
        Wait("payment", minute(0)),
        None,
        Wait("signature", minute(15)),
        Wait("contact", minute(18)),
    ]
    assert [order.waited for order in orders] == [timedelta(minutes=m) for m in (0, 10, 10, 13)]


def test_each_stage_counts_its_own_waits_and_a_closed_order_waits_for_nothing() -> None:
    waited = [report(Status.PENDING, 0, **note("payment")), report(Status.PENDING, 10)]
    moved = fold([*waited, report(Status.ACCEPTED, 20, **note("signature"))], WAITING)
    assert (moved.waited, moved.waiting) == (timedelta(0), Wait("signature", minute(20)))
    closed = fold([*waited, report(Status.COMPLETED, 20, **note("signature"))], WAITING)
    assert (closed.waited, closed.waiting) == (timedelta(0), None)


def test_what_a_person_noted_ends_no_wait() -> None:
    order = fold([report(Status.PENDING, 0, **note("payment")), person(5, "k", note="x")], WAITING)
    assert order.waiting == Wait("payment", minute(0))


def test_waits_and_acknowledgements_outlive_the_summary() -> None:
    gone = Attention("missing", "2").id
    first = [report(Status.PENDING, 0, **note("payment")), report(Status.PENDING, 7)]
    more = [report(Status.PENDING, at, account_number=f"AC-{at}") for at in range(8, 8 + 130)]
    order = fold([*first, person(2, "k", acknowledged=[gone]), *more], WAITING)
    assert order.summary is not None
    assert (order.waited, order.waiting) == (timedelta(minutes=7), None)
    assert order.acknowledged == {gone}
    assert order.attention == ()


def test_what_a_person_acknowledged_shows_no_more_until_it_comes_with_other_facts() -> None:
    strange = report(None, 5, raw="on_hold")
    reason = fold([report(Status.PENDING, 0), strange], RULES).attention[0]
    seen = person(9, "k", acknowledged=[reason.id])
    assert fold([report(Status.PENDING, 0), strange, seen], RULES).attention == ()
    again = report(None, 12, raw="on_hold")
    shown = fold([report(Status.PENDING, 0), strange, seen, again], RULES).attention
    assert [one.code for one in shown] == ["unknown_status"]
    assert shown[0].id != reason.id


def test_only_a_person_acknowledges() -> None:
    strange = report(None, 5, raw="on_hold")
    reason = fold([strange], RULES).attention[0]
    claim = report(None, 6, source=Source.WEBHOOK, acknowledged=[reason.id])
    assert fold([strange, claim], RULES).attention == (reason,)
