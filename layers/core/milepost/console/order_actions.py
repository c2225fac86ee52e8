"""An order's actions as forms: what each does, and which arguments it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from milepost.actions.action import FINAL
from milepost.api.order_schema import OrderView
from milepost.api.problems import Problem
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.console.labels import label, words
from milepost.console.request import Values
from milepost.providers.base import ProviderAction
from milepost.providers.registry import adapter_of

ADVICE: Final[Mapping[str, str]] = {
    "correction": ("Check what the customer was promised before the provider withdrew it."),
    "email_not_sent": ("Ask the customer for a valid address, and correct it at the provider."),
    "far_appointment": "Check with the provider that the day is right.",
    "history_shortened": "Nothing to do; older reports are summarized.",
    "invalid_identifier": "Ask the customer for the right number, and correct it at the provider.",
    "late_report": ("Check whether anything was done because of the earlier status."),
    "missing_data": ("Ask the customer for the missing data, and enter it at the provider."),
    "more_reasons": ("Look at the timeline: there are more reasons than can be listed."),
    "out_of_sequence": ("Refresh the order. If nothing changes, ask the provider."),
    "overdue": (
        "Refresh the order. If nothing changes, ask the provider for the reason of the delay."
    ),
    "payment_due": "Remind the customer to pay.",
    "payment_failed": "Ask the customer to pay in another way.",
    "shortened": "Look at the provider's own page for the whole text.",
    "unknown_status": "Look at the provider's own page for what the status means.",
    "unread": "Look at the provider's own page for what could not be read.",
}
"""What to do about each reason for attention, by its code."""
EXPLAINED: Final[Mapping[str, str]] = {
    "acknowledge": ("Removes the selected reasons from the lists. They stay on the timeline."),
    "cancel": "Cancels the order at the provider. The customer may be notified.",
    "check_invoice": "Asks the provider whether the invoice has been paid.",
    "commission_paid": ("Records that the commission of a month was paid. It can't be undone."),
    "fulfill": "Tells the provider that the work is done, now or at the time below.",
    "initiate_installation": "Asks the provider to begin the installation.",
    "note": ("Is shown on the timeline for the team. The provider and the customer don't see it."),
    "refresh": "Fetches the order from its provider now.",
    "resend_authorization_code": ("Asks the provider to send the customer a new code for signing."),
    "resend_confirmation": ("Asks the provider to send the customer the confirmation again."),
}
_FIRST: Final = ("refresh", "note", "acknowledge")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionForm:
    """One action of an order, before a person confirms it."""

    name: str
    title: str
    text: str
    takes: frozenset[str]
    """Its fields: arguments of the action, and ``at``."""
    charges: str | None
    """The amount that it charges to the customer's card, if any."""
    is_grave: bool
    """Whether it can't be undone."""


def forms_of(order: OrderView, connection: Connection | None) -> list[ActionForm]:
    """A form for each action that the order's status allows; Milepost's own actions come first."""
    names = sorted(order.actions, key=lambda name: (name not in _FIRST, name))
    actions = adapter_of(connection).actions if connection else {}
    return [_form(name, order, actions.get(name)) for name in names]


def _form(name: str, order: OrderView, action: ProviderAction | None) -> ActionForm:
    takes = {
        "note": frozenset({"text"}),
        "refresh": frozenset({"notices"}),
        "acknowledge": frozenset({"attention"}),
        "commission_paid": frozenset({"month"}),
    }.get(name, frozenset())
    if action is not None:
        takes = action.arguments | (frozenset({"at"}) if action.can_be_planned else frozenset())
    return ActionForm(
        name=name,
        title=label(name),
        text=EXPLAINED.get(name, f"Runs this action at the provider: {words(name)}."),
        takes=takes,
        charges=action.charge(order.details) if action else None,  # type: ignore[arg-type]
        is_grave=name in FINAL or name == "cancel" or bool(action and action.is_final),
    )


def read_body(form: Values, *, zone: tzinfo) -> dict[str, Any]:
    """The request of the form to the API.

    :param zone: the reader's, in which ``at`` was entered
    :raises Problem: 422 when ``at`` is not a time
    """
    body: dict[str, Any] = {
        name: form.one(name) for name in ("text", "reason", "invoice") if form.one(name)
    }
    if form.one("month"):
        body["text"] = form.one("month")
    if form.one("silent"):
        body["notices"] = "off"
    if form.all("attention"):
        body["attention"] = form.all("attention")
    if form.one("at"):
        body["at"] = _instant(form.one("at"), zone)
    return body


def _instant(text: str, zone: tzinfo) -> str:
    try:
        return format_instant(datetime.fromisoformat(text).replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise Problem(422, (f"{text} is not a time: write it like 2026-03-01T09:00.")) from None
