"""Saved views: saving a list's filters by name; sharing, renaming and deleting them."""

import hashlib
import re
import unicodedata
from typing import Any, Final

from milepost.api.problems import Conflict, NotFound, Problem
from milepost.api.routes.views import ViewView, list_views
from milepost.console.order_filters import view_filters, view_query
from milepost.console.page_context import Visit
from milepost.console.rendering import segment
from milepost.console.request import Values
from milepost.console.responses import Answer
from milepost.console.routing import Pages
from milepost.queries.saved_views import Shared

pages = Pages()

_LONGEST_ID: Final = 64


@pages.get("/console/views")
def show_views(visit: Visit) -> Answer:
    """Your own views and the team's, each with its possible changes."""
    kept = [one for one in _views(visit) if one.shared is not Shared.SYSTEM]
    return visit.page("views.html", views=[(one, view_query(one.filters).text) for one in kept])


@pages.post("/console/views")
def save(visit: Visit) -> Answer:
    """Save the filters of a list under a name."""
    name, filters = visit.form.one("name"), view_filters(Values.parse(visit.form.one("filters")))
    if not name:
        raise Problem(422, "The view needs a name.")
    there = next((one for one in _views(visit) if _is_called(one, name)), None)
    if there and not visit.form.one("replace"):
        raise Conflict(f"There is already a view {there.name}: choose another name, or replace it.")
    made = _put(visit, there.id if there else _id_of(name), name=name, filters=filters)
    address = view_query(made["filters"]).text
    return visit.go_to(f"/console/orders?{address}", done=f"The view {made['name']} is saved.")


@pages.post("/console/views/{view}")
def change(visit: Visit) -> Answer:
    """Rename a view, share it with the team, or stop sharing it."""
    view = _view(visit)
    made = _put(visit, view.id, name=visit.form.one("name") or view.name, filters=view.filters)
    return visit.go_to("/console/views", done=f"The view {made['name']} is saved.")


@pages.post("/console/views/{view}/delete")
def delete(visit: Visit) -> Answer:
    """Delete it."""
    view = _view(visit)
    visit.changes.make("DELETE", f"/views/{segment(view.id)}")
    return visit.go_to("/console/views", done=f"The view {view.name} is deleted.")


def _put(visit: Visit, view: str, *, name: str, filters: Any) -> dict[str, Any]:
    shared = "team" if visit.form.one("shared") == "team" else "own"
    said = {"name": name, "shared": shared, "filters": filters}
    made: dict[str, Any] = visit.changes.make("PUT", f"/views/{segment(view)}", body=said)
    return made


def _views(visit: Visit) -> list[ViewView]:
    return list_views(visit.services, visit.caller).views


def _view(visit: Visit) -> ViewView:
    found = [one for one in _views(visit) if one.id == visit.path["view"]]
    if not found:
        raise NotFound(f"There is no view {visit.path['view']}.")
    return min(found, key=lambda one: one.shared is not Shared.OWN)


def _is_called(one: ViewView, name: str) -> bool:
    return one.name.casefold() == name.casefold() or one.id == _id_of(name)


def _id_of(name: str) -> str:
    """An id from a name: ``Späte Störungen`` as ``spate-storungen``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_ID].strip("-")
    return made or f"view-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
