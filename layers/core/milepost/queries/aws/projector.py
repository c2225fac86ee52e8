"""Projects changes of orders into FiguresTable and SearchTable, each exactly once."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.figures_keys import counts_key
from milepost.orders.aws.table import tracked_order
from milepost.orders.order import Order, OrderKey
from milepost.queries.aws.cause_items import NUMBER, acceptance_key, outcome_key
from milepost.queries.aws.figures import (
    FiguresTable,
    counted_item,
    stage_key,
    tally_changes,
)
from milepost.queries.aws.search import lookup_keys, primary_key, search_item
from milepost.queries.aws.search_keys import list_key, word_key
from milepost.queries.aws.word_entries import (
    NO_CHANGES,
    WordChanges,
    list_item,
    read_lists,
    word_changes,
)
from milepost.queries.cause_figures import AcceptanceKey, OutcomeKey
from milepost.queries.histogram import StageKey, Tally
from milepost.queries.indexed_words import IndexedWords
from milepost.queries.stage_durations import NO_WORDS, Change, Counted, Step, change_of, count

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_TRIES: Final = 8
_MOST_ACTIONS: Final = 100
"""Maximum number of actions of one TransactWriteItems."""
_SEQUENCE_DIGITS: Final = 40
_COMES_AGAIN: Final = frozenset(
    {"ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "None"}
)
"""Reasons for which a transaction is cancelled, but may succeed when it is repeated."""
_BUSY: Final = frozenset({"TransactionInProgressException", "TransactionConflictException"})

Action = dict[str, Any]


class FiguresBusy(Exception):
    """Every attempt conflicted with other writers; the changes have to be redelivered."""


class MeasuredOrders:
    """Counts changes. What was counted of an order is written in one transaction with the
    figures."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        figures_table: str,
        search_table: str,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._figures_table = figures_table
        self._search_table = search_table
        self._figures = FiguresTable(client, table_name=figures_table)
        self._wait = wait

    def take(self, changes: Iterable[Change]) -> None:
        """Count these changes, of which some may already have been counted.

        :raises FiguresBusy: when too many attempts conflicted; some changes may have been counted
        """
        waiting: dict[OrderKey, list[Change]] = {}
        for change in changes:
            waiting.setdefault(change.key, []).append(change)
        for attempt in range(MOST_TRIES):
            lost = [step.key for step in self._write_all(waiting)]
            if not lost:
                return
            waiting = {key: waiting[key] for key in lost}
            # Random waits, so that two workers don't conflict again.
            self._wait(random.uniform(0.02, 0.1) * 2**attempt)  # noqa: S311
        raise FiguresBusy(f"{len(waiting)} orders could not be counted in {MOST_TRIES} attempts")

    def _write_all(self, changes: Mapping[OrderKey, Sequence[Change]]) -> Iterator[Step]:
        """Write the result of the changes; returns the steps that conflicted with another
        writer."""
        known = self._figures.counted(changes)
        steps, writes = [], {}
        for key, of_order in changes.items():
            before, writes[key] = known.get(key, (None, 0))
            after = count(before, of_order)
            step = Step(key, before, after) if after else None
            if step and not step.changes_nothing:
                steps.append(step)
        words = self._word_changes(steps)
        for together in _split(steps, words):
            if not self._write(together, writes, words):
                yield from together

    def _word_changes(self, steps: Sequence[Step]) -> dict[OrderKey, WordChanges]:
        """The changes of an order's search words. Another writer of the words also writes what was
        counted of the order, in which case this transaction fails."""
        changed = [step for step in steps if step.words_change]
        known = read_lists(
            self._client,
            table_name=self._search_table,
            keys=[step.key for step in changed if step.before],
            consistent=True,
        )
        return {
            step.key: word_changes(known.get(step.key, NO_WORDS), step.after.words or NO_WORDS)
            for step in changed
        }

    def _write(
        self,
        steps: Sequence[Step],
        writes: Mapping[OrderKey, int],
        words: Mapping[OrderKey, WordChanges],
    ) -> bool:
        """Whether the steps were written; False if another writer changed one of their items
        meanwhile, or if a step needs several transactions and this was not the last."""
        too_large = next((step for step in steps if not _fits(step, words)), None)
        if too_large is not None:
            self._write_some_words(too_large, writes, words[too_large.key])
            return False
        return self._transact(
            [
                *(self._put_counted(step, writes[step.key]) for step in steps),
                *(action for step in steps for action in self._search_actions(step)),
                *(action for key, one in _of(steps, words) for action in self._words(key, one)),
                *self._add_figures(steps),
            ]
        )

    def _write_some_words(
        self, step: Step, writes: Mapping[OrderKey, int], words: WordChanges
    ) -> None:
        """Add some of an order's words to the index, without counting. What was counted of the
        order is unchanged, so the change is processed again for the other words."""
        part = words.first(_MOST_ACTIONS - 1)
        before = step.before or Counted(version=0)
        counted = replace(before, words_mark=part.after.mark)
        self._transact(
            [
                self._put_counted(Step(step.key, step.before, counted), writes[step.key]),
                *self._words(step.key, part),
            ]
        )

    def _transact(self, actions: list[Any]) -> bool:
        """Whether everything was written; False after a conflict with another writer."""
        try:
            self._client.transact_write_items(TransactItems=actions)
        except ClientError as error:
            if not _comes_again(error):
                raise
            return False
        return True

    def _put_counted(self, step: Step, writes: int) -> Action:
        nobody_counted_it_before_us = "attribute_not_exists(pk)"
        nobody_counted_since_we_read = "writes = :seen"
        put: Action = {
            "TableName": self._figures_table,
            "Item": to_item(counted_item(step.key, step.after, writes=writes + 1)),
            "ConditionExpression": nobody_counted_since_we_read
            if writes
            else nobody_counted_it_before_us,
        }
        if writes:
            put["ExpressionAttributeValues"] = to_item({":seen": writes})
        return {"Put": put}

    def _search_actions(self, step: Step) -> Iterator[Action]:
        gone, new = _search_changes(step)
        for one in gone:
            yield {"Delete": {"TableName": self._search_table, "Key": to_item(primary_key(one))}}
        for one in new:
            item = to_item(search_item(one, step.key))
            yield {"Put": {"TableName": self._search_table, "Item": item}}

    def _words(self, key: OrderKey, words: WordChanges) -> Iterator[Action]:
        table = self._search_table
        for entry in words.gone:
            yield {"Delete": {"TableName": table, "Key": to_item(word_key(entry, key))}}
        for entry in words.new:
            yield {"Put": {"TableName": table, "Item": to_item(word_key(entry, key))}}
        if words.list_changes and words.after == NO_WORDS:
            yield {"Delete": {"TableName": table, "Key": to_item(list_key(key))}}
        elif words.list_changes:
            yield {"Put": {"TableName": table, "Item": to_item(list_item(words.after, key))}}

    def _add_figures(self, steps: Sequence[Step]) -> Iterator[Action]:
        for connection, counts in _count_changes(steps).items():
            if changes := {str(status): number for status, number in counts.items() if number}:
                yield self._add(counts_key(connection), changes)
        for key, tally in _stage_changes(steps).items():
            if changes := tally_changes(tally):
                yield self._add(stage_key(key), changes)
        for outcome, number in _outcome_changes(steps).items():
            if number:
                yield self._add(outcome_key(outcome), {NUMBER: number})
        for acceptance, tally in _acceptance_changes(steps).items():
            if changes := tally_changes(tally):
                yield self._add(acceptance_key(acceptance), changes)

    def _add(self, key: Mapping[str, str], changes: Mapping[str, int]) -> Action:
        names = {f"#{place}": name for place, name in enumerate(changes)}
        values = {f":{place}": number for place, number in enumerate(changes.values())}
        terms = ", ".join(f"#{place} :{place}" for place in range(len(changes)))
        return {
            "Update": {
                "TableName": self._figures_table,
                "Key": to_item(key),
                "UpdateExpression": f"ADD {terms}",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": to_item(values),
            }
        }


