"""Orders that are fetched again from their provider."""

import pytest

from milepost.actions.action import (
    RefusedByProvider,
    UnreadableAnswer,
)
from milepost.common.status import Status
from milepost.orders.order import Announcement, TrackedOrder
from milepost.orders.recording import UnstorableOrder
from tests.unit.actions.provider_counter import OG, PROVIDERS, RABOT, SPIRII, SUBS, Counter


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_refresh_fetches_this_one_order_now(name: str, counter: Counter) -> None:
    later = {OG: "accepted", RABOT: "Processing", SUBS: "Contract Generated", SPIRII: "Scheduled"}
    key = counter.create(name)
    assert counter.ask(key, "refresh", id="k1").outcome == "nothing new"
    counter.move(key, seen=False, status=later[name])
    assert counter.ask(key, "refresh", id="k2").outcome == "something new was recorded"
    wanted = {SPIRII: Status.SCHEDULED, RABOT: Status.SUBMITTED}.get(name, Status.ACCEPTED)
    assert counter.order(key).status is wanted
    # What it found may have the time of the refresh itself, to the millisecond.
    actions = [one.report.details.get("action") for one in counter.order(key).timeline]
    assert actions.count("refresh") == 2


@pytest.mark.parametrize(("notices", "told"), [("off", False), ("on", True)])
def test_a_refresh_tells_nobody_when_it_is_asked_not_to(
    notices: str, told: bool, counter: Counter
) -> None:
    key = counter.create(OG)
    counter.move(key, seen=False, status="accepted")
    done = counter.ask(key, "refresh", id="k1", notices=notices)
    assert done.outcome == "something new was recorded"
    assert bool(counter.tracked(key).announced) == told


def test_an_item_that_cannot_be_stored_withholds_no_other_of_a_refreshed_order(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = counter.create(OG, items=[{}, {}, {}])
    keys = sorted(one for one in counter.orders.kept if one.order_id == key.order_id)
    for one in keys:
        counter.move(one, seen=False, status="accepted")
    write = counter.orders.write

    def refuse_the_second(tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        if tracked.order.key == keys[1]:
            raise UnstorableOrder("Item size has exceeded")
        write(tracked, new=new)

    monkeypatch.setattr(counter.orders, "write", refuse_the_second)
    assert counter.ask(keys[0], "refresh").outcome == "something new was recorded"
    assert [counter.order(one).status for one in keys] == ["accepted", "pending", "accepted"]
    with pytest.raises(UnreadableAnswer, match="can't be stored: Item size"):
        counter.ask(keys[1], "refresh", id="k2")


def test_an_order_that_the_provider_does_not_know_cannot_be_refreshed(counter: Counter) -> None:
    key = counter.create(OG)
    with counter.sandboxes.accounts[OG].lock:
        counter.sandboxes.accounts[OG].reset()
    with pytest.raises(RefusedByProvider, match="not found"):
        counter.ask(key, "refresh")
