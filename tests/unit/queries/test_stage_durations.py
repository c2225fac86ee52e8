"""However the stream brings changes, the figures are those of the orders as they stand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.status import StageLevel, Status
from milepost.orders.order import OrderKey
from milepost.orders.provider_rules import Rules
from milepost.orders.search_terms import customer_id_of_email
from milepost.orders.stages import measured_stages
from milepost.queries.histogram import StageKey, Tally, sum_by_raw_status, sum_by_stage
from milepost.queries.stage_durations import change_of, count
from tests.builders import KEY, RULES, minute, report, tracked
from tests.stream import Figures, Stream, split

OTHER = OrderKey("rabot-energy", "V-1", "V-1")
FORGIVING = Rules(recovers={"rejected": frozenset({Status.ACCEPTED})})
EMAIL = "lena@example.de"


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """A few lives at once: late reports, corrections, erasures, removals and second lives."""
    stream = Stream(FORGIVING)
    reports = st.builds(
        report,
        st.sampled_from([*(s for s in Status if s is not Status.UNKNOWN), None]),
        st.integers(0, 60 * 24 * 60),
        key=st.sampled_from([KEY, OTHER]),
        raw=st.sampled_from([None, "Processing", "Contract Generated", "contract  generated"]),
        service_type=st.sampled_from(["internet", "energy"]),
    )
    for step in draw(st.lists(st.one_of(reports, st.sampled_from(["erase", "remove"])))):
        key = draw(st.sampled_from([KEY, OTHER]))
        match step:
            case "erase":
                stream.erase(key)
            case "remove":
                stream.remove(key)
            case _:
                stream.report(step)
    return stream


def counted_from_scratch(stream: Stream) -> Figures:
    figures = Figures()
    for change in stream.changes:
        figures.take([change])
    return figures


@pytest.mark.thorough
@given(streams(), st.data())
def test_redelivery_and_splitting_change_nothing(stream: Stream, data: st.DataObject) -> None:
    changes, figures = stream.changes, Figures()
    sizes = data.draw(st.lists(st.integers(1, 5)))
    for batch in split(changes, sizes):
        # A batch comes again from some place on, once or more often.
        for start in [0, *data.draw(st.lists(st.integers(0, 4), max_size=2))]:
            figures.take(batch[start:])
    assert figures.seen() == counted_from_scratch(stream).seen()


@pytest.mark.thorough
@given(streams(), st.data())
def test_the_order_in_which_changes_come_does_not_matter(
    stream: Stream, data: st.DataObject
) -> None:
    changes, figures = stream.changes, Figures()
    again = data.draw(st.lists(st.sampled_from(changes), max_size=6)) if changes else []
    shuffled = data.draw(st.permutations([*changes, *again]))
    for batch in split(shuffled, data.draw(st.lists(st.integers(1, 5)))):
        figures.take(batch)
    assert figures.seen() == counted_from_scratch(stream).seen()


@given(streams())
def test_the_counts_are_those_of_the_orders_that_are_there(stream: Stream) -> None:
    figures = counted_from_scratch(stream)
    there = [one for one in stream.now.values() if one and one.erased_at is None]
    assert figures.statuses.total() == len(there)
    for one in there:
        assert figures.statuses[one.order.key.connection, one.order.status] == 1


@given(streams(), st.data())
def test_orders_read_from_the_table_may_come_at_any_time(
    stream: Stream, data: st.DataObject
) -> None:
    """As long as none was removed, which the table doesn't tell."""
    writes = [(before, after) for before, after in stream.writes if after]
    kept = [key for key in (KEY, OTHER) if all(w[1] for w in stream.writes if of(w) == key)]
    figures, plain = Figures(), Figures()
    for number, (before, after) in enumerate(writes, start=1):
        if after.order.key not in kept or after.erased_at:
            continue
        change = change_of(before, after, sequence=f"{number:040d}")
        plain.take([change])
        if data.draw(st.booleans()):
            figures.take([change_of(None, after)])
        figures.take([change])
        if data.draw(st.booleans()):
            figures.take([change_of(None, after)])
    assert figures.seen() == plain.seen()


