"""Exports: export a long list as a file, follow its progress, and download it."""

from typing import Any, Final

from milepost.api.problems import Problem
from milepost.api.routes.export_lists import LISTS, NOT_IN_EXPORTS
from milepost.api.routes.exports import listed_exports, show_export
from milepost.console.order_filters import filter_body
from milepost.console.page_context import Visit
from milepost.console.rendering import segment
from milepost.console.request import Values
from milepost.console.responses import Answer
from milepost.console.routing import Pages
from milepost.exports.export import ExportState

pages = Pages()

TONES: Final = {
    ExportState.WAITING: ("grey", "○"),
    ExportState.RUNNING: ("warn", "◔"),
    ExportState.READY: ("good", "✓"),
    ExportState.FAILED: ("bad", "!"),
    ExportState.REMOVED: ("grey", "⊘"),
}
"""The style and the symbol of each state."""
_LIVE: Final = frozenset({ExportState.WAITING, ExportState.RUNNING})


@pages.get("/console/exports")
def show_exports(visit: Visit) -> Answer:
    """Exports of the last days, the latest first."""
    found = listed_exports(visit.services, limit=50, cursor=visit.query.one("cursor") or None)
    return visit.page("exports.html", found=found, query=visit.query, tones=TONES)


@pages.get("/console/exports/new")
def ask(visit: Visit) -> Answer:
    """The form: the list, and the format of the file."""
    name = _list_name(visit.query)
    filters = visit.query.without("list", *NOT_IN_EXPORTS)
    return visit.page("export_form.html", name=name, filters=filters.text, pairs=filters.pairs)


@pages.post("/console/exports")
def make(visit: Visit) -> Answer:
    """Start the job."""
    form = visit.form
    body: dict[str, Any] = {
        "list": _list_name(form),
        "query": _query(_list_name(form), Values.parse(form.one("filters"))),
        "format": form.one("format") or "csv",
        "bom": bool(form.one("bom")),
    }
    if form.one("mail"):
        body["mail"] = form.one("mail")
    made = visit.changes.make("POST", "/exports", body=body)
    return visit.go_to(_address(made["id"]))


@pages.get("/console/exports/{export}")
def show(visit: Visit) -> Answer:
    """The progress of an export, and the link to its file."""
    found = show_export(visit.path["export"], visit.services)
    return visit.page(
        "export_progress.html" if visit.request.is_part else "export.html",
        export=found,
        tones=TONES,
        is_live=found.state in _LIVE,
        address=_address(found.id),
    )


def _list_name(said: Values) -> str:
    name = said.one("list", "orders")
    if name not in LISTS:
        raise Problem(422, f"There is no list {name} to export; there are: {', '.join(LISTS)}.")
    return name


def _query(name: str, filters: Values) -> dict[str, Any]:
    """The filters as in the API; on the page of orders, a day is converted to an instant."""
    kept = filters.without(*NOT_IN_EXPORTS)
    if name == "orders":
        sort = {"sort": kept.one("sort")} if kept.one("sort") else {}
        return filter_body(kept) | sort
    return {one: kept.all(one) for one, _ in kept.pairs if kept.all(one)}


def _address(export: str) -> str:
    return f"/console/exports/{segment(export)}"
