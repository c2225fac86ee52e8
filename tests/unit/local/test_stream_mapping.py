"""The rules by which Lambda reads a stream, as its developer guide states them."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from local.emulator_corrections.stream_mapping import (
    Record,
    Rules,
    failure_key,
    failure_record,
    process_batch,
    read_rules,
    split_by_item,
)

RULES = Rules(partial_failures=True, bisects=True, max_retries=2, max_age_seconds=None)


def record(number: int, *, created: float = 4_000_000_000) -> Record:
    return {"dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": created}}


def numbers(records: Sequence[Record]) -> list[int]:
    return [int(one["dynamodb"]["SequenceNumber"]) for one in records]


class Run:
    """Processes the records 0..count-1 with a function that fails on some of them."""

    def __init__(
        self, *, count: int, answer: Callable[[list[int]], Any], rules: Rules = RULES
    ) -> None:
        self.calls: list[list[int]] = []
        self.given_up: list[tuple[list[int], str]] = []

        def invoke(records: Sequence[Record], /) -> Any:
            self.calls.append(numbers(records))
            return answer(self.calls[-1])

        process_batch(
            [record(number) for number in range(count)],
            rules=rules,
            invoke=invoke,
            give_up=lambda records, why: self.given_up.append((numbers(records), why)),
            wait=lambda _: None,
        )


def fail_at(*poison: int) -> Callable[[list[int]], Any]:
    """A function that stops at the first poisoned record and reports it."""

    def answer(batch: list[int]) -> Any:
        failed = [number for number in batch if number in poison][:1]
        return {"batchItemFailures": [{"itemIdentifier": str(number)} for number in failed]}

    return answer


def test_records_that_succeed_are_handed_over_once() -> None:
    run = Run(count=3, answer=fail_at())
    assert run.calls == [[0, 1, 2]]
    assert run.given_up == []


def test_one_poisoned_record_is_given_up_alone_and_the_others_succeed_once() -> None:
    succeeded: list[int] = []

    def answer(batch: list[int]) -> Any:
        reported = fail_at(41)(batch)
        stop = batch.index(41) if 41 in batch else len(batch)
        succeeded.extend(batch[:stop])
        return reported

    run = Run(count=100, answer=answer)
    assert run.given_up == [([41], "RetryAttemptsExhausted")]
    assert succeeded == [number for number in range(100) if number != 41]


def test_a_function_that_raises_has_its_batch_halved_until_the_poison_is_alone() -> None:
    run = Run(count=8, answer=lambda batch: None if 5 in batch else {})
    assert run.given_up == [([5], "RetryAttemptsExhausted")]
    assert run.calls[:3] == [list(range(8)), [0, 1, 2, 3], [4, 5, 6, 7]]


def test_without_bisecting_the_rest_of_the_batch_is_given_up_together() -> None:
    rules = Rules(partial_failures=True, bisects=False, max_retries=1, max_age_seconds=None)
    run = Run(count=4, answer=fail_at(2), rules=rules)
    assert run.calls == [[0, 1, 2, 3], [2, 3], [2, 3]]
    assert run.given_up == [([2, 3], "RetryAttemptsExhausted")]


def test_a_failure_that_heals_is_retried_and_nothing_is_given_up() -> None:
    healed = iter([False, False, True])
    run = Run(count=1, answer=lambda _: {} if next(healed) else None)
    assert run.calls == [[0], [0], [0]]
    assert run.given_up == []


def test_an_answer_that_names_an_unknown_record_fails_the_whole_batch() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "unknown"}]}
    run = Run(count=1, answer=lambda _: answer)
    assert run.given_up == [([0], "RetryAttemptsExhausted")]


def test_failures_are_ignored_when_the_mapping_does_not_ask_for_them() -> None:
    rules = Rules(partial_failures=False, bisects=True, max_retries=0, max_age_seconds=None)
    assert Run(count=2, answer=fail_at(0), rules=rules).calls == [[0, 1]]


def test_a_record_that_is_too_old_is_given_up_at_its_first_failure() -> None:
    given_up: list[str] = []
    process_batch(
        [record(1, created=0)],
        rules=Rules(partial_failures=True, bisects=True, max_retries=None, max_age_seconds=60),
        invoke=lambda _, /: None,
        give_up=lambda _, why: given_up.append(why),
    )
    assert given_up == ["MaxRecordAgeExceeded"]


def test_minus_one_means_without_limit() -> None:
    mapping = {"MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": -1}
    assert read_rules(mapping) == Rules(
        partial_failures=False, bisects=False, max_retries=None, max_age_seconds=None
    )


def test_a_record_that_is_given_up_is_left_whole_as_lambda_documents_it() -> None:
    poison = record(41)
    left = failure_record(
        [poison],
        stream_arn="arn:of:the:stream",
        function_arn="arn:of:announce",
        condition="RetryAttemptsExhausted",
        now=datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
    )
    assert json.loads(left["payload"]) == {"Records": [poison]}
    assert left["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert left["DDBStreamBatchInfo"]["startSequenceNumber"] == "41"
    assert left["DDBStreamBatchInfo"]["batchSize"] == 1


def test_it_is_left_under_mapping_shard_and_time() -> None:
    key = failure_key("5b1f0c9e", now=datetime(2026, 3, 2, 12, 0, 7, tzinfo=UTC))
    pattern = r"aws/lambda/5b1f0c9e/shardId-[\d-]+/2026/03/02/2026-03-02T12\.00\.07-[0-9a-f-]{36}"
    assert re.fullmatch(pattern, key)


def test_batches_that_run_at_once_keep_each_items_records_together_and_in_order() -> None:
    records = [
        {"dynamodb": {"SequenceNumber": str(number), "Keys": {"pk": {"S": f"order#{number % 5}"}}}}
        for number in range(40)
    ]
    parts = split_by_item(records, parts=2)
    assert len(parts) == 2
    assert sorted(numbers([one for part in parts for one in part])) == list(range(40))
    for part in parts:
        assert numbers(part) == sorted(numbers(part))
    items = [{number % 5 for number in numbers(part)} for part in parts]
    assert not items[0] & items[1]
