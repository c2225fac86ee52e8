"""Tasks that run side by side: all are run, and an error is one of them, not of the others."""

from collections.abc import Callable
from threading import Barrier, Event, get_ident

import pytest

from milepost.common.side_by_side import SideBySide, Threads, in_turn

PATIENCE = 30


@pytest.fixture(params=[in_turn, Threads(3)], ids=["in turn", "threads"])
def run(request: pytest.FixtureRequest) -> SideBySide:
    runner: SideBySide = request.param
    return runner


def test_every_task_is_done_once(run: SideBySide) -> None:
    done: list[int] = []
    run([lambda number=number: done.append(number) for number in range(20)])  # type: ignore[misc]
    assert sorted(done) == list(range(20))


def test_threads_run_tasks_at_the_same_time() -> None:
    # Neither gets past the barrier before the other has come to it.
    both = Barrier(2, timeout=PATIENCE)
    Threads(2)([both.wait, both.wait])


def test_a_single_task_needs_no_thread() -> None:
    seen: list[int] = []
    Threads(2)([lambda: seen.append(get_ident())])
    assert seen == [get_ident()]


def test_the_thread_that_calls_works_as_well() -> None:
    both, seen = Barrier(2, timeout=PATIENCE), list[int]()

    def work() -> None:
        seen.append(get_ident())
        both.wait()

    Threads(2)([work, work])
    assert get_ident() in seen
    assert len(set(seen)) == 2


def test_nothing_is_no_error(run: SideBySide) -> None:
    run([])


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("one_at_a_time", [in_turn, Threads(1)], ids=["in turn", "a thread"])
@pytest.mark.parametrize("error", [OSError, MemoryError, Killed])
def test_an_error_of_a_task_is_raised_and_nothing_more_is_started(
    error: type[BaseException], one_at_a_time: SideBySide
) -> None:
    started: list[int] = []

    def fail() -> None:
        raise error

    def start(number: int) -> Callable[[], None]:
        return lambda: started.append(number)

    with pytest.raises(error):
        one_at_a_time([start(1), fail, start(2), start(3)])
    assert started == [1]
    # The next tasks are not disturbed by it.
    one_at_a_time([start(4), start(5)])
    assert started == [1, 4, 5]


def test_tasks_that_are_running_end_before_the_error_is_raised() -> None:
    has_failed, done = Event(), list[str]()

    def fail() -> None:
        has_failed.set()
        raise OSError

    def go_on() -> None:
        has_failed.wait(PATIENCE)
        done.append("ended")

    with pytest.raises(OSError):  # noqa: PT011 - it has no message
        Threads(2)([go_on, fail])
    assert done == ["ended"]


def test_of_several_errors_the_first_tasks_is_raised() -> None:
    all_started = Barrier(3, timeout=PATIENCE)

    def fail(error: type[Exception]) -> Callable[[], None]:
        def run() -> None:
            all_started.wait()
            raise error

        return run

    with pytest.raises(KeyError):
        Threads(3)([all_started.wait, fail(KeyError), fail(OSError)])
