"""The open points of an order, in sentences: fees, signing codes, reasons for attention."""

from collections.abc import Container, Mapping
from typing import Any

from milepost.common.status import Status
from milepost.notifications.mail.rendering.fact_readers import (
    moment_of,
    number_of,
    part,
    parts,
    text_of,
)
from milepost.notifications.mail.rendering.formatting import Moments
from milepost.notifications.mail.rendering.languages import Words
from milepost.notifications.mail.rendering.sanitize import clean, one_stop
from milepost.orders.attention import UNREAD, WITHOUT_THE_PROVIDERS_WORDS
from milepost.orders.details import Details
from milepost.orders.order import Attention, Order
from milepost.orders.provider_stages import awaits_signature


def open_points(
    details: Details,
    raw_status: str | None,
    *,
    words: Mapping[str, str],
    fees: Mapping[str, str],
    moments: Moments,
) -> list[str]:
    """A sentence for each unpaid fee, and one for the authorization code while the contract is not
    signed.

    :param raw_status: the order's raw status
    :param words: the sentences for the audience
    :param fees: the words for fees
    """
    unpaid = [one for one in parts(details, "invoices") if not one.get("paid", False)]
    points = [one_stop(words["unpaid"].format(fee=_fee(one, fees, moments))) for one in unpaid]
    awaits = awaits_signature(raw_status, parts(details, "invoices"))
    code = part(details, "authorization_code") if awaits else None
    return [*points, _code(code, words, moments)] if code else points


def _fee(invoice: Mapping[str, Any], fees: Mapping[str, str], moments: Moments) -> str:
    """Kind, amount, number and due date of a fee."""
    name = fees.get(text_of(invoice.get("kind")) or "fee", fees["fee"])
    number = clean(text_of(invoice.get("number")) or text_of(invoice.get("id")) or "", 60)
    amount = moments.amount(number_of(invoice.get("amount")), text_of(invoice.get("currency")))
    due_on = moment_of(invoice.get("due_on"))
    due = moments.day(due_on)
    named = f"{name} ({number})" if number else name
    form = fees["was_due" if moments.is_past(due_on) else "due"]
    said = (named, amount, form.format(day=due) if due else None)
    return ", ".join(one for one in said if one)


def _code(code: Mapping[str, Any], words: Mapping[str, str], moments: Moments) -> str:
    if not code.get("sent"):
        return words["code_missing"]
    when = moments.full(moment_of(code.get("sent_at")))
    return words["code_sent"].format(when=when) if when else words["code_sent_undated"]


def has_unpaid(details: Details) -> bool:
    """Whether a fee isn't paid: an open point then names the fee and what to do."""
    return any(not one.get("paid", False) for one in parts(details, "invoices"))


def attention_sentences(order: Order, words: Words, *, without: Container[str] = ()) -> list[str]:
    """Why a person should look, in the mail's language.

    :param without: codes of reasons that the mail states elsewhere

    The reasons are in English. Fixed sentences are translated; sentences with values are composed
    again from the order, also in English, where they have instants in UTC; others are quoted after
    a heading.
    """
    said = (_sentence(one, order, words) for one in order.attention if one.code not in without)
    return list(dict.fromkeys(said))


def _sentence(reason: Attention, order: Order, words: Words) -> str:
    text, translations = clean(reason.text), words["attention_sentences"]
    if reason.text in translations:
        return str(translations[reason.text])
    is_first = reason.code == "unknown_status" and order.status is Status.UNKNOWN
    form = words["attention"].get("unknown_first" if is_first else reason.code)
    if form is None or reason.text in WITHOUT_THE_PROVIDERS_WORDS.values():
        return text
    values = _values(reason, order, text, words)
    return str(form.format(text=values, **_status_values(order, words)))


def _status_values(order: Order, words: Words) -> dict[str, Any]:
    said = [entry.report.raw_status for entry in order.timeline if entry.report.raw_status]
    named = clean(said[-1], 60) if said else ""
    raw = words["quote"].format(text=named) if named else words["statuses"]["unknown"]
    return {"raw": raw, "status": words["statuses"][order.status]}


def _values(reason: Attention, order: Order, text: str, words: Words) -> str:
    """The values for the sentence of a check, without the sentence."""
    if reason.code == UNREAD:
        return clean(", ".join(order.details.get("unread", []))) or text
    if reason.code != "email_not_sent":
        return text
    unsent = [one for one in parts(order.details, "emails") if not one.get("sent", True)]
    return ", ".join(filter(None, (_email(one, words) for one in unsent))) or text


def _email(one: Mapping[str, Any], words: Words) -> str:
    """Which mail was not sent, and why, in the provider's words."""
    kind, reason = text_of(one.get("type")) or "", clean(text_of(one.get("not_sent_reason")) or "")
    name = words["emails"].get(kind) or clean(kind.replace("_", " "), 60)
    quoted = words["quote"].format(text=reason) if reason else ""
    return ": ".join(filter(None, (name, quoted)))
