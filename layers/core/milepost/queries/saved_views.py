"""Saved views: named filters of order lists; personal, shared with the team, or built in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from milepost.common.status import Status
from milepost.queries.list_choices import Due
from milepost.queries.order_list import ANY_ATTENTION, ANY_WAIT

Filters = Mapping[str, Sequence[str]]
"""Query parameters of ``GET /orders`` with their values."""

MOST_VIEWS: Final = 100
"""Of one person, and of the team."""
NOT_SAVED: Final = frozenset({"q", "customer", "reference", "place", "limit", "cursor", "count"})
"""Parameters that no view keeps: what may name a customer, and what belongs to one request."""


class Shared(StrEnum):
    """Whose a view is."""

    OWN = "own"
    TEAM = "team"
    SYSTEM = "system"


class TooManyViews(Exception):
    """There are as many as may be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view; ``id`` is what it is addressed by."""

    id: str
    name: str
    filters: Filters
    shared: Shared


class SavedViews(Protocol):
    """Where views are kept."""

    def of(self, subject: str) -> Sequence[View]:
        """A person's own and the team's.

        :param subject: the ``sub`` of the person's token
        """
        ...

    def put(self, view: View, *, subject: str) -> None:
        """Keep one, in place of that of the same id.

        :raises TooManyViews: when there are ``MOST_VIEWS`` already
        """
        ...

    def delete(self, view: View, *, subject: str) -> None: ...


def _system(view_id: str, name: str, **filters: str) -> View:
    kept = {filter_name: [value] for filter_name, value in filters.items()}
    return View(id=view_id, name=name, filters=kept, shared=Shared.SYSTEM)


SYSTEM_VIEWS: Final = (
    _system("this-week", "This week", due=str(Due.THIS_WEEK)),
    _system("next-week", "Next week", due=str(Due.NEXT_WEEK)),
    _system("overdue", "Overdue", due=str(Due.OVERDUE)),
    _system("stuck", "Needs attention", attention=ANY_ATTENTION),
    _system("rejected", "Rejected", status=str(Status.REJECTED)),
    _system("waiting-for-customer", "Waiting for the customer", waiting=ANY_WAIT),
)
"""What everybody has, in the order in which it is shown."""


def all_views(kept: Iterable[View]) -> list[View]:
    """Those that are built in, one's own and the team's, in the order in which they are shown."""
    place = [Shared.OWN, Shared.TEAM]
    return [*SYSTEM_VIEWS, *sorted(kept, key=lambda v: (place.index(v.shared), v.name, v.id))]


def find_view(named: str, views: Sequence[View]) -> View | None:
    """The view of this id or name, in any case; one's own before the team's before a built-in."""
    order = [Shared.OWN, Shared.TEAM, Shared.SYSTEM]
    wanted = named.casefold()
    matching = [one for one in views if wanted in (one.id.casefold(), one.name.casefold())]
    return min(matching, key=lambda one: order.index(one.shared), default=None)
