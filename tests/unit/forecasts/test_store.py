"""Tables of forecasts are kept for as long as whoever reads them says."""

from typing import Any

import pytest

from milepost.forecasts.aws.store import ForecastStore
from milepost.forecasts.stays import Stay
from milepost.forecasts.table import make_table

TABLE = make_table([Stay(stage="a", entered=0.0)], now=1_000.0, made_at_text="now")


class Client:
    """A table, and the connections that each call asked for."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}
        self.asked: list[list[str]] = []

    def put_item(self, *, TableName: str, Item: Any) -> None:  # noqa: N803 - as boto3 has it
        self.items[Item["pk"]["S"]] = Item

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 - as boto3 has it
        ((name, request),) = RequestItems.items()
        keys = [one["pk"]["S"] for one in request["Keys"]]
        self.asked.append([key.removeprefix("forecasts#") for key in keys])
        return {"Responses": {name: [self.items[key] for key in keys if key in self.items]}}


@pytest.mark.parametrize(("kept", "calls"), [(0, 3), (60, 2)])
def test_tables_are_read_again_once_they_are_too_old(kept: float, calls: int) -> None:
    client, now = Client(), [1_000.0]
    store = ForecastStore(client, table_name="FiguresTable", kept=kept, clock=lambda: now[0])
    store.write("one", TABLE)
    for seconds in (0, 59, 2):
        now[0] += seconds
        assert [*store.read_all(["one", "two"])] == ["one"]
    assert client.asked == [["one", "two"]] * calls


def test_only_tables_that_are_not_kept_are_read() -> None:
    client = Client()
    store = ForecastStore(client, table_name="FiguresTable", kept=60, clock=lambda: 0)
    store.write("two", TABLE)
    assert store.read_all(["one"]) == {}
    assert [*store.read_all(["one", "two", "two"])] == ["two"]
    assert store.read("two") is not None
    assert client.asked == [["one"], ["two"]]
