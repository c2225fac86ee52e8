"""The event bus of announcements.

Source: Amazon EventBridge API reference, PutEvents and PutEventsResultEntry; user guide,
"Calculating PutEvents event entry size".
"""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from milepost.common.exception_summary import OwnWords
from milepost.notifications.cloud_event import cloud_event
from milepost.notifications.dispatch import EventRefused
from milepost.orders.announcements import Announced

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE: Final = "milepost"
"""EventBridge's own ``source``, which policies and rules name; the CloudEvent's names the stack."""
MOST_BYTES: Final = 256 * 1024
"""Of an entry that has a time, source, detail type and detail."""
_BYTES_OF_TIME: Final = 14
_TRANSIENT: Final = frozenset({"InternalFailure", "InternalException", "ThrottlingException"})
_CONTENT: Final = frozenset({"InvalidArgument", "MalformedDetail"})
"""Codes that say that the entry itself is wrong, so that no later attempt can succeed."""
_PAUSES: Final = (0.1, 0.5)
"""Seconds before the second and the third attempt. After those, the stream's retry takes over."""


class EventNotPut(OwnWords):
    """EventBridge did not take an event; a later attempt may succeed."""


class AnnouncementsBus:
    """Implements ``dispatch.Bus``."""

    def __init__(
        self,
        client: "EventBridgeClient",
        *,
        bus_name: str,
        source: str,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self.name: Final = bus_name
        self._source = source
        self._pause = pause

    def put(self, announced: Announced) -> str:
        """Put one event, and retry while its entry fails: PutEvents returns 200 even if it rejects
        an entry.

        :return: EventBridge's id of the event
        :raises EventNotPut: when the entry still fails, or may not be put
        :raises EventRefused: when the entry is too large or not valid
        """
        entry = self._entry(announced)
        if (size := size_of(entry)) > MOST_BYTES:
            raise EventRefused(f"the event has {size} bytes, and may have {MOST_BYTES}")
        code = ""
        for pause in (*_PAUSES, None):
            answer = self._client.put_events(Entries=[entry])
            [taken] = answer["Entries"]
            if not answer["FailedEntryCount"] and "EventId" in taken:
                return taken["EventId"]
            code = taken.get("ErrorCode", "no code")
            if code in _CONTENT:
                raise EventRefused(f"EventBridge does not accept the event ({code})")
            if code not in _TRANSIENT or pause is None:
                break
            self._pause(pause)
        raise EventNotPut(f"EventBridge did not accept the event ({code})")

    def _entry(self, announced: Announced) -> "PutEventsRequestEntryTypeDef":
        event = cloud_event(announced, source=self._source)
        return {
            "EventBusName": self.name,
            "Source": SOURCE,
            "DetailType": event["type"],
            # An archive replays by this time: an order's own may be years ago.
            "Time": announced.announcement.announced_at,
            "Detail": json.dumps(event),
        }


def size_of(entry: "PutEventsRequestEntryTypeDef") -> int:
    """The number of bytes that counts towards EventBridge's limit."""
    texts = (entry["Source"], entry["DetailType"], entry["Detail"])
    return _BYTES_OF_TIME + sum(len(text.encode()) for text in texts)
