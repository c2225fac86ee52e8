"""Notices as mails: one template a kind and language, in plain text and in HTML.

Names, notes and reasons come from outside. They are values, never templates; HTML is escaped,
and what goes into a header is one line.
"""

import re
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from milepost.connection import Connection, Connections
from milepost.notices import Notice
from milepost.order import TrackedOrder
from milepost.report import Address
from milepost.sending import Mail

TEMPLATES: Final = Path(__file__).parent / "templates"
_LONGEST_SUBJECT: Final = 150


class MailRenderer:
    """Implements ``sending.Renderer``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def render(self, notice: Notice, tracked: TrackedOrder) -> Mail:
        connection = self._connections.get(notice.key.connection)
        values = mail_values(notice, tracked, connection)
        name = template_for(str(notice.announcement.kind), notice.language)
        text = _environment(html=False).get_template(name)
        html = _environment(html=True).get_template(name)
        subject = "".join(text.blocks["subject"](text.new_context(values)))
        return Mail(
            to=notice.recipient,
            subject=one_line(subject)[:_LONGEST_SUBJECT],
            text=_tidy(text.render(values, layout="layout.txt.j2")),
            html=html.render(values, layout="layout.html.j2"),
        )


def template_for(kind: str, language: str) -> str:
    """The template of a kind: in the language, in the language without its region, in English.

    :raises TemplateNotFound: when there is none even in English
    """
    for candidate in (language, language.partition("-")[0], "en"):
        name = f"{candidate}/{kind}.j2"
        if (TEMPLATES / name).is_file():
            return name
    raise TemplateNotFound(f"en/{kind}.j2")


@cache
def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,  # noqa: S701 - plain text is not markup, and the HTML is escaped
        undefined=StrictUndefined,
        trim_blocks=False,
        lstrip_blocks=True,
    )
    environment.filters["one_line"] = one_line
    return environment


def _tidy(text: str) -> str:
    """Plain text with at most one empty line between its parts."""
    return re.sub(r"\n[ \t]*\n\s*\n", "\n\n", text).strip() + "\n"


def one_line(text: str) -> str:
    """The text on one line, without control characters: fit for a header or a table's cell."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def mail_values(notice: Notice, tracked: TrackedOrder, connection: Connection) -> dict[str, Any]:
    """What templates may say. Facts are those of the order as it stands now."""
    details = tracked.order.details
    offer = details.get("offer", {})
    customer = details.get("customer", {})
    shown = _Dates(connection.time_zone, notice.language)
    return {
        "language": notice.language,
        "kind": str(notice.announcement.kind),
        "announcement": notice.announcement,
        "status": str(tracked.order.status),
        "raw_status": tracked.order.raw_status,
        "connection": connection.id,
        "provider": connection.provider,
        "reference": details.get("reference") or notice.key.order_id,
        "order_id": notice.key.order_id,
        "item_id": notice.key.item_id,
        "what": offer.get("name") or details.get("service_type") or "the order",
        "supplier": offer.get("supplier"),
        "customer": customer.get("business") or customer.get("name"),
        "address": _one_line_address(details.get("address", {})),
        "reason": details.get("reason"),
        "notes": [note["text"] for note in details.get("notes", [])],
        "appointment": shown.moment(details.get("appointment")),
        "delivery_end": shown.moment(details.get("delivery_end")),
        "account_number": details.get("account_number"),
        "occurred_at": shown.moment(notice.announcement.occurred_at),
        "attention": [reason.text for reason in tracked.order.attention],
    }


class _Dates:
    """Dates in the recipient's language and the order's time zone."""

    def __init__(self, time_zone: str, language: str) -> None:
        self._zone = ZoneInfo(time_zone)
        self._locale = language.replace("-", "_")

    def moment(self, value: str | datetime | None) -> str | None:
        if value is None:
            return None
        if isinstance(value, str) and len(value) == len("2026-03-01"):
            return format_date(date.fromisoformat(value), "full", locale=self._locale)
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return format_datetime(
            moment, "EEEE, d MMMM y, HH:mm zzz", tzinfo=self._zone, locale=self._locale
        )


def _one_line_address(address: Address) -> str:
    street = " ".join(filter(None, (address.get("street"), address.get("unit"))))
    city = " ".join(filter(None, (address.get("postcode"), address.get("city"))))
    return ", ".join(filter(None, (street, city, address.get("region"), address.get("country"))))
