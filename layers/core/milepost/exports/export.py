"""Exports: a long list as a file that a job makes, and where exports are stored.

The file is in a bucket for a day; whoever may see its contents gets a link that is valid for some
minutes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from milepost.exports.column_reading import Row
from milepost.exports.files import Format

KEPT_FOR: Final = timedelta(days=1)
"""How long the file of an export can be downloaded."""
KNOWN_FOR: Final = timedelta(days=7)
"""How long an export and its outcome are stored."""
LINK_HOLDS: Final = timedelta(minutes=15)
"""How long a link is valid at most: it expires with the credentials that signed it, which may be
sooner."""
CLAIM: Final = timedelta(minutes=3)
"""How long a worker's claim lasts after its last heartbeat."""
SILENCE: Final = timedelta(seconds=45)
"""How long after its last heartbeat a worker is replaced by the retry of its own invocation, which
Lambda starts a minute after it ended. A second event that arrives earlier is a duplicate."""
MOST_ATTEMPTS: Final = 3
"""How often Lambda runs a job that fails."""
_SILENT_FOR: Final = timedelta(minutes=15)
"""How long after its last heartbeat an export counts as failed."""
BROKEN_OFF: Final = "it was interrupted: make the export again, and see the log of make_exports"

Query = Mapping[str, Sequence[str]]
"""Parameters of the list's address, with their values."""


class ExportState(StrEnum):
    """The state of an export."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    REMOVED = "removed"
    """Its file was deleted: a customer in it was erased, or it has expired."""


ENDED: Final = frozenset({ExportState.READY, ExportState.FAILED, ExportState.REMOVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export: its owner, its list, and its outcome.

    ``query`` and ``mail_to`` are removed once they are no longer needed.
    """

    id: str
    list_name: str
    """A list of the API, by the path of its route without the slash: ``orders``."""
    file_format: Format
    person: str
    subject: str
    created_at: datetime
    query: Query = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    bom: bool = False
    narrowed_to: frozenset[str] | None = None
    """The connections that the caller's role was narrowed to; None for every connection."""
    mail_to: str | None = None
    """The address to notify when it has ended; None if nobody is notified, or was already."""
    expected: int | None = None
    """The number of rows when the export began, if it is known."""
    state: ExportState = ExportState.WAITING
    rows: int = 0
    size: int | None = None
    """Bytes of the file."""
    why: str | None = None
    """Why it failed or was removed, without anything personal."""
    ended_at: datetime | None = None
    attempts: int = 0
    seen_at: datetime | None = None
    """The last heartbeat of a worker."""

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED

    @property
    def available_until(self) -> datetime:
        return self.created_at + KEPT_FOR

    @property
    def file_name(self) -> str:
        return f"{self.list_name}-{self.created_at:%Y-%m-%d}{self.file_format.suffix}"

    def as_of(self, now: datetime) -> "tuple[ExportState, str | None]":
        """Its state for people, with the reason; also if its worker was killed, or its file has
        expired.
        """
        if self.state is ExportState.READY and now >= self.available_until:
            return ExportState.REMOVED, "files are kept for a day: make the export again"
        if not self.is_ended and now > (self.seen_at or self.created_at) + _SILENT_FOR:
            return ExportState.FAILED, BROKEN_OFF
        return self.state, self.why


class NoSuchExport(LookupError):
    """There is no export with this id, or it is too old."""


class CannotExport(Exception):
    """The export can't be finished; the message says why, without personal data."""


class Exports(Protocol):
    """Where exports are stored."""

    def put(self, export: Export, *, request: str | None) -> Export:
        """Store a new export; if the same ``request`` has already created one, return that export.

        :raises KeyReused: when the key was used for another export
        """
        ...

    def find(self, export_id: str) -> Export | None:
        """The export, read consistently."""
        ...

    def page(self, *, after: str | None, limit: int) -> tuple[Sequence[Export], str | None]:
        """Some exports, the latest first, and the one after which the next page continues."""
        ...

    def claim(self, export_id: str, *, invocation: str, at: datetime) -> str | None:
        """Claim an export that isn't done, or whose mail isn't sent, and count the attempt; None
        while another worker holds the claim.

        :param invocation: Lambda's id of the invocation, the same when it is retried: a retry takes
            over after ``SILENCE``
        """
        ...

    def note(self, export_id: str, *, claim: str, rows: int, at: datetime) -> bool:
        """Store the progress and extend the claim; False if the claim was lost."""
        ...

    def settle(self, export: Export, *, claim: str) -> bool:
        """Store its outcome, without its filters; False if the claim was lost."""
        ...

    def mailed(self, export_id: str, *, claim: str) -> bool:
        """Store that the mail was sent, and release the claim."""
        ...

    def remove(self, export_id: str, *, why: str) -> None:
        """Store that its file was deleted; unknown exports are ignored."""
        ...


class Writing(Protocol):
    """A file that is being written. It exists only after it is finished."""

    def write(self, text: str) -> None: ...

    def finish(self, named: Iterable[str]) -> int:
        """Finish it; its size in bytes.

        :param named: the orders and addresses in it (``named_in``), by which erasures find it
        """
        ...

    def abort(self) -> None: ...


class Files(Protocol):
    """The bucket of the files."""

    def open(self, export: Export) -> Writing: ...

    def link(self, export: Export) -> str:
        """A URL that opens the file for everybody who has it, for ``LINK_HOLDS``."""
        ...


class Rows(Protocol):
    """Reads lists."""

    def read(self, export: Export) -> Iterable[Sequence[Row]]:
        """The list's rows, in its order, in portions.

        :raises CannotExport: when it can't be read to its end
        """
        ...


class Mailer(Protocol):
    """Notifies the person who started an export."""

    def send(self, export: Export) -> None:
        """Send a mail to ``export.mail_to``; if the address is refused, that is logged and
        final.
        """
        ...


def named_in(list_name: str, row: Row) -> list[str]:
    """The ids of orders and addresses in a row, as in the file's index."""
    order = row.get("id") if list_name == "orders" else row.get("order")
    address = row.get("recipient") or row.get("address") if list_name != "activity" else None
    found = [f"order {order}"] if order and list_name != "activity" else []
    return [*found, f"address {address}"] if address else found
