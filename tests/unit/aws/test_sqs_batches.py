"""A queue's batch: who comes back, and who was taken all the same."""

from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from milepost.aws.sqs_batches import take_each, take_groups_in_time
from milepost.common.side_by_side import SideBySide, Threads, in_turn
from tests.batches import sqs_batch
from tests.stack import Context

LEAST = timedelta(seconds=50)


def test_the_messages_that_fail_come_back_and_delay_none_of_the_others() -> None:
    batch, taken = sqs_batch(["good", "bad", "good", "bad"]), []

    def take(message: Any) -> None:
        if message["body"] == "bad":
            raise KeyError("whatever")
        taken.append(message["messageId"])

    ids = [one["messageId"] for one in batch["Records"]]
    assert take_each(batch, take, clock=Context(), least=LEAST) == {
        "batchItemFailures": [{"itemIdentifier": ids[1]}, {"itemIdentifier": ids[3]}]
    }
    assert taken == [ids[0], ids[2]]


def test_a_batch_of_which_all_fails_comes_back_whole_and_is_no_error() -> None:
    def refuse(message: Any) -> None:
        raise ValueError(message)

    answer = take_each(sqs_batch(["a", "b"]), refuse, clock=Context(), least=LEAST)
    assert len(answer["batchItemFailures"]) == 2


def test_ten_slow_messages_are_never_cut_off_half_way() -> None:
    clock, batch, taken = Context(milliseconds=120_000), sqs_batch(list("abcdefghij")), []

    def take(message: Any) -> None:
        clock.milliseconds -= 17_000
        taken.append(message["messageId"])

    answer = take_each(batch, take, clock=clock, least=LEAST)
    ids = [one["messageId"] for one in batch["Records"]]
    assert taken == ids[:5], "begun with 120, 103, 86, 69 and 52 seconds left"
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ids[5:]


def test_what_was_not_begun_is_put_into_its_queue_again_and_uses_up_no_try() -> None:
    clock, batch, put = Context(milliseconds=60_000), sqs_batch(["slow", "next", "broken"]), []

    def take(_: Any) -> None:
        clock.milliseconds -= 17_000

    def put_back(message: Any) -> None:
        if message["body"] == "broken":
            raise ConnectionError
        put.append(message["body"])

    answer = take_each(batch, take, clock=clock, least=LEAST, put_back=put_back)
    assert put == ["next"]
    ids = [one["messageId"] for one in batch["Records"]]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [ids[2]]


@pytest.mark.parametrize("run", [in_turn, Threads(3)], ids=["in turn", "threads"])
def test_a_message_that_fails_stops_neither_its_group_nor_another(run: SideBySide) -> None:
    batch, taken = sqs_batch(["a", "bad", "b", "c", "bad", "d"]), []

    def take(message: Any) -> None:
        if message["body"] == "bad":
            raise KeyError("whatever")
        taken.append(message["body"])

    records = batch["Records"]
    done = take_groups_in_time(
        [records[:3], records[3:]], take, side_by_side=run, clock=Context(), least=LEAST
    )
    assert (done.failed, done.left) == ([records[1]["messageId"], records[4]["messageId"]], [])
    assert sorted(taken) == [*"abcd"]
    assert [one for one in taken if one in "ab"] == ["a", "b"], "in their order"


def test_groups_are_taken_at_the_same_time() -> None:
    both, records = Barrier(2, timeout=30), sqs_batch(["a", "b"])["Records"]
    done = take_groups_in_time(
        [[one] for one in records],
        lambda _: both.wait(),
        side_by_side=Threads(2),
        clock=Context(),
        least=LEAST,
    )
    assert not done.failed


def test_no_message_of_any_group_is_begun_when_the_time_is_up() -> None:
    clock, records, taken = Context(milliseconds=60_000), sqs_batch([*"abcd"])["Records"], []

    def take(message: Any) -> None:
        clock.milliseconds -= 17_000
        taken.append(message["body"])

    done = take_groups_in_time(
        [records[:2], records[2:]], take, side_by_side=in_turn, clock=clock, least=LEAST
    )
    assert (taken, done.left, done.failed) == (["a"], records[1:], [])


class Killed(BaseException):
    """The process is gone."""


def test_what_ends_the_process_is_no_failure_of_a_message() -> None:
    def die(_: Any) -> None:
        raise Killed

    with pytest.raises(Killed):
        take_groups_in_time(
            [[one] for one in sqs_batch(["a", "b"])["Records"]],
            die,
            side_by_side=Threads(2),
            clock=Context(),
            least=LEAST,
        )
