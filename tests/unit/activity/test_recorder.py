"""Recording a change: noted first, completed afterwards."""

import pytest

from milepost.activity.entry import Actor, Outcome, Via, kept_arguments
from milepost.activity.recorder import Change, NotRecorded, Recorder
from tests.builders import NOON
from tests.fakes.requests import MemoryActivity

ACTOR = Actor(person="lena", subject="s")


def recorder(log: MemoryActivity, lost: list[Exception] | None = None) -> Recorder:
    kept = lost if lost is not None else []
    return Recorder(log=log, clock=lambda: NOON, not_completed=kept.append)


def test_what_is_done_within_is_done() -> None:
    log = MemoryActivity()
    with recorder(log).recording(
        kind="rotate_secret", actor=ACTOR, via=Via.COMMAND, connection="a"
    ) as change:
        change.changed(before={"live": 1, "name": "x"}, after={"live": 2, "name": "x"})
    (entry,) = log.entries.values()
    assert (entry.outcome, entry.connections) == (Outcome.DONE, {"a"})
    assert (entry.before, entry.after) == ({"live": 1}, {"live": 2})


@pytest.mark.parametrize(
    ("error", "outcome"), [(KeyError(), Outcome.REFUSED), (KeyboardInterrupt(), Outcome.FAILED)]
)
def test_an_error_within_is_recorded_and_goes_on(error: BaseException, outcome: Outcome) -> None:
    log = MemoryActivity()

    def fail() -> None:
        with recorder(log).recording(
            kind="x", actor=ACTOR, via=Via.CONSOLE, refusals=(LookupError,)
        ) as change:
            change.changed(after={"typed": "text"})
            raise error

    with pytest.raises(type(error)):
        fail()
    (entry,) = log.entries.values()
    assert entry.outcome is outcome
    assert (entry.after is None) == (outcome is Outcome.REFUSED)


def test_nothing_is_done_that_cannot_be_noted() -> None:
    log, done = MemoryActivity(starts_fail=True), []
    with (
        pytest.raises(NotRecorded),
        recorder(log).recording(kind="x", actor=ACTOR, via=Via.CONSOLE),
    ):
        done.append(1)
    assert done == []


def test_an_entry_that_cannot_be_completed_is_reported_and_the_change_stands() -> None:
    lost: list[Exception] = []
    log = MemoryActivity(completions_fail=True)
    with recorder(log, lost).recording(kind="x", actor=ACTOR, via=Via.CONSOLE):
        pass
    assert [type(one) for one in lost] == [ConnectionError]


def test_switches_are_kept_and_texts_are_not() -> None:
    given = {"force": True, "dry_run": "false", "to": "a@example.org", "a@example.org": "x", "n": 7}
    assert kept_arguments(given) == {"dry_run": False, "force": True, "n": None, "to": None}


def test_what_a_change_concerns_adds_up() -> None:
    change = Change()
    change.concerns(connection="a", order="a:b:c")
    change.concerns(action="note")
    assert change.targets == {"connection": "a", "order": "a:b:c", "action": "note"}
