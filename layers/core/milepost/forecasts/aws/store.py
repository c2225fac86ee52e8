"""Tables of forecasts in FiguresTable: one item a connection, compressed."""

import gzip
import json
from base64 import b64decode, b64encode
from typing import Any

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.forecasts.table import ForecastTable


class ForecastStore:
    """Reads and writes the tables."""

    def __init__(self, client: Any, *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def read(self, connection_id: str) -> ForecastTable | None:
        """The connection's table; None before the first one was made."""
        request = {self._table: {"Keys": [to_item(_key(connection_id))]}}
        found = self._client.batch_get_item(RequestItems=request)["Responses"].get(self._table)
        if not found:
            return None
        stored = from_item(found[0])["table"]
        return ForecastTable.of_json(json.loads(gzip.decompress(b64decode(stored))))

    def write(self, connection_id: str, table: ForecastTable) -> None:
        """Put a table in the place of the one before it."""
        text = json.dumps(table.as_json(), separators=(",", ":")).encode()
        packed = b64encode(gzip.compress(text, mtime=0)).decode()
        item = to_item({**_key(connection_id), "table": packed})
        self._client.put_item(TableName=self._table, Item=item)


def _key(connection_id: str) -> dict[str, str]:
    return {"pk": f"forecasts#{connection_id}", "sk": "table"}
