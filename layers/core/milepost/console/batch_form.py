"""The form for one action on many orders."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from milepost.actions import action as actions
from milepost.actions.action import BUILT_IN_ACTIONS
from milepost.actions.batch import RESEND
from milepost.api.problems import Problem
from milepost.connections.connection import Connection
from milepost.console.labels import label, words
from milepost.console.order_actions import EXPLAINED
from milepost.console.order_filters import filter_body
from milepost.console.request import Values
from milepost.providers.registry import adapter_of

_FIRST: Final = (actions.ACKNOWLEDGE, actions.NOTE, actions.REFRESH)
_ASKED: Final = {
    actions.NOTE: frozenset({"text"}),
    actions.COMMISSION_PAID: frozenset({"month"}),
    actions.REFRESH: frozenset({"silent"}),
}
_OF_BATCHES: Final = frozenset({"reason"})
"""Arguments of providers' actions that are the same for many orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An action that can be run on many orders."""

    name: str
    title: str
    text: str
    takes: frozenset[str]
    """The fields to fill in before it is planned."""


def offered_actions(connections: Iterable[Connection]) -> list[Offered]:
    """Every action of these connections' providers; Milepost's own actions come first."""
    known = {
        name: action.arguments & _OF_BATCHES
        for one in {each.provider: each for each in connections}.values()
        for name, action in adapter_of(one).actions.items()
    }
    known |= {name: _ASKED.get(name, frozenset()) for name in BUILT_IN_ACTIONS}
    names = sorted(known, key=lambda name: (name not in _FIRST, name not in BUILT_IN_ACTIONS, name))
    return [
        Offered(
            name=name,
            title=label(name),
            text=EXPLAINED.get(name, f"Runs this action at the provider: {words(name)}."),
            takes=frozenset(known[name]),
        )
        for name in names
    ]


def batch_body(form: Values) -> dict[str, Any]:
    """The body of ``POST /batches`` for the form.

    :raises Problem: 422 when no order is selected, or a filter is invalid
    """
    body: dict[str, Any] = {"action": form.one("action")} | _chosen(form)
    if form.one("text") or form.one("month"):
        body["text"] = form.one("text") or form.one("month")
    if form.one("reason"):
        body["reason"] = form.one("reason")
    if form.one("silent"):
        body["notify"] = "off"
    return body


def _chosen(form: Values) -> dict[str, Any]:
    if form.one("action") == RESEND:
        if not form.all("notice"):
            raise Problem(422, "No mail is selected. Go back and select some.")
        return {"notices": form.all("notice")}
    if form.one("which") == "all":
        return {"filter": filter_body(Values.parse(form.one("filters")))}
    if not form.all("order"):
        raise Problem(422, "No order is selected. Go back and select some, or all that match.")
    return {"orders": form.all("order")}
