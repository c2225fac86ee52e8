"""Starts perform_action to fetch an order now, because a notice waits for its contact data."""

import json
from collections.abc import Callable
from typing import Any

from milepost.actions.action import REFRESH, PlannedCall
from milepost.actions.aws.scheduler import schedule_input
from milepost.orders.announcements import Announced


class OrderFetches:
    """Implements ``dispatch.Fetches``."""

    def __init__(self, client: Callable[[], Any], *, function: str) -> None:
        self._client = client
        self._function = function

    def fetch(self, announced: Announced) -> None:
        call = PlannedCall(order=announced.key, action=REFRESH, key=f"contact-{announced.id}")
        self._client().invoke(
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps(schedule_input(call)).encode(),
        )
