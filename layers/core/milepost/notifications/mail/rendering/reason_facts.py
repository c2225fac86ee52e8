"""Why an order was rejected, has failed or was cancelled, for the recipient of a mail.

The team reads the provider's reason unchanged. A customer reads it only if its cause is on a list.
"""

from collections.abc import Mapping
from typing import Any, Final

from milepost.common.causes import (
    CREDIT_CHECK,
    NAMED_TO_CUSTOMER,
    QUOTABLE,
    cause_of,
    may_be_quoted,
)
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.notifications.mail.rendering.context import MailContext
from milepost.notifications.mail.rendering.fact_readers import parts, text_of
from milepost.notifications.mail.rendering.sanitize import clean, one_stop, upper_first
from milepost.orders.details import Details, cause_in
from milepost.orders.disclosure import KINDS_OF_EXPLAINING_NOTES, WITHHELD_SOURCE
from milepost.orders.order import Kind

NO_CAUSES: Final = frozenset({"other", "none"})
"""The key of the words for an unknown cause."""
_ENDS_THE_ORDER: Final = frozenset(
    {
        CREDIT_CHECK,
        "meter_data",
        "existing_contract",
        "outside_service_area",
        "customer_cancelled",
        "customer_revoked",
    }
)
"""Causes of a failure that a new date would not resolve."""
_FOR_CUSTOMERS: Final = frozenset(
    {"next_steps", "timeline", "account_details", "special_instructions"}
)
"""Notes that speak to the customer; the others are between the provider and the team."""


def reason_values(context: MailContext) -> dict[str, Any]:
    """Reason, cause, what to do about it, and the provider's notes."""
    said, true_cause, is_ours = _reason(context)
    reason, cause = said, true_cause
    if context.for_customer:
        reason, cause = shown_to_customer(said, true_cause, context.connection)
    causes = context.words["causes"]
    named = cause in causes and cause not in NO_CAUSES
    known = causes[cause] if named else causes["other" if said else "none"]
    if true_cause == CREDIT_CHECK:
        known = causes[CREDIT_CHECK]
    named_cause = cause if cause and named else ("other" if said else "none")
    name = cause_name(known, context.details, for_customer=context.for_customer)
    is_withheld = not named and true_cause in causes and true_cause not in NO_CAUSES
    form = _reason_form(said, reason, named=named, is_withheld=is_withheld)
    if context.for_customer and "name_to_customer" in known:
        form = {"with_cause": "with_statement", "cause_alone": "statement_alone"}.get(form, form)
    if is_ours:
        form = "replaced"
    line = context.words["reasons"][form].format(cause=name, Cause=upper_first(name), reason=reason)
    if said is not None and context.notice.announcement.is_reason_of_ending:
        line = f"{one_stop(line)} {context.words['reasons']['followed']}"
    return {
        "reason": reason,
        "has_reason": said is not None or named or is_withheld,
        "reason_line": one_stop(line),
        "cause": cause,
        "cause_name": name if named else None,
        "cause_next": context.words["withheld_next"]
        if is_ours and context.notice.announcement.kind is not Kind.FAILED
        else _what_next(named_cause, known, context),
        "notes": _notes(context, reason or ""),
    }


def _what_next(cause: str, known: Mapping[str, str], context: MailContext) -> str:
    """What the recipient can do about the cause; of a failed order, the team can have it
    rescheduled.

    Source: Offergrid's guide, installation failed: "work with the provider to reschedule".
    """
    if context.for_customer:
        return known["customer"]
    if context.notice.announcement.kind is not Kind.FAILED or cause in _ENDS_THE_ORDER:
        return known["team"]
    after_failure = context.words["next_after_failure"]
    return str(after_failure.get(cause, after_failure["other"]))


def shown_to_customer(
    reason: str | None, cause: str | None, connection: Connection
) -> tuple[str | None, str | None]:
    """The part of a reason that a customer may read: its words, its cause, both or neither.

    Words are quoted only if they themselves name such a cause; a cause may also come from a status.
    """
    said = cause_of(reason, connection.causes)
    shown = reason if {said, cause} <= QUOTABLE and _is_discreet(reason) else None
    return shown, cause if cause in NAMED_TO_CUSTOMER else None


def _is_discreet(reason: str | None) -> bool:
    return reason is not None and may_be_quoted(reason)


def _reason_form(said: str | None, shown: str | None, *, named: bool, is_withheld: bool) -> str:
    """The key in ``words.toml`` of the sentence with the reason."""
    if named:
        return "with_cause" if shown else "cause_alone"
    if said is None:
        return "withheld" if is_withheld else "missing"
    return "given" if shown else "withheld"


def cause_name(cause: Mapping[str, str], details: Details, *, for_customer: bool) -> str:
    """A cause in words; the end of a contract has words of its own."""
    name = "name_to_customer" if for_customer and "name_to_customer" in cause else "name"
    ends = text_of(details.get("delivery_end")) is not None
    return cause.get(f"{name}_of_contract", cause[name]) if ends else cause[name]


def _reason(context: MailContext) -> tuple[str | None, str | None, bool]:
    """Reason and cause of the announced status, even if the order has left it since; and whether
    the reason is Milepost's text in place of the provider's."""
    explained: Details = context.details if context.holds else Details()
    if not _explains(explained):
        said = [entry.report for entry in context.order.timeline]
        status: Status = context.notice.announcement.status
        reasons = (r.details for r in reversed(said) if r.status is status)
        explained = next((d for d in reasons if _explains(d)), Details())
    reason = clean(text_of(explained.get("reason")) or "")
    if not reason and context.notice.announcement.kind is Kind.REJECTED:
        # Some events have the reason only in their notes.
        reason = clean(" ".join(text for _, text in _notes_of(context, KINDS_OF_EXPLAINING_NOTES)))
    if not reason:
        return None, text_of(explained.get("cause")), False
    if explained.get("reason_source") == WITHHELD_SOURCE:
        return reason, text_of(explained.get("cause")), True
    cause = cause_in(Details(**{**explained, "reason": reason}))
    return reason, cause, False


def _explains(details: Details) -> bool:
    """Whether it has a reason, in the provider's words or as a cause."""
    return (
        bool(clean(text_of(details.get("reason")) or ""))
        or text_of(details.get("cause")) is not None
    )


def _notes_of(context: MailContext, kinds: frozenset[str] | None) -> list[tuple[str, str]]:
    """Kind and text of the provider's notes of these kinds, without notes for others."""
    listed = [
        (text_of(note.get("kind")) or "other", clean(text_of(note.get("text")) or ""))
        for note in parts(context.details, "notes")
    ]
    shown = _FOR_CUSTOMERS if context.for_customer else None
    return [
        (kind, text)
        for kind, text in listed
        if text
        and (kinds is None or kind in kinds)
        and (shown is None or (kind in shown and may_be_quoted(text)))
    ]


def _notes(context: MailContext, reason: str) -> list[dict[str, str]]:
    """The provider's notes, but not those that the reason already says."""
    labels = context.words["note_kinds"]
    return [
        {"kind": kind, "label": labels.get(kind, labels["other"]), "text": text}
        for kind, text in _notes_of(context, None)
        if text not in reason
    ]
