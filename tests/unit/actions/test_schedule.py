"""Planning for later, changing it, calling it off, and what happens when the time comes."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from milepost.actions.action import (
    KeyReused,
    NotAllowed,
    PlannedCall,
    ProviderDown,
    RefusedByProvider,
)
from milepost.actions.perform import PUT_OFF
from milepost.actions.schedule import RUN_WITHIN, SOONEST
from milepost.common.status import Status
from milepost.common.timestamps import format_instant, whole_milliseconds
from milepost.orders.action_results import current_plan
from milepost.orders.details import Result
from milepost.providers.base import BadArgument
from milepost.providers.session import Conversation
from tests.fakes.requests import MemoryPlans
from tests.unit.actions.planned_actions import HOUR, SPIRII
from tests.unit.actions.provider_counter import Counter


def test_a_planned_action_is_done_when_its_time_has_come(counter: Counter) -> None:
    key, at = counter.create(SPIRII), counter.now() + HOUR
    planned = counter.plan(key, "fulfill", at=at)
    assert (planned.result, planned.planned_for) == (Result.PLANNED, whole_milliseconds(at))
    assert counter.noted(SPIRII) == []
    assert counter.run_due() == []
    counter.ahead = HOUR
    (done,) = counter.run_due()
    assert done is not None
    assert (done.result, done.person) == (Result.DONE, "kim")
    assert [one["action"] for one in counter.noted(SPIRII)] == ["fulfill"]
    assert counter.order(key).status is Status.COMPLETED
    assert [r.details["result"] for r in counter.by_people(key)] == ["planned", "started", "done"]
    assert {r.details["planned_for"] for r in counter.by_people(key)} == {format_instant(at)}
    assert current_plan(counter.order(key), "fulfill") is None


def test_a_schedule_that_fires_twice_does_it_once(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    (call,) = counter.plans.due
    assert counter.run(call) is not None
    assert counter.run(call) is None
    assert len(counter.noted(SPIRII)) == 1


def test_a_changed_plan_takes_the_place_of_the_one_before(counter: Counter) -> None:
    key, at = counter.create(SPIRII), counter.now()
    counter.plan(key, "fulfill", at=at + HOUR, id="p1")
    (before,) = counter.plans.due
    counter.plan(key, "fulfill", at=at + 2 * HOUR, id="p2")
    assert list(counter.plans.due.values()) == [at + 2 * HOUR]
    assert counter.run(before) is None, "also when its schedule could not be taken back"
    assert counter.noted(SPIRII) == []
    assert [r.details["result"] for r in counter.by_people(key)] == ["planned", "planned"]


def test_planning_again_with_the_same_key_plans_once(counter: Counter) -> None:
    key, at = counter.create(SPIRII), whole_milliseconds(counter.now()) + HOUR
    counter.plan(key, "fulfill", at=at)
    assert counter.plan(key, "fulfill", at=at).repeated
    assert len(counter.plans.due) == 1
    assert len(counter.by_people(key)) == 1


def test_a_schedule_that_fires_as_soon_as_it_is_made_finds_its_plan(counter: Counter) -> None:
    key, ran = counter.create(SPIRII), []

    class Firing(MemoryPlans):
        def put(self, call: PlannedCall, *, at: datetime) -> None:
            ran.append(counter.run(call))

    counter.plans = Firing()
    counter.plan(key, "fulfill", at=counter.now() + timedelta(seconds=1))
    (done,) = ran
    assert done is not None
    assert done.result is Result.DONE
    assert current_plan(counter.order(key), "fulfill") is None


def test_a_schedule_is_never_made_for_a_time_that_is_past_by_then(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + timedelta(seconds=1))
    (at,) = counter.plans.due.values()
    assert at - counter.now() > SOONEST / 2


def test_a_plan_whose_schedule_could_not_be_made_gets_it_when_it_is_asked_for_again(
    counter: Counter,
) -> None:
    key, at = counter.create(SPIRII), whole_milliseconds(counter.now()) + HOUR

    class Broken(MemoryPlans):
        def put(self, call: PlannedCall, *, at: datetime) -> None:
            raise ConnectionError

    counter.plans = Broken()
    with pytest.raises(ConnectionError):
        counter.plan(key, "fulfill", at=at)
    counter.plans = MemoryPlans()
    assert counter.plan(key, "fulfill", at=at).repeated
    assert list(counter.plans.due.values()) == [at]


def test_an_order_that_is_closed_when_the_time_comes_is_left_alone(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    counter.move(key, status="Cancelled")
    counter.ahead = HOUR
    (done,) = counter.run_due()
    assert done is not None
    assert (done.result, done.answered) == (Result.REFUSED, None)
    assert "an order that is cancelled" in str(done.outcome)
    assert counter.noted(SPIRII) == []
    assert counter.by_people(key)[-1].details["result"] == "refused"


def test_the_providers_refusal_of_a_planned_action_is_recorded(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    counter.move(key, seen=False, status="Cancelled")
    counter.ahead = HOUR
    (done,) = counter.run_due()
    assert done is not None
    assert (done.result, done.answered) == (Result.REFUSED, 409)
    assert done.outcome == f"Order {key.order_id} is Cancelled"


def test_doing_it_at_once_takes_back_the_plan(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    counter.ask(key, "fulfill")
    assert counter.plans.due == {}
    assert current_plan(counter.order(key), "fulfill") is None


def test_a_provider_that_is_down_at_the_time_is_asked_later_and_then_given_up(
    counter: Counter,
) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    down = {"fault": "500", "times": None, "on": {"method": "POST"}}
    counter.sandboxes.accounts[SPIRII].faults.add(down)
    counter.ahead = HOUR
    for wait in PUT_OFF:
        assert counter.run_due() == [None]
        assert current_plan(counter.order(key), "fulfill") is not None
        counter.ahead += wait + timedelta(seconds=5)
    (given_up,) = counter.run_due()
    assert given_up is not None
    assert given_up.result is Result.FAILED
    # The sandbox may answer within the millisecond in which it was asked.
    outcomes = [one.details.get("outcome") for one in counter.by_people(key)]
    assert [one for one in outcomes if one] == [given_up.outcome]
    assert counter.plans.due == {}


def test_a_planned_action_is_done_by_a_later_try(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    counter.sandboxes.accounts[SPIRII].faults.add(
        {"fault": "500", "times": 1, "on": {"method": "POST"}}
    )
    counter.ahead = HOUR
    assert counter.run_due() == [None]
    counter.ahead += PUT_OFF[0] + timedelta(seconds=5)
    (done,) = counter.run_due()
    assert done is not None
    assert done.result is Result.DONE
    assert len(counter.noted(SPIRII)) == 1


def test_a_time_that_is_past_or_too_far_away_is_refused(counter: Counter) -> None:
    key = counter.create(SPIRII)
    with pytest.raises(BadArgument, match="is in the past"):
        counter.plan(key, "fulfill", at=counter.now() - timedelta(seconds=1))
    with pytest.raises(BadArgument, match="366 days"):
        counter.plan(key, "fulfill", at=counter.now() + timedelta(days=400))
    assert counter.plans.due == {}


def test_only_what_makes_sense_later_can_be_planned(counter: Counter) -> None:
    key = counter.create(SPIRII)
    with pytest.raises(BadArgument, match="cancel can't be planned"):
        counter.plan(key, "cancel", at=counter.now() + HOUR)


def test_a_plan_that_was_never_recorded_does_nothing(counter: Counter) -> None:
    key, at = counter.create(SPIRII), counter.now()
    counter.plan(key, "fulfill", at=at + HOUR, id="p1")
    kept = counter.tracked(key)
    counter.plan(key, "fulfill", at=at + 2 * HOUR, id="p2")
    (lost,) = (call for call in counter.plans.due if call.key == "p2")
    # The worker died before it could write: the plan before still holds.
    counter.orders.kept[key] = kept
    assert counter.run(lost) is None
    plan = current_plan(counter.order(key), "fulfill")
    assert plan is not None
    assert plan.key == "p1"


def test_a_plan_whose_time_comes_while_a_person_has_it_done_is_not_carried_out_as_well(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    (planned,) = counter.plans.due
    counter.ahead = HOUR
    ran: list[object] = []
    call = Conversation.call

    def calling(conversation: Conversation, *args: Any, **more: Any) -> Any:
        monkeypatch.setattr(Conversation, "call", call)
        ran.extend(counter.run_due())
        return call(conversation, *args, **more)

    monkeypatch.setattr(Conversation, "call", calling)
    assert counter.ask(key, "fulfill").result is Result.DONE
    assert ran == [None]
    assert list(counter.plans.due) == [replace(planned, attempt=2)], "until it is known"
    counter.ahead += RUN_WITHIN
    assert counter.run_due() == [None]
    assert len(counter.noted(SPIRII)) == 1
    results = [r.details["result"] for r in counter.by_people(key)]
    # All within one millisecond, they have no order in time.
    assert sorted(results) == ["done", "planned", "started"]


def test_of_a_plan_and_a_person_who_has_it_done_the_first_to_start_decides(
    counter: Counter,
) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    (planned,) = counter.plans.due
    # The person's request has read the order, and is about to write its start.
    counter.orders.before_write = lambda: counter.run(planned) and None
    with pytest.raises(NotAllowed, match="changed meanwhile"):
        counter.ask(key, "fulfill")
    assert len(counter.noted(SPIRII)) == 1


def test_a_plan_holds_when_the_provider_was_down_for_who_wanted_it_done_before(
    counter: Counter,
) -> None:
    key = counter.create(SPIRII)
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    account = counter.sandboxes.accounts[SPIRII]
    account.faults.add({"fault": "500", "times": 1, "on": {"method": "POST"}})
    with pytest.raises(ProviderDown):
        counter.ask(key, "fulfill", id="k1")
    with pytest.raises(NotAllowed, match="too late"):
        counter.ask(key, "fulfill", id="k2")
    assert current_plan(counter.order(key), "fulfill") is not None
    assert counter.ask(key, "fulfill", id="k1").result is Result.DONE, "its own start is not late"
    assert current_plan(counter.order(key), "fulfill") is None
    assert len(counter.noted(SPIRII)) == 1


def test_a_person_whom_the_provider_refused_is_in_nobodys_way(counter: Counter) -> None:
    key, later = counter.create(SPIRII), counter.now() + 2 * HOUR
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    account = counter.sandboxes.accounts[SPIRII]
    account.faults.add({"fault": "500", "status": 403, "times": 1, "on": {"method": "POST"}})
    with pytest.raises(RefusedByProvider):
        counter.ask(key, "fulfill")
    assert counter.plan(key, "fulfill", at=later, id="p2").result is Result.PLANNED
    assert list(counter.plans.due.values()) == [later]


def test_a_plan_that_was_carried_out_meanwhile_is_not_changed(counter: Counter) -> None:
    key, later = counter.create(SPIRII), counter.now() + 2 * HOUR
    counter.plan(key, "fulfill", at=counter.now() + HOUR)
    (planned,) = counter.plans.due
    # The change has been read as possible, and is about to be written.
    counter.orders.before_write = lambda: counter.run(planned) and None
    with pytest.raises(NotAllowed):
        counter.plan(key, "fulfill", at=later, id="p2")
    assert list(counter.plans.due) == [planned]
    assert len(counter.noted(SPIRII)) == 1
    results = [r.details["result"] for r in counter.by_people(key)]
    # All within one millisecond, they have no order in time.
    assert sorted(results) == ["done", "planned", "started"]


def test_a_key_that_is_used_meanwhile_plans_nothing(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.orders.before_write = lambda: counter.ask(key, "fulfill", id="p2") and None
    with pytest.raises(KeyReused):
        counter.plan(key, "fulfill", at=counter.now() + HOUR, id="p2")
    assert counter.plans.due == {}
    assert len(counter.noted(SPIRII)) == 1
