"""Batches of items are written in parallel, each until it is written whole."""

from threading import Lock
from typing import Any

import pytest

from milepost.aws.dynamodb_batches import MOST_WRITTEN_AT_ONCE, write_items

REQUESTS = [{"DeleteRequest": {"Key": {"pk": {"S": f"{number}"}}}} for number in range(120)]


class Table:
    """Writes all but the last item of a batch, unless there is only one; may refuse one batch."""

    def __init__(self, *, refuses: str = "") -> None:
        self.written: list[str] = []
        self.calls: list[int] = []
        self._refuses = refuses
        self._lock = Lock()

    def batch_write_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 - as boto3 has it
        (requests,) = RequestItems.values()
        names = [one["DeleteRequest"]["Key"]["pk"]["S"] for one in requests]
        if self._refuses in names:
            raise ConnectionError
        written = names[:-1] or names
        with self._lock:
            self.calls.append(len(names))
            self.written += written
        left = requests[len(written) :]
        return {"UnprocessedItems": {"table": left} if left else {}}


def test_every_item_is_written_once_and_what_a_call_left_by_another_one() -> None:
    table = Table()
    write_items(table, "table", iter(REQUESTS))  # type: ignore[arg-type]
    assert sorted(table.written, key=int) == [f"{number}" for number in range(120)]
    assert sorted(table.calls) == [*[1] * 5, 20, *[MOST_WRITTEN_AT_ONCE] * 4]


def test_a_batch_that_fails_fails_the_call_after_the_others_are_written() -> None:
    table = Table(refuses="3")
    with pytest.raises(ConnectionError):
        write_items(table, "table", REQUESTS)  # type: ignore[arg-type]
    assert sorted(table.written, key=int) == [f"{number}" for number in range(25, 120)]


def test_nothing_to_write_is_no_call() -> None:
    table = Table()
    write_items(table, "table", ())  # type: ignore[arg-type]
    assert not table.calls
