"""Tables of forecasts and scorecards in FiguresTable: one compressed item for each connection."""

import gzip
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from typing import Any

from milepost.aws.dynamodb_batches import get_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.figures_keys import (
    SCORECARDS,
    connection_scorecard_key,
    forecasts_key,
    is_of_provider,
    provider_scorecard_key,
)
from milepost.forecasts.scorecard import Scorecard
from milepost.forecasts.table import ForecastTable


class ForecastStore:
    """Reads and writes tables and scorecards."""

    def __init__(
        self,
        client: Any,
        *,
        table_name: str,
        kept: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param kept: for how many seconds tables that were read for several connections are cached
        :param clock: seconds that never go back
        """
        self._client = client
        self._table = table_name
        self._kept = kept
        self._clock = clock
        self._known: dict[str, tuple[float, ForecastTable | None]] = {}

    def read(self, connection_id: str) -> ForecastTable | None:
        """The connection's table; None before the first one was made."""
        return self.read_all([connection_id]).get(connection_id)

    def read_all(self, connection_ids: Iterable[str]) -> dict[str, ForecastTable]:
        """The tables of these connections, by connection, read in one call. Connections without a
        table are left out."""
        now, names = self._clock(), sorted(set(connection_ids))
        if unknown := [one for one in names if not self._is_known(one, now)]:
            read = self._read(unknown)
            self._known |= {one: (now, read.get(one)) for one in unknown}
        return {one: table for one in names if (table := self._known[one][1]) is not None}

    def _is_known(self, connection_id: str, now: float) -> bool:
        read_at, _ = self._known.get(connection_id, (None, None))
        return read_at is not None and now - read_at < self._kept

    def _read(self, connection_ids: Iterable[str]) -> dict[str, ForecastTable]:
        keys = {forecasts_key(one)["pk"]: one for one in connection_ids}
        wanted = [to_item(forecasts_key(one)) for one in keys.values()]
        found = map(from_item, get_items(self._client, self._table, wanted))
        return {keys[one["pk"]]: ForecastTable.of_json(_unpack(one["table"])) for one in found}

    def write(self, connection_id: str, table: ForecastTable) -> None:
        """Replace the connection's table."""
        item = {**forecasts_key(connection_id), "table": _pack(table.as_json())}
        self._client.put_item(TableName=self._table, Item=to_item(item))

    def scorecards(self) -> tuple[list[Scorecard], list[Scorecard]]:
        """The scorecards of the connections, and those of the providers, each by name."""
        connections: list[Scorecard] = []
        providers: list[Scorecard] = []
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": SCORECARDS}),
        )
        for page in pages:
            for item in map(from_item, page["Items"]):
                found = providers if is_of_provider(item) else connections
                found.append(Scorecard.of_json(_unpack(item["scorecard"])))
        return connections, providers

    def scorecards_of(self, connection_ids: Iterable[str]) -> dict[str, Scorecard]:
        """The scorecards of these connections, by connection."""
        keys = [to_item(connection_scorecard_key(one)) for one in connection_ids]
        found = map(from_item, get_items(self._client, self._table, keys))
        cards = (Scorecard.of_json(_unpack(one["scorecard"])) for one in found)
        return {one.name: one for one in cards}

    def write_scorecards(
        self, connections: Iterable[Scorecard], providers: Iterable[Scorecard]
    ) -> None:
        """Replace all scorecards."""
        keyed = [
            *((connection_scorecard_key(one.name), one) for one in connections),
            *((provider_scorecard_key(one.name), one) for one in providers),
        ]
        for key, one in keyed:
            item = to_item({**key, "scorecard": _pack(one.as_json())})
            self._client.put_item(TableName=self._table, Item=item)


def _pack(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return b64encode(gzip.compress(text, mtime=0)).decode()


def _unpack(packed: str) -> Any:
    return json.loads(gzip.decompress(b64decode(packed)))
