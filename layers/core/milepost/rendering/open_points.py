"""What an order still waits for, in sentences: fees, the code for signing, reasons to look."""

from collections.abc import Mapping
from typing import Any

from milepost.attention import UNREAD
from milepost.order import Attention, Order
from milepost.rendering.moments import Moments
from milepost.rendering.plain import clean
from milepost.rendering.words import Words
from milepost.report import AuthorizationCode, Details, Invoice


def open_points(
    details: Details, *, words: Mapping[str, str], fees: Mapping[str, str], moments: Moments
) -> list[str]:
    """A sentence for each unpaid fee, and one for the authorization code if there is to be one.

    :param words: the sentences for the audience
    :param fees: the words for fees
    """
    unpaid = [one for one in details.get("invoices", []) if not one.get("paid", False)]
    points = [words["unpaid"].format(fee=_fee(one, fees, moments)) for one in unpaid]
    code = details.get("authorization_code")
    return [*points, _code(code, words, moments)] if code else points


def _fee(invoice: Invoice, fees: Mapping[str, str], moments: Moments) -> str:
    """Kind, amount, number and due date of a fee."""
    name = fees.get(invoice.get("kind", "fee"), fees["fee"])
    number = invoice.get("number") or invoice.get("id")
    amount = moments.amount(invoice.get("amount"), invoice.get("currency"))
    due = moments.day(invoice.get("due_on"))
    named = f"{name} ({clean(number, 60)})" if number else name
    parts = (named, amount, fees["due"].format(day=due) if due else None)
    return ", ".join(part for part in parts if part)


def _code(code: AuthorizationCode, words: Mapping[str, str], moments: Moments) -> str:
    if not code.get("sent"):
        return words["code_missing"]
    when = moments.full(code.get("sent_at"))
    return words["code_sent"].format(when=when) if when else words["code_sent_undated"]


def attention_sentences(order: Order, words: Words) -> list[str]:
    """Why a person should look, in the mail's language.

    The checks write English. Their fixed sentences have a translation by the sentence itself;
    those that hold values are said anew from the order; the rest is quoted after its heading.
    """
    said = (_sentence(reason, order, words) for reason in order.attention)
    return list(dict.fromkeys(said))


def _sentence(reason: Attention, order: Order, words: Words) -> str:
    text, translations = clean(reason.text), words["attention_sentences"]
    if not translations:
        return text
    if reason.text in translations:
        return str(translations[reason.text])
    form = words["attention"].get(reason.code, "{text}")
    return str(form.format(text=_values(reason, order, text), **_status_values(order, words)))


def _status_values(order: Order, words: Words) -> dict[str, Any]:
    said = [entry.report.raw_status for entry in order.timeline if entry.report.raw_status]
    raw = f"“{clean(said[-1], 60)}”" if said else words["statuses"]["unknown"]
    return {"raw": raw, "status": words["statuses"][order.status]}


def _values(reason: Attention, order: Order, text: str) -> str:
    """The values in a check's sentence, without the sentence."""
    if reason.code == UNREAD:
        return clean(", ".join(order.details.get("unread", []))) or text
    if reason.code != "email_not_sent":
        return text
    unsent = [one for one in order.details.get("emails", []) if not one.get("sent", True)]
    named = (": ".join(_known(one.get("type"), one.get("not_sent_reason"))) for one in unsent)
    return clean(", ".join(named)) or text


def _known(*parts: str | None) -> list[str]:
    return [part for part in parts if part]
