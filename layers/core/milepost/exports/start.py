"""Starts exports and gives links to their files, for the API and the console."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex
from typing import Protocol

from milepost.exports.export import (
    LINK_HOLDS,
    Export,
    Exports,
    ExportState,
    Files,
    NoSuchExport,
)


class Jobs(Protocol):
    """Runs exports."""

    def start(self, export_id: str) -> None:
        """Start a worker that creates the export. If it is started twice, the export is created
        once.
        """
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """A link that opens a file, and when it expires at the latest."""

    address: str
    holds_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDesk:
    """Starts exports, finds them, and gives links."""

    exports: Exports
    files: Files
    jobs: Jobs
    clock: Callable[[], datetime]

    def start(self, export: Export, *, request: str | None = None) -> Export:
        """Store an export and start it.

        :param export: without an id, which it gets here
        :param request: identifies the request, so that repeating it makes no second export
        :raises KeyReused: when the request was for another export
        """
        now = self.clock()
        new = replace(export, id=f"{int(now.timestamp()):08x}{token_hex(8)}", created_at=now)
        stored = self.exports.put(new, request=request)
        if not stored.is_ended:
            self.jobs.start(stored.id)
        return stored

    def find(self, export_id: str) -> Export:
        """:raises NoSuchExport: if there is none"""
        found = self.exports.find(export_id)
        if found is None:
            raise NoSuchExport(export_id)
        return found

    def page(self, *, after: str | None, limit: int) -> tuple[Sequence[Export], str | None]:
        """Some exports, the latest first, and the one after which the next page continues."""
        return self.exports.page(after=after, limit=limit)

    def link(self, export: Export) -> Link | None:
        """A new link to its file; None if there is none."""
        now = self.clock()
        state, _ = export.as_of(now)
        if state is not ExportState.READY:
            return None
        return Link(self.files.link(export), min(now + LINK_HOLDS, export.available_until))