def read_change(
    record: Mapping[str, Any], *, words_of: Callable[[Order], IndexedWords] = lambda _: NO_WORDS
) -> Change:
    """The change of an order in a record of OrdersTable's stream.

    :param words_of: the words by which an order is found
    """
    images = record["dynamodb"]
    before, after = (
        tracked_order(from_item(images[name])) if name in images else None
        for name in ("OldImage", "NewImage")
    )
    sequence = images["SequenceNumber"].zfill(_SEQUENCE_DIGITS)
    return change_of(before, after, sequence=sequence, words_of=words_of)


def _comes_again(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    if code != "TransactionCanceledException":
        return code in _BUSY
    reasons: Any = error.response.get("CancellationReasons", [])
    return all(reason.get("Code", "None") in _COMES_AGAIN for reason in reasons)


def _split(steps: Iterable[Step], words: Mapping[OrderKey, WordChanges]) -> Iterator[list[Step]]:
    """Steps that fit into one transaction together, and steps that need more than one
    transaction."""
    together: list[Step] = []
    figures: set[object] = set()
    own = 0
    for step in steps:
        touched = _figures_of(step)
        actions = _own_actions(step, words)
        if together and own + actions + len(figures | touched) > _MOST_ACTIONS:
            yield together
            together, figures, own = [], set(), 0
        together.append(step)
        figures |= touched
        own += actions
    if together:
        yield together


def _fits(step: Step, words: Mapping[OrderKey, WordChanges]) -> bool:
    """Whether the step fits into one transaction, or can't be divided."""
    changes = words.get(step.key, NO_CHANGES)
    return not changes or _own_actions(step, words) + len(_figures_of(step)) <= _MOST_ACTIONS


def _own_actions(step: Step, words: Mapping[OrderKey, WordChanges]) -> int:
    own_words = len(words.get(step.key, NO_CHANGES))
    return 1 + own_words + sum(len(keys) for keys in _search_changes(step))


def _figures_of(step: Step) -> set[object]:
    keys: tuple[Iterable[object], ...] = (step.stages(), step.outcomes(), step.acceptances())
    return {step.key.connection, *(one for each in keys for one in each)}


def _of(
    steps: Iterable[Step], words: Mapping[OrderKey, WordChanges]
) -> Iterator[tuple[OrderKey, WordChanges]]:
    return ((step.key, words[step.key]) for step in steps if step.key in words)


def _search_changes(step: Step) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    was, now = lookup_keys(step.before, step.key), lookup_keys(step.after, step.key)
    kept = [primary_key(one) for one in now]
    gone = [one for one in was if primary_key(one) not in kept]
    return gone, [one for one in now if one not in was]


def _count_changes(steps: Iterable[Step]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for step in steps:
        counts = found.setdefault(step.key.connection, Counter())
        for status, number in step.statuses().items():
            counts[status] += number
    return found


def _outcome_changes(steps: Iterable[Step]) -> Counter[OutcomeKey]:
    found: Counter[OutcomeKey] = Counter()
    for step in steps:
        for key, number in step.outcomes().items():
            found[key] += number
    return found


def _acceptance_changes(steps: Iterable[Step]) -> dict[AcceptanceKey, Tally]:
    found: dict[AcceptanceKey, Tally] = {}
    for step in steps:
        for key, tally in step.acceptances().items():
            found.setdefault(key, Tally()).merge(tally)
    return found


def _stage_changes(steps: Iterable[Step]) -> dict[StageKey, Tally]:
    found: dict[StageKey, Tally] = {}
    for step in steps:
        for key, tally in step.stages().items():
            found.setdefault(key, Tally()).merge(tally)
    return found
