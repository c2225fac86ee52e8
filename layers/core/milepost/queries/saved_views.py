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
    """The owner of a view."""

    OWN = "own"
    TEAM = "team"
    SYSTEM = "system"


class TooManyViews(Exception):
    """The maximum number of saved views has been reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view; ``id`` identifies it in URLs and commands."""

    id: str
    name: str
    filters: Filters
    shared: Shared


class SavedViews(Protocol):
    """The stored views."""

    def of(self, subject: str) -> Sequence[View]:
        """The views of a person, and the views of the team.

        :param subject: the ``sub`` of the person's token
        """
        ...

    def put(self, view: View, *, subject: str) -> None:
        """Store a view, replacing a view with the same id.

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
    """The built-in views, the person's own views and the team's views, in the order in which they
    are shown.
    """
    place = [Shared.OWN, Shared.TEAM]
    return [*SYSTEM_VIEWS, *sorted(kept, key=lambda v: (place.index(v.shared), v.name, v.id))]


def find_view(named: str, views: Sequence[View]) -> View | None:
    """The view with this id or name, ignoring case: a person's own view takes precedence over the
    team's, and that over a built-in view.
    """
    order = [Shared.OWN, Shared.TEAM, Shared.SYSTEM]
    wanted = named.casefold()
    matching = [one for one in views if wanted in (one.id.casefold(), one.name.casefold())]
    return min(matching, key=lambda one: order.index(one.shared), default=None)
