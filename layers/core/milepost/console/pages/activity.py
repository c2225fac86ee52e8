"""Activity: who changed what, and when."""

from datetime import timedelta
from typing import Final

from milepost.activity.entry import Outcome
from milepost.api.routes.activity import ActivityList, list_activity
from milepost.console.page_context import Visit
from milepost.console.query_values import day_of, member_of, text_of
from milepost.console.request import Values
from milepost.console.responses import Answer, csv_download
from milepost.console.routing import Pages
from milepost.exports.list_columns import ACTIVITY

pages = Pages()

ROWS: Final = 50
_DAYS: Final = 7
"""The number of days of a page without a first day: each day is a call."""
_BY_INDEX: Final = ("person", "order", "kind")
"""Filters with which a single call reads all days."""
MOST_IN_FILE: Final = 100
TONES: Final = {
    Outcome.STARTED: ("warn", "◔"),
    Outcome.DONE: ("good", "✓"),
    Outcome.REFUSED: ("grey", "⊘"),
    Outcome.FAILED: ("bad", "!"),
}
"""The style and the symbol of each outcome."""


@pages.get("/console/activity")
def show_activity(visit: Visit) -> Answer:
    """A page of the log."""
    query = _query(visit)
    found = _found(visit, query, limit=ROWS)
    return visit.page(
        "activity.html",
        found=found,
        query=query,
        connections=visit.services.connection_ids(),
        outcomes=list(Outcome),
        tones=TONES,
        rest=query.without("cursor").text,
        most_in_file=MOST_IN_FILE,
    )


@pages.get("/console/activity/download")
def download_activity(visit: Visit) -> Answer:
    """The same as a file."""
    found = _found(visit, _query(visit), limit=MOST_IN_FILE)
    rows = [one.model_dump(mode="json") for one in found.entries]
    return csv_download(rows, ACTIVITY, name="activity.csv")


def _query(visit: Visit) -> Values:
    """The query of the address; with a first day, if none is given and each day is a call."""
    query = visit.query
    if any(query.all(name) for name in ("from", *_BY_INDEX)):
        return query
    last = day_of(query, "to") or visit.services.clock().date()
    return query.replaced("from", (last - timedelta(days=_DAYS - 1)).isoformat())


def _found(visit: Visit, query: Values, *, limit: int) -> ActivityList:
    return list_activity(
        visit.services,
        person=text_of(query, "person", most=300),
        order=text_of(query, "order", most=300),
        kind=text_of(query, "kind"),
        connection=query.all("connection") or None,
        outcome=member_of(Outcome, query, "outcome"),
        first_day=day_of(query, "from"),
        last_day=day_of(query, "to"),
        limit=limit,
        cursor=query.one("cursor") or None,
    )
