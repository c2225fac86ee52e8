"""Tables of forecasts in FiguresTable: one item a connection, compressed."""

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

from milepost.aws.dynamodb_batches import get_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.forecasts.table import ForecastTable


class ForecastStore:
    """Reads and writes the tables."""

    def __init__(self, client: Any, *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def read(self, connection_id: str) -> ForecastTable | None:
        """The connection's table; None before the first one was made."""
        return self.read_all([connection_id]).get(connection_id)

    def read_all(self, connection_ids: Iterable[str]) -> dict[str, ForecastTable]:
        """The tables of these connections, by connection, read in one call; without those that have
        none yet."""
        keys = {_key(one)["pk"]: one for one in connection_ids}
        wanted = [to_item(_key(one)) for one in sorted(set(keys.values()))]
        found = map(from_item, get_items(self._client, self._table, wanted))
        return {keys[one["pk"]]: _table_of(one["table"]) for one in found}

    def write(self, connection_id: str, table: ForecastTable) -> None:
        """Put a table in the place of the one before it."""
        text = json.dumps(table.as_json(), separators=(",", ":")).encode()
        packed = b64encode(gzip.compress(text, mtime=0)).decode()
        item = to_item({**_key(connection_id), "table": packed})
        self._client.put_item(TableName=self._table, Item=item)


def _table_of(stored: str) -> ForecastTable:
    return ForecastTable.of_json(json.loads(gzip.decompress(b64decode(stored))))


def _key(connection_id: str) -> dict[str, str]:
    return {"pk": f"forecasts#{connection_id}", "sk": "table"}
