"""A delivery: one message of the inbox queue."""

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime

from milepost.orders.report import Source
from milepost.quarantine.replay import KeptId


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One authentic webhook as accepted, or a quarantined payload that is reprocessed."""

    connection_id: str
    delivery_id: str
    received_at: datetime
    body: bytes
    source: Source = Source.WEBHOOK
    """``POLL`` for one order of a page, as the provider lists it; else ``WEBHOOK``."""
    announce: bool = True
    """False for a replay that notifies nobody."""
    replayed_at: datetime | None = None
    kept_as: KeptId | None = None
    """Its id in the quarantine, where it stays until it has been recorded."""

    @property
    def judged_at(self) -> datetime:
        """The time against which dates in the future are judged: when the payload arrived, however
        long it has waited.

        For a replay it is the time of the replay, since a date may have been the reason for the
        quarantine.
        """
        return self.replayed_at or self.received_at

    @classmethod
    def from_message(cls, text: str) -> "Delivery":
        """Parse a message as ``aws.inbox`` or ``aws.replay_queue`` write it."""
        message = json.loads(text)
        kept_as, replayed_at = message.get("kept_as"), message.get("replayed_at")
        return cls(
            connection_id=message["connection"],
            delivery_id=message["delivery_id"],
            received_at=datetime.fromtimestamp(message["received_at"], UTC),
            body=b64decode(message["body"], validate=True),
            source=Source(message.get("source", Source.WEBHOOK)),
            announce=message.get("announce", True),
            replayed_at=datetime.fromtimestamp(replayed_at, UTC) if replayed_at else None,
            kept_as=KeptId.parse(kept_as) if kept_as else None,
        )
