"""Batches of messages of the inbox: all are read first, then recorded, several in parallel."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from milepost.aws.sqs_batches import Clock, Message, come_back, take_groups_in_time, take_in_time
from milepost.common.side_by_side import SideBySide
from milepost.deliveries.aws.recorder import DeliveryRecorder
from milepost.deliveries.reading import Reading, split_by_order
from milepost.orders.aws.prefetch import ReadAhead
from milepost.webhooks.delivery import Delivery

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedDeliveries:
    """Records the deliveries that messages of the inbox contain."""

    recorder: DeliveryRecorder
    side_by_side: SideBySide
    """Runs the recording of different orders; those of one order are recorded one by one."""

    def record(
        self, event: Mapping[str, Any], *, clock: Clock, to_read: timedelta, to_record: timedelta
    ) -> dict[str, Any]:
        """Record a batch; returns the response with the messages to redeliver: those that failed,
        which is logged, and those that there was no time for.

        :param to_read: the remaining time that is needed to start reading a delivery, which then
            also has to be recorded
        :param to_record: the remaining time that is needed to start recording a delivery
        """
        messages: Sequence[Message] = event["Records"]
        readings: dict[str, Reading] = {}

        def read(message: Message) -> None:
            if reading := self.recorder.read(Delivery.from_message(message["body"])):
                readings[message["messageId"]] = reading

        unread = take_in_time(messages, _logged(read), clock=clock, least=to_read)
        unrecorded = take_groups_in_time(
            _grouped(messages, readings),
            _logged(self._record_each(readings)),
            side_by_side=self.side_by_side,
            clock=clock,
            least=to_record,
        )
        self.recorder.note_drift(readings.values())
        left = [one["messageId"] for one in (*unread.left, *unrecorded.left)]
        return come_back([*unread.failed, *unrecorded.failed, *left])

    def _record_each(self, readings: Mapping[str, Reading]) -> Callable[[Message], None]:
        """Reads the orders of all deliveries; returns a function that records one of them."""
        ahead: ReadAhead = self.recorder.expect(readings.values())
        return lambda message: self.recorder.record(readings[message["messageId"]], ahead)


def _grouped(messages: Sequence[Message], readings: Mapping[str, Reading]) -> list[list[Message]]:
    """The messages that were read, in groups that can be recorded in parallel."""
    by_id = {one["messageId"]: one for one in messages}
    return [[by_id[one] for one in group] for group in split_by_order(readings)]


def _logged(take: Callable[[Message], None]) -> Callable[[Message], None]:
    """Logs a failure with its message's id."""

    def take_logged(message: Message) -> None:
        try:
            take(message)
        except Exception:
            logger.exception("failed to record", extra={"message_id": message["messageId"]})
            raise

    return take_logged
