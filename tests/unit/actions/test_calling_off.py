"""Planned actions: called off, also while their time comes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from milepost.actions.action import (
    KeyReused,
    NotAllowed,
)
from milepost.actions.perform import PUT_OFF
from milepost.actions.schedule import RUN_WITHIN, find_planned, start_plan
from milepost.common.timestamps import whole_milliseconds
from milepost.orders.details import Result
from milepost.providers.session import Conversation
from tests.unit.actions.planned_actions import HOUR, SPIRII
from tests.unit.actions.provider_counter import Counter


def test_a_plan_that_is_called_off_just_before_the_call_is_not_carried_out(
    counter: Counter,
) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    (call,) = counter.plans.due
    # The plan has been read, and its start is about to be written.
    counter.orders.before_write = lambda: counter.call_off(key, "fulfill") and None
    assert counter.run(call) is None
    assert counter.noted(SPIRII) == []
    assert [r.details["result"] for r in counter.by_people(key)] == ["planned", "called_off"]


def during_the_call(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, decide: Callable[[], object]
) -> list[str]:
    """What a person is told who decides while the provider is called."""
    told: list[str] = []
    call = Conversation.call

    def calling(conversation: Conversation, *args: Any, **more: Any) -> Any:
        monkeypatch.setattr(Conversation, "call", call)
        with pytest.raises(NotAllowed) as no:
            decide()
        told.append(str(no.value))
        return call(conversation, *args, **more)

    monkeypatch.setattr(Conversation, "call", calling)
    return told


def test_it_is_too_late_to_call_off_what_is_being_carried_out(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    told = during_the_call(counter, monkeypatch, lambda: counter.call_off(key, "fulfill"))
    (call,) = counter.plans.due
    counter.ahead = HOUR
    done = counter.run(call)
    assert done is not None
    assert done.result is Result.DONE
    assert "It is too late: the planned fulfill has been started at" in told[0]
    results = [r.details["result"] for r in counter.by_people(key)]
    # All within one millisecond, they have no order in time.
    assert sorted(results) == ["done", "planned", "started"]


@pytest.mark.parametrize("what", ["changed", "done at once"])
def test_a_plan_that_is_being_carried_out_is_neither_changed_nor_done_at_once(
    what: str, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, later = counter.create(SPIRII), counter.now() + 2 * HOUR
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    (call,) = counter.plans.due
    told = during_the_call(
        counter,
        monkeypatch,
        lambda: (
            counter.plan(key, "fulfill", at=later, id="p2")
            if what == "changed"
            else counter.ask(key, "fulfill")
        ),
    )
    assert counter.run(call) is not None
    assert "It is too late" in told[0]
    assert list(counter.plans.due) == [call]
    assert len(counter.noted(SPIRII)) == 1


def test_a_plan_whose_provider_is_down_can_be_called_off_between_two_tries(
    counter: Counter,
) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    counter.sandboxes.accounts[SPIRII].faults.add(
        {"fault": "500", "times": 1, "on": {"method": "POST"}}
    )
    counter.ahead = HOUR
    assert counter.run_due() == [None]
    with pytest.raises(NotAllowed, match="too late"):
        counter.call_off(key, "fulfill")
    counter.ahead += RUN_WITHIN
    assert counter.call_off(key, "fulfill").result is Result.CALLED_OFF
    counter.ahead += PUT_OFF[0]
    assert counter.run_due() in ([], [None])
    assert counter.noted(SPIRII) == []


@pytest.mark.parametrize("first", ["the start", "the change"])
def test_of_two_who_decide_at_the_same_time_the_first_to_write_decides(
    first: str, counter: Counter
) -> None:
    key, later = counter.create(SPIRII), counter.now() + 2 * HOUR
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    (call,) = counter.plans.due
    ran: list[object] = []

    request = find_planned(call, counter.order(key))
    assert request is not None

    def start() -> None:
        ran.append(start_plan(call, request, tools=counter.tools(SPIRII)))

    def change() -> None:
        counter.plan(key, "fulfill", at=later, id="p2")

    if first == "the start":
        counter.orders.before_write = start
        with pytest.raises(NotAllowed, match="too late"):
            change()
        assert ran == [True]
    else:
        counter.orders.before_write = change
        start()
        assert ran == [False]


def test_an_order_that_is_erased_just_before_the_call_is_not_acted_on(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    (call,) = counter.plans.due

    def erase() -> None:
        known = counter.tracked(key)
        counter.orders.kept[key] = replace(
            known, version=known.version + 1, erased_at=counter.now()
        )

    counter.orders.before_write = erase
    assert counter.run(call) is None
    assert counter.noted(SPIRII) == []


def test_a_plan_that_is_called_off_is_not_carried_out(counter: Counter) -> None:
    key, at = counter.create(SPIRII), counter.now() + HOUR
    counter.plan(key, "fulfill", at=at)
    (call,) = counter.plans.due
    off = counter.call_off(key, "fulfill")
    assert (off.result, off.planned_for) == (Result.CALLED_OFF, whole_milliseconds(at))
    assert counter.plans.due == {}
    assert counter.run(call) is None
    assert counter.noted(SPIRII) == []
    assert counter.call_off(key, "fulfill").repeated
    assert [r.details["result"] for r in counter.by_people(key)] == ["planned", "called_off"]


def test_what_is_not_planned_cannot_be_called_off(counter: Counter) -> None:
    key = counter.create(SPIRII)
    with pytest.raises(NotAllowed, match="No fulfill is planned"):
        counter.call_off(key, "fulfill")


def test_the_key_of_a_plan_is_not_that_of_its_calling_off(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR, id="p1")
    with pytest.raises(KeyReused):
        counter.call_off(key, "fulfill", id="p1")
    with pytest.raises(KeyReused):
        counter.plan(key, "fulfill", at=counter.now() + 2 * HOUR, id="p1")
