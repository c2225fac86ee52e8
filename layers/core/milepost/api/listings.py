"""The routes that return lists, and how each list continues; exports use them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from milepost.exports import list_columns
from milepost.exports.column_reading import ListColumns

COLUMNS: Final = "columns"
BOM: Final = "bom"
FILE_PARAMETERS: Final = (BOM, COLUMNS)
"""Parameters that lists only accept for files, not for JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list of the API: its columns, the position of the rows in its response, and how it
    continues."""

    name: str
    columns: ListColumns
    rows: str
    resume_by: str | None = "cursor"
    """The parameter for a page's ``next``; None if one response has the whole list."""
    has_large_pages: bool = False
    """Whether a page for a file may have a thousand rows: its route uses ``Services.rows``."""


LISTINGS: Final[Mapping[str, Listing]] = {
    "/orders": Listing(
        name="orders", columns=list_columns.ORDERS, rows="orders", has_large_pages=True
    ),
    "/orders/<order_id>/notices": Listing(
        name="notices", columns=list_columns.NOTICES, rows="notices", resume_by=None
    ),
    "/groups/<group_id>": Listing(
        name="items", columns=list_columns.ITEMS, rows="items", resume_by=None
    ),
    "/notices": Listing(
        name="notices", columns=list_columns.NOTICES, rows="notices", has_large_pages=True
    ),
    "/suppressions": Listing(
        name="suppressions",
        columns=list_columns.SUPPRESSIONS,
        rows="suppressions",
        has_large_pages=True,
    ),
    "/activity": Listing(
        name="activity", columns=list_columns.ACTIVITY, rows="entries", has_large_pages=True
    ),
    "/commissions": Listing(
        name="commissions", columns=list_columns.COMMISSIONS, rows="commissions"
    ),
    "/quarantine": Listing(
        name="quarantine",
        columns=list_columns.QUARANTINE,
        rows="items",
        resume_by="after",
        has_large_pages=True,
    ),
    "/stages": Listing(name="stages", columns=list_columns.STAGES, rows="stages", resume_by=None),
    "/scorecards": Listing(
        name="scorecards", columns=list_columns.SCORECARDS, rows="scorecards", resume_by=None
    ),
    "/causes": Listing(name="causes", columns=list_columns.CAUSES, rows="causes", resume_by=None),
    "/subscriptions": Listing(
        name="subscriptions", columns=list_columns.SUBSCRIPTIONS, rows="items", resume_by=None
    ),
    "/connections": Listing(
        name="connections", columns=list_columns.CONNECTIONS, rows="items", resume_by=None
    ),
    "/dead-letters": Listing(
        name="dead-letters", columns=list_columns.QUEUES, rows="items", resume_by=None
    ),
    "/dead-letters/<queue>": Listing(
        name="messages", columns=list_columns.MESSAGES, rows="messages", resume_by=None
    ),
    "/views": Listing(name="views", columns=list_columns.VIEWS, rows="views", resume_by=None),
    "/exports": Listing(
        name="exports", columns=list_columns.EXPORTS, rows="exports", has_large_pages=True
    ),
    "/batches": Listing(
        name="batches", columns=list_columns.BATCHES, rows="batches", has_large_pages=True
    ),
    "/batches/<batch>": Listing(
        name="batch", columns=list_columns.TARGETS, rows="targets", resume_by=None
    ),
}
"""By the route's path."""


def listing_at(path: str | None) -> Listing | None:
    """The list that a route returns; None if it doesn't return a list.

    :param path: the route's path as OpenAPI has it, such as ``/orders/{order_id}/notices``
    """
    if path is None:
        return None
    return LISTINGS.get(path.replace("{", "<").replace("}", ">"))