@given(streams())
def test_figures_by_raw_status_are_those_of_the_orders_that_are_there(stream: Stream) -> None:
    """As long as none was removed, whose stages took the time that they took."""
    gone = {of(write) for write in stream.writes if write[1] is None}
    expected: dict[StageKey, Tally] = {}
    for one in stream.now.values():
        if one is None or one.order.key in gone:
            continue
        for stage in measured_stages(one.order):
            key = StageKey(
                one.order.key.connection,
                f"{stage.left:%Y-%m}",
                one.order.details.get("service_type", ""),
                stage.status,
                stage.raw_status or "",
                stage.level,
            )
            lasted = round((stage.left - stage.entered).total_seconds() * 1000)
            expected.setdefault(key, Tally()).add(lasted)
    figures = Figures()
    figures.take(change for change in stream.changes if change.key not in gone)
    for change in stream.changes:
        figures.take([change] if change.key not in gone else [])
    for summed in (sum_by_stage, sum_by_raw_status):
        assert summed(figures.stages.items()) == summed(expected.items())


def test_a_backfill_counts_raw_statuses_that_an_earlier_version_did_not_tell_apart() -> None:
    life = tracked(
        report(Status.ACCEPTED, 0, raw="Contract Generated"),
        report(Status.ACCEPTED, 10, raw="Connection Fee Generated"),
        report(Status.IN_PROGRESS, 30, raw="Installation Initiated"),
    )
    change = change_of(None, life)
    (whole,) = [one for one in change.after.stages if one.level is StageLevel.STATUS]
    as_before = (replace(whole, level=StageLevel.BOTH),)
    figures = Figures()
    earlier = replace(change.after, stages=as_before, form=1, sequence="1")
    figures.take([replace(change, after=earlier)])
    for _ in range(2):
        figures.take([change_of(None, life)])
    assert [(one.stage, one.count, one.mean) for one in sum_by_stage(figures.stages.items())] == [
        (Status.ACCEPTED, 1, 1800)
    ]
    found = sum_by_raw_status(figures.stages.items())
    assert [(one.raw_status, one.count, one.mean) for one in found] == [
        ("Connection Fee Generated", 1, 1200),
        ("Contract Generated", 1, 600),
    ]


def of(write: tuple[object, object]) -> OrderKey:
    known = write[1] or write[0]
    return known.order.key  # type: ignore[union-attr, attr-defined, no-any-return]


def test_an_erased_order_leaves_the_counts_but_the_time_it_took_stays() -> None:
    stream = Stream(RULES)
    stream.report(report(Status.PENDING, 0, customer={"email": EMAIL}, reference="PP-1"))
    stream.report(report(Status.ACCEPTED, 5))
    stream.erase(KEY)
    figures = counted_from_scratch(stream)
    counted = figures.counted[KEY]
    assert (counted.status, counted.reference, counted.customer) == (None, None, None)
    assert [(one.status, one.milliseconds) for one in counted.stages] == [(Status.PENDING, 300_000)]
    assert +figures.statuses == {}


def test_what_an_order_is_found_by_is_counted_with_it() -> None:
    one = tracked(report(Status.ACCEPTED, customer={"email": EMAIL}, reference="PP-1"))
    counted = count(None, [change_of(None, one)])
    assert counted is not None
    assert (counted.reference, counted.customer) == ("PP-1", customer_id_of_email(EMAIL))


def test_a_stage_belongs_to_the_month_in_which_it_was_left() -> None:
    month = 60 * 24 * 31
    one = tracked(report(Status.PENDING, 0), report(Status.ACCEPTED, month))
    (stage,) = change_of(None, one).after.stages
    assert stage.month == f"{minute(month):%Y-%m}" == "2026-04"


def test_a_write_about_something_else_needs_no_write_of_the_figures() -> None:
    before = tracked(report(Status.ACCEPTED, 0))
    after = replace(tracked(report(Status.ACCEPTED, 0), report(None, 5)), version=2)
    stream = Stream(RULES, [(None, before), (before, after)])
    figures = counted_from_scratch(stream)
    assert figures.counted[KEY].version == 1


def test_a_change_of_nothing_to_nothing_is_none() -> None:
    with pytest.raises(ValueError, match="an order before it, after it, or both"):
        change_of(None, None)


def test_a_tombstone_that_comes_alone_counts_the_time_that_its_order_took() -> None:
    life = tracked(report(Status.PENDING, 0), report(Status.ACCEPTED, 5))
    counted = count(None, [change_of(None, replace(life, erased_at=minute(9)))])
    assert counted is not None
    assert (counted.status, len(counted.stages)) == (None, 1)
