"""Cached tables of forecasts, for senders of many mails: each table is read once in ten minutes."""

import logging
from collections.abc import Callable
from typing import Final, Protocol

from milepost.aws.errors import AWS_FAILED
from milepost.forecasts.table import ForecastTable

logger = logging.getLogger(__name__)

KEEP_SECONDS: Final = 600.0
"""They are made once a day."""


class Tables(Protocol):
    def read(self, connection_id: str) -> ForecastTable | None: ...


class RecentTables:
    """Implements ``mail.rendering.forecast_facts.Forecasts``.

    :param clock: seconds of any clock that never goes back
    """

    def __init__(self, tables: Tables, *, clock: Callable[[], float]) -> None:
        self._tables = tables
        self._clock = clock
        self._read: dict[str, tuple[float, ForecastTable | None]] = {}

    def read(self, connection_id: str) -> ForecastTable | None:
        """The table of a connection; None if there is none, or if it can't be read, since a mail
        without a forecast is better than no mail."""
        at, table = self._read.get(connection_id, (None, None))
        if at is not None and self._clock() - at < KEEP_SECONDS:
            return table
        try:
            table = self._tables.read(connection_id)
        except AWS_FAILED as error:
            logger.warning("no forecast could be read: %s", type(error).__name__)
            return None
        self._read[connection_id] = (self._clock(), table)
        return table
