"""Requests, plans, activity and views in memory."""

from dataclasses import dataclass, field
from datetime import datetime

from milepost.actions.action import PlannedCall
from milepost.activity.entry import Entry, Outcome, Place, Wanted
from milepost.common.idempotency import KeyReused
from milepost.queries.saved_views import MOST_VIEWS, Shared, TooManyViews, View


@dataclass
class MemoryRequests:
    """Implements ``idempotency.Requests``."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)

    def contents(self, operation: str, key: str) -> str | None:
        return self.kept.get((operation, key))

    def enter(self, operation: str, key: str, contents: str, *, at: datetime) -> None:
        if self.kept.setdefault((operation, key), contents) != contents:
            raise KeyReused


@dataclass
class MemoryPlans:
    """A fake of ActionSchedules: implements ``action.Plans``."""

    due: dict[PlannedCall, datetime] = field(default_factory=dict)

    def put(self, call: PlannedCall, *, at: datetime) -> None:
        self.due.setdefault(call, at)

    def drop(self, call: PlannedCall) -> None:
        self.due.pop(call, None)


@dataclass
class MemoryActivity:
    """A fake of ActivityTable: implements ``recorder.EntryWriter``, and finds entries."""

    entries: dict[str, Entry] = field(default_factory=dict)
    starts_fail: bool = False
    completions_fail: bool = False

    def start(self, entry: Entry) -> None:
        if self.starts_fail:
            raise ConnectionError
        if entry.id in self.entries:
            raise ValueError("ConditionalCheckFailed")
        self.entries[entry.id] = entry

    def complete(self, entry: Entry) -> None:
        if self.completions_fail:
            raise ConnectionError
        if self.entries[entry.id].outcome not in (Outcome.STARTED, entry.outcome):
            raise ValueError("ConditionalCheckFailed")
        self.entries[entry.id] = entry

    def find(
        self, wanted: Wanted, *, after: Place | None, limit: int
    ) -> tuple[list[Entry], Place | None]:
        found = sorted(
            (one for one in self.entries.values() if wanted.matches(one)),
            key=lambda one: (one.at, one.id),
            reverse=True,
        )
        if after is not None:
            found = [one for one in found if (one.at, one.id) < (after.at, after.id)]
        page = found[:limit]
        return page, Place(page[-1].at, page[-1].id) if len(found) > limit else None


@dataclass
class MemoryViews:
    """A fake of ViewsTable: implements ``saved_views.SavedViews``."""

    kept: dict[tuple[str, str], View] = field(default_factory=dict)

    def of(self, subject: str) -> list[View]:
        return [one for (place, _), one in self.kept.items() if place in (subject, "")]

    def put(self, view: View, *, subject: str) -> None:
        place = "" if view.shared is Shared.TEAM else subject
        there = [one for one in self.kept if one[0] == place and one[1] != view.id]
        if len(there) >= MOST_VIEWS:
            raise TooManyViews
        self.kept[place, view.id] = view

    def delete(self, view: View, *, subject: str) -> None:
        self.kept.pop(("" if view.shared is Shared.TEAM else subject, view.id), None)
