"""Places of an erasure: payloads in the quarantine, and whether they belong to the customer."""

from dataclasses import dataclass
from datetime import datetime

from milepost.aws.errors import AWS_FAILED, name_of
from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object
from milepost.common.timestamps import LATEST
from milepost.connections.connection import Connections, UnknownConnection, UnusableConnection
from milepost.operations.erasure.aws.sweep import Sweep
from milepost.operations.erasure.judged_text import judge_raw
from milepost.operations.erasure.place import Budget, PlaceNotRead, Swept
from milepost.operations.erasure.subject import (
    IN_A_TEXT,
    Judgement,
    Subject,
    Verdict,
    judge_reports,
)
from milepost.orders.report import Report, Source
from milepost.providers.readable_parts import read_event, read_order
from milepost.providers.registry import UnknownProvider, adapter_of
from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.replay import NotKept


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads deliveries with their provider's adapter, as ``record_report`` does."""

    connections: Connections

    def judge(
        self, body: bytes, subject: Subject, *, connection_id: str, source: Source, at: datetime
    ) -> Judgement:
        """Whether a delivery belongs to the customer.

        One that can be read belongs to its order's customer; anybody else who is named in it
        appears only in a text."""
        reports = self._reports(body, connection_id, source, at)
        raw = judge_raw(body, subject, connection=connection_id)
        if reports is None:
            return raw
        read = judge_reports(reports, subject)
        if read.verdict is Verdict.THEIRS or raw.verdict is Verdict.OTHERS:
            return read
        if read.verdict is Verdict.UNSURE:
            return read
        return IN_A_TEXT if raw.verdict is Verdict.THEIRS else raw

    def _reports(
        self, body: bytes, connection_id: str, source: Source, at: datetime
    ) -> list[Report] | None:
        try:
            connection = self.connections.get(connection_id)
            provider, said = adapter_of(connection), read_object(body)
            if source is Source.POLL:
                found = read_order(
                    provider, said, connection=connection, requested_at=at, judged_at=LATEST
                )
            else:
                found = read_event(
                    provider, said, connection=connection, seen_at=at, judged_at=LATEST
                )
        except (BadPayload, UnknownConnection, UnknownProvider, UnusableConnection):
            return None
        return None if found.unreadable else found.reports or None


class QuarantineOfCustomers:
    """Implements ``place.Place``: quarantined payloads of the customer, of any connection."""

    name = "quarantined"

    def __init__(self, quarantine: Quarantine, reader: Reader, budget: Budget) -> None:
        self._quarantine = quarantine
        self._reader = reader
        self._budget = budget

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        swept = Sweep(self.name)
        try:
            for kept in self._quarantine.walk():
                if not self._budget.has_time():
                    swept.is_whole = False
                    break
                try:
                    _, body = self._quarantine.get(kept.id)
                except NotKept:
                    continue
                found = self._reader.judge(
                    body,
                    subject.as_of(kept.received_at),
                    connection_id=kept.id.connection,
                    source=kept.source,
                    at=kept.received_at,
                )
                if swept.is_theirs(found, kept.id.path_id) and not dry_run:
                    self._quarantine.remove(kept.id)
        except AWS_FAILED as error:
            raise PlaceNotRead(f"the quarantine can't be read now ({name_of(error)})") from None
        return swept.result()
