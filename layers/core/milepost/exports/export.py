"""Exports: a long list as a file that a job makes, and where exports are stored.

The file is in a bucket for a day; whoever may see what is in it gets a link to it that holds for
some minutes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from milepost.exports.columns import Row
from milepost.exports.files import Format

KEPT_FOR: Final = timedelta(days=1)
"""How long the file of an export can be downloaded."""
KNOWN_FOR: Final = timedelta(days=7)
"""How long it is known that there was an export, and what became of it."""
LINK_HOLDS: Final = timedelta(minutes=15)
"""How long a link holds at most: it ends with the credentials that signed it, which may be
sooner."""
CLAIM: Final = timedelta(minutes=3)
"""How long a worker's claim lasts after its last sign of life."""
SILENCE: Final = timedelta(seconds=45)
"""How long after its last sign of life a worker is replaced by the retry of its own invocation,
which Lambda starts a minute after it ended. A second event that comes earlier is a double."""
MOST_ATTEMPTS: Final = 3
"""How often Lambda runs the job that fails."""
_SILENT_FOR: Final = timedelta(minutes=15)
"""How long after its last sign of life an export is taken to have broken off."""
BROKEN_OFF: Final = "it broke off: make the export again, and see the log of make_exports"

Query = Mapping[str, Sequence[str]]
"""Parameters of the list's address, with their values."""


class ExportState(StrEnum):
    """The state of an export."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    REMOVED = "removed"
    """Its file is gone: a customer who was in it was erased, or its day is over."""


ENDED: Final = frozenset({ExportState.READY, ExportState.FAILED, ExportState.REMOVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export: whose, of which list, and what became of it.

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
    """The address to notify once it has ended; None when nobody is, or was."""
    expected: int | None = None
    """How many rows the list had at the beginning, where that is known."""
    state: ExportState = ExportState.WAITING
    rows: int = 0
    size: int | None = None
    """Bytes of the file."""
    why: str | None = None
    """Why it failed or was removed, without anything personal."""
    ended_at: datetime | None = None
    attempts: int = 0
    seen_at: datetime | None = None
    """The last sign of life of a worker."""

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
        """Its state for people, and why: also of one whose worker is gone, or whose day is over."""
        if self.state is ExportState.READY and now >= self.available_until:
            return ExportState.REMOVED, "files are kept for a day: make the export again"
        if not self.is_ended and now > (self.seen_at or self.created_at) + _SILENT_FOR:
            return ExportState.FAILED, BROKEN_OFF
        return self.state, self.why


class NoSuchExport(LookupError):
    """There is no export of this id, or it is too old."""


class CannotExport(Exception):
    """The export can't be finished; the message says why, without anything personal."""


class Exports(Protocol):
    """Where exports are stored."""

    def put(self, export: Export, *, request: str | None) -> Export:
        """Store a new export; with the key of a ``request`` that made one before, that one.

        :raises KeyReused: when the key was used for another export
        """
        ...

    def find(self, export_id: str) -> Export | None:
        """The export, read consistently."""
        ...

    def page(self, *, after: str | None, limit: int) -> tuple[Sequence[Export], str | None]:
        """Some of the exports, the latest first, and after which one the next page goes on."""
        ...

    def claim(self, export_id: str, *, invocation: str, at: datetime) -> str | None:
        """Claim an export that isn't done, or whose mail isn't sent, and count the attempt; None
        while another worker has it.

        :param invocation: Lambda's id of the invocation, the same when it is retried: a retry takes
            over after ``SILENCE``
        """
        ...

    def note(self, export_id: str, *, claim: str, rows: int, at: datetime) -> bool:
        """Note how far it is and extend the claim; False if the claim was lost."""
        ...

    def settle(self, export: Export, *, claim: str) -> bool:
        """Store how it ended, without its filters; False if the claim was lost."""
        ...

    def mailed(self, export_id: str, *, claim: str) -> bool:
        """Store that the mail was sent, and release the claim."""
        ...

    def remove(self, export_id: str, *, why: str) -> None:
        """Store that its file is gone; an export that is unknown stays so."""
        ...


class Writing(Protocol):
    """A file that is being written. It exists once it is finished, and not before."""

    def write(self, text: str) -> None: ...

    def finish(self, named: Iterable[str]) -> int:
        """Finish it; its size in bytes.

        :param named: what of customers is in it (``named_in``), by which erasures find it
        """
        ...

    def abort(self) -> None: ...


class Files(Protocol):
    """The bucket of the files."""

    def open(self, export: Export) -> Writing: ...

    def link(self, export: Export) -> str:
        """An address that opens the file for whoever has it, for ``LINK_HOLDS``."""
        ...


class Rows(Protocol):
    """Reads lists."""

    def read(self, export: Export) -> Iterable[Sequence[Row]]:
        """The list's rows, in its order, some at a time.

        :raises CannotExport: when it can't be read to its end
        """
        ...


class Mailer(Protocol):
    """Notifies who made an export."""

    def send(self, export: Export) -> None:
        """Send a mail to ``export.mail_to``; a refusal of the address is logged and final."""
        ...


def named_in(list_name: str, row: Row) -> list[str]:
    """What of customers a row has, as the file's index holds it: ids of orders, and addresses."""
    order = row.get("id") if list_name == "orders" else row.get("order")
    address = row.get("recipient") or row.get("address") if list_name != "activity" else None
    found = [f"order {order}"] if order and list_name != "activity" else []
    return [*found, f"address {address}"] if address else found
