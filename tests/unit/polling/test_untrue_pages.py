"""Pages whose count, flag or emptiness can't be right: no order is missed without a failed poll."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from milepost.polling import state
from milepost.polling.result import PollOutcome
from milepost.providers.base import Response
from tests.builders import minute
from tests.unit.polling.polls import Wire, World, answer
from tests.unit.providers.declared.declared_files import CONNECTION, ORDER, declared
from tests.unit.providers.four_providers import MODELS

IDS = [str(number) for number in range(1, 6)]
"""Five orders, two on a page."""

NUMBERED = {"kind": "number", "parameter": "page", "pages": "count"}
OFFSET = {"kind": "offset", "parameter": "offset", "total": "count"}
FLAGGED = {"kind": "number", "parameter": "page", "has_more": "count"}


def world_of(pages: dict[str, Any] | None, rule: Callable[[dict[str, str]], Response]) -> World:
    """A connection to SUBS, or to a declared provider with such pages."""
    if pages is None:
        model = MODELS["subs"]
        world = World(replace(model.connection, page_size=2), model.provider, Wire(rule))
    else:
        provider = declared(list={"path": "/orders", "items": "data.orders", "pages": pages})
        world = World(replace(CONNECTION, page_size=2), provider, Wire(rule))
    world.credentials = {"token": "t"}
    return world


def page_of(pages: dict[str, Any] | None, ids: list[str], count: Any) -> Response:
    if pages is None:
        orders = [MODELS["subs"].order(one, "x", minute(0)) for one in ids]
        return answer({"data": orders, "page": 1, "last_page": count})
    return answer({"data": {"orders": [{**ORDER, "id": one} for one in ids]}, "count": count})


def asked_for(query: dict[str, str]) -> list[str]:
    start = int(query["offset"]) if "offset" in query else (int(query["page"]) - 1) * 2
    return IDS[start : start + 2]


def recorded(world: World) -> list[str]:
    return sorted(key.order_id for key in world.orders.kept)


@pytest.mark.parametrize(
    ("pages", "count"), [(None, 0), (NUMBERED, 0), (OFFSET, 0), (OFFSET, 1), (OFFSET, 3)]
)
def test_a_count_that_is_less_than_what_was_listed_ends_no_list(
    pages: dict[str, Any] | None, count: int
) -> None:
    world = world_of(pages, lambda query: page_of(pages, asked_for(query), count))
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert recorded(world) == IDS


@pytest.mark.parametrize(
    ("pages", "count"), [(None, 3), (NUMBERED, 3), (OFFSET, 5), (FLAGGED, True)]
)
def test_an_empty_page_that_says_there_are_more_fails_the_poll_and_loses_nothing(
    pages: dict[str, Any] | None, count: Any
) -> None:
    gaps = [True]

    def rule(query: dict[str, str]) -> Response:
        ids = asked_for(query)
        if ids == ["3", "4"] and gaps[0]:
            return page_of(pages, [], count)
        is_end = ids == ["5"] and pages is FLAGGED
        return page_of(pages, ids, False if is_end else count)

    world = world_of(pages, rule)
    failed = world.poll()
    assert failed.outcome is PollOutcome.FAILED
    assert failed.error == "an empty page says that there are more"
    assert (recorded(world), world.cursor) == (["1", "2"], None)
    gaps[0] = False
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert recorded(world) == IDS


@pytest.mark.parametrize("pages", [None, NUMBERED, OFFSET])
@pytest.mark.parametrize("count", ["²", "٣", "1e3", 3.5, -1, True, None, [], {}])
def test_a_count_that_is_no_number_fails_the_poll_by_name(
    count: Any, pages: dict[str, Any] | None
) -> None:
    result = world_of(pages, lambda query: page_of(pages, asked_for(query), count)).poll()
    assert result.outcome is PollOutcome.FAILED
    assert result.error == "the page doesn't say how many there are"


def test_empty_pages_that_go_on_for_ever_fail_the_poll_also_across_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "MOST_EMPTY_PAGES", 7)
    model = MODELS["offergrid"]
    last = json.dumps(model.order("last", "x", minute(0))).encode()

    def rule(query: dict[str, str]) -> Response:
        place = int(query.get("cursor", "0"))
        if place == ends_at:
            return Response(200, {}, model.page([last], None, 1, query))
        return Response(200, {}, model.page([], str(place + 1), 1, query))

    ends_at = 6
    world = World(model.connection, model.provider, Wire(rule))
    world.time_for_pages = 3
    assert [world.poll().outcome for _ in range(3)] == [*["paused"] * 2, "complete"]
    assert recorded(world) == ["last"]
    ends_at = -1
    world = World(model.connection, model.provider, Wire(rule))
    world.time_for_pages = 3
    results = [world.poll() for _ in range(3)]
    assert [one.outcome for one in results] == [*["paused"] * 2, "failed"]
    assert results[-1].error == "the last 7 pages had no orders, and each says that there are more"
    assert not world.is_paused


@pytest.mark.parametrize("status", [404, 500])
def test_a_failure_shows_nothing_of_the_url_that_the_provider_gave(status: int) -> None:
    pages = {"kind": "url", "next": "next"}
    following = "/v2/orders/kim%40example.org?email=kim%40example.org&sig=s3cret"

    def rule(query: dict[str, str]) -> Response:
        if query:
            return Response(status, {}, b"")
        return answer({"data": {"orders": [ORDER]}, "next": following})

    result = world_of(pages, rule).poll()
    assert result.error == f"the provider answered {status} for /orders"
