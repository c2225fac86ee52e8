"""The daily run: makes forecasts and scorecards of all orders, and reports slowdowns by SNS."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from milepost.connections.connection import Connection
from milepost.forecasts.aws.store import ForecastStore
from milepost.forecasts.daily import DailyRun
from milepost.forecasts.scorecard import Scorecard
from milepost.forecasts.slowdown_message import message_of, new_slowdowns
from milepost.orders.aws.scan import OrderPages

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

PAGE: Final = 50
TIME_FOR_TABLES: Final = 150_000
"""Milliseconds reserved to make forecasts from the orders that were read."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyForecasts:
    """Makes each connection's forecasts and scorecard again, from all of its stored orders.

    :param connection_of: the settings of a connection; None where they can't be used
    """

    orders: OrderPages
    store: ForecastStore
    sns: "SNSClient"
    alarms_topic: str
    connection_of: Callable[[str], Connection | None]

    def run(self, *, now: datetime, remaining: Callable[[], int]) -> dict[str, int]:
        """Orders are left out if there is no time to read them; the log says so.

        :param remaining: milliseconds that the invocation has left
        :returns: the numbers of orders and of connections
        """
        run = DailyRun(self.connection_of, now)
        number = self._read_orders(run, remaining)
        quality = {}
        for connection, table in run.tables():
            self.store.write(connection, table)
            quality[connection] = table.quality
        of_connections, of_providers = run.scorecards(quality)
        self._report_slowdowns(of_connections)
        self.store.write_scorecards(of_connections, of_providers)
        done = {"orders": number, "connections": len(quality)}
        logger.info("made forecasts", extra=done)
        return done

    def _read_orders(self, run: DailyRun, remaining: Callable[[], int]) -> int:
        place, number = None, 0
        while True:
            page, place = self.orders.read(after=place, limit=PAGE)
            number += len(page)
            run.add(page)
            if place is None:
                return number
            if remaining() < TIME_FOR_TABLES:
                logger.warning(
                    "forecasts are based on a part of the orders", extra={"orders": number}
                )
                return number

    def _report_slowdowns(self, cards: Sequence[Scorecard]) -> None:
        """Notify the team of stages that have begun to slow down. The scorecards are stored
        afterwards, so that the next run notifies again if this fails."""
        before = self.store.scorecards_of(one.name for one in cards)
        for card in cards:
            if new := new_slowdowns(card, before.get(card.name)):
                subject, text = message_of(card.name, new)
                self.sns.publish(TopicArn=self.alarms_topic, Subject=subject, Message=text)
                logger.warning("slowing down", extra={"connection": card.name, "stages": len(new)})
