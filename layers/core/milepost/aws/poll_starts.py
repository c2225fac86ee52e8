"""Polls out of turn: poll_orders is started as its schedule would."""

import json
from typing import Any

from milepost.poll_state import LookAgain
from milepost.report import format_instant


class PollStarts:
    """Implements ``operating.Polls``."""

    def __init__(self, client: Any, *, function: str) -> None:
        self._client = client
        self._function = function

    def start(self, connection_id: str, *, again: LookAgain | None) -> None:
        event: dict[str, Any] = {"connection": connection_id}
        if again:
            event |= {"since": format_instant(again.since), "announce": again.announce}
        self._client.invoke(
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )
