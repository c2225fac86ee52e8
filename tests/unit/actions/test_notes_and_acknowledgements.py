"""Actions without a provider: notes, and attention that a person acknowledges."""

from typing import Any

import pytest

from milepost.actions.action import KeyReused, NotAllowed
from milepost.actions.argument_limits import LONGEST_NOTE
from milepost.orders.details import Result
from milepost.providers.base import BadArgument
from tests.unit.actions.planned_actions import SPIRII
from tests.unit.actions.provider_counter import RABOT, Counter


def test_a_note_is_kept_word_for_word_and_changes_nothing_else(counter: Counter) -> None:
    text = "Subject: x\r\n{{ 7*7 }} <b>call back</b>"
    key = counter.create(RABOT)
    facts = counter.order(key).details
    counter.ask(key, "note", text=f"  {text} ")
    (report,) = counter.by_people(key)
    assert report.details["note"] == text
    assert counter.order(key).details == facts
    assert counter.orders.announced == []


@pytest.mark.parametrize("text", ["", "  ", "x" * (LONGEST_NOTE + 1), 7, None])
def test_a_note_needs_a_text_of_bearable_length(text: Any, counter: Counter) -> None:
    key = counter.create(RABOT)
    with pytest.raises(BadArgument):
        counter.ask(key, "note", text=text)


def test_acknowledged_attention_is_hidden_until_it_comes_with_other_facts(counter: Counter) -> None:
    key = counter.create(RABOT, meterNumber=None, maLoIdentifier=None)
    codes = {reason.code for reason in counter.order(key).attention}
    assert "missing_data" in codes
    counter.ask(key, "acknowledge", attention=["missing_data"])
    assert {reason.code for reason in counter.order(key).attention} == codes - {"missing_data"}


def test_everything_is_acknowledged_at_once_and_then_there_is_nothing_left(
    counter: Counter,
) -> None:
    key = counter.create(RABOT, meterNumber=None, maLoIdentifier=None)
    counter.ask(key, "acknowledge", id="k1")
    assert counter.order(key).attention == ()
    with pytest.raises(NotAllowed, match="the order needs no attention"):
        counter.ask(key, "acknowledge", id="k2")


def test_attention_that_is_not_there_is_not_acknowledged(counter: Counter) -> None:
    key = counter.create(RABOT, meterNumber=None, maLoIdentifier=None)
    with pytest.raises(BadArgument, match="there is missing_data#"):
        counter.ask(key, "acknowledge", attention=["overdue"])


def test_a_key_that_another_note_uses_meanwhile_records_nothing(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.orders.before_write = lambda: counter.ask(key, "note", text="the first") and None
    with pytest.raises(KeyReused):
        counter.ask(key, "note", text="the second")
    assert [one.details.get("note") for one in counter.by_people(key)] == ["the first"]


def test_a_note_that_is_sent_twice_at_once_is_one(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.orders.before_write = lambda: counter.ask(key, "note", text="once") and None
    assert counter.ask(key, "note", text="once").result is Result.DONE
    assert [one.details.get("note") for one in counter.by_people(key)] == ["once"]
