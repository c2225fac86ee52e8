"""What polls know of pages and orders that they have seen before."""

import json
from dataclasses import replace

import pytest

from milepost.common.status import Status
from milepost.polling import page_cache
from milepost.polling.page_cache import hash_of
from milepost.polling.page_json import read_page_json
from milepost.polling.result import PollOutcome
from milepost.providers.base import Json
from tests.builders import minute, offergrid_order, rabot_order, rabot_page
from tests.unit.polling.polls import an_order, answer, offergrid, rabot


def test_a_poll_of_unchanged_orders_records_nothing() -> None:
    world = offergrid([an_order(number) for number in range(30)])
    world.poll()
    world.before_record = lambda: pytest.fail("an unchanged order was taken in again")
    result = world.poll()
    assert (result.outcome, result.orders, result.changed) == (PollOutcome.COMPLETE, 30, 0)


def test_a_provider_without_a_clock_is_compared_with_the_last_poll() -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(25)]
    world = rabot(orders)
    world.poll()
    orders[7] = rabot_order("Processing", contractNumber="V-7")
    result = world.poll()
    assert (result.changed, result.recorded) == (1, 1)
    assert world.statuses()["V-7"] is Status.SUBMITTED
    (kept,) = (k for key, k in world.orders.kept.items() if key.order_id == "V-7")
    assert kept.order.since == world.now


def test_of_pages_that_come_again_to_the_byte_no_order_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(25)]
    world = rabot(orders)
    world.connection = replace(world.connection, page_size=10)
    world.poll()
    looked_at: list[Json] = []
    monkeypatch.setattr(page_cache, "hash_of", lambda o: looked_at.append(o) or hash_of(o))
    orders[24] = rabot_order("Processing", contractNumber="V-24")
    assert world.poll().changed == 1
    assert 0 < len(looked_at) < len(orders)


def test_a_page_that_is_asked_for_and_comes_as_it_did_before_is_not_even_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(25)]
    world = rabot(orders)
    world.connection = replace(world.connection, page_size=10)
    first = world.poll()
    read: list[bytes] = []
    monkeypatch.setattr(
        page_cache,
        "read_page_json",
        lambda raw, path: read.append(raw) or read_page_json(raw, path),
    )
    second = world.poll()
    assert (second.outcome, second.pages, second.orders) == (
        PollOutcome.COMPLETE,
        first.pages,
        first.orders,
    )
    assert read == []
    orders[24] = rabot_order("Processing", contractNumber="V-24")
    assert world.poll().changed == 1
    assert 0 < len(read) < first.pages


def test_a_page_that_comes_again_at_another_place_is_followed_by_what_follows_there() -> None:
    first, second, new = (
        [rabot_order(contractNumber=f"V-{name}-{number}") for number in range(20)]
        for name in ("a", "b", "new")
    )
    world = rabot([])
    world.connection = replace(world.connection, page_size=20)

    def serve(*served: list[Json]) -> None:
        bodies = [rabot_page(one, more=one is not served[-1]) for one in served]
        # Ten of twenty overlap, so that the next page is ten further on.
        world.wire.rule = lambda query: answer(bodies[int(query["offset"]) // 10])

    serve(first, second)
    world.poll()
    serve(new, first, second)
    result = world.poll()
    assert (result.outcome, result.pages, result.changed) == (PollOutcome.COMPLETE, 3, 20)


def test_what_was_kept_of_pages_in_another_way_was_not_seen() -> None:
    world = rabot([rabot_order("Processing")])
    world.poll()
    world.hashes.kept = dict.fromkeys(world.hashes.kept, b"\x00" * 40)
    result = world.poll()
    assert (result.outcome, result.changed, result.recorded) == (PollOutcome.COMPLETE, 1, 0)


def test_orders_of_a_page_that_did_not_change_are_known_when_they_move_to_another() -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(25)]
    world = rabot(orders)
    world.poll()
    assert world.poll().changed == 0
    orders.insert(0, rabot_order(contractNumber="V-new"))
    result = world.poll()
    assert (result.changed, result.recorded) == (1, 1)


def test_a_page_that_goes_back_to_what_it_once_was_has_changed() -> None:
    orders = [rabot_order("PendingDelivery")]
    world = rabot(orders)
    world.poll()
    orders[0] = rabot_order("Delivery")
    world.poll()
    orders[0] = rabot_order("PendingDelivery")
    assert world.poll().changed == 1


def test_an_order_that_could_not_be_taken_in_is_looked_at_again_on_the_same_page() -> None:
    world = offergrid([])
    page = answer({"orders": [an_order(1), an_order(2, changed=600)], "nextCursor": None})
    world.wire.rule = lambda _query: page
    world.poll()
    assert len(world.quarantined) == 1
    world.now = minute(600)
    result = world.poll()
    assert (result.changed, result.recorded) == (1, 1)


def test_lost_digests_cost_time_and_nothing_else() -> None:
    world = rabot([rabot_order("Processing")])
    world.poll()
    world.hashes.kept.clear()
    result = world.poll()
    assert (result.changed, result.recorded) == (1, 0)


def test_what_a_paused_poll_saw_is_unchanged_for_the_one_after() -> None:
    orders = [rabot_order(contractNumber=f"V-{number}") for number in range(60)]
    world = rabot(orders, page_size=20)
    world.time_for_pages = 2
    while world.poll().outcome is PollOutcome.PAUSED:
        pass
    world.before_record = lambda: pytest.fail("an unchanged order was taken in again")
    while world.poll().outcome is PollOutcome.PAUSED:
        pass
    assert len(world.statuses()) == 60


def test_an_order_with_a_repeated_key_is_quarantined_once_it_is_new() -> None:
    world = offergrid([an_order(1)], limit=2)
    assert world.poll().outcome is PollOutcome.COMPLETE
    body = json.dumps({"orders": [{**an_order(1), "reference": "PP-2"}], "nextCursor": None})
    world.wire.queued = [
        answer(body.replace('"reference"', '"reference": "PP-1", "reference"').encode())
    ]
    result = world.poll()
    assert (result.outcome, result.recorded) == (PollOutcome.COMPLETE, 0)
    assert [why for _, why in world.quarantined] == ["a key is given twice in one object"]


def test_a_digit_far_behind_the_point_makes_an_order_another() -> None:
    first, second = (
        json.dumps({"orders": [offergrid_order()]}).replace(
            "75.5", f"75.5000000000000000000000{digit}"
        )
        for digit in "12"
    )
    assert first != second
    read = [
        hash_of(read_page_json(text.encode(), ("orders",)).orders[0])
        for text in (first, first, second)
    ]
    assert read[0] == read[1] != read[2]
