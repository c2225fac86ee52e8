"""The message of an announcement: JSON body, attributes and subject, for SNS and for endpoints."""

from collections.abc import Mapping
from typing import Any

from milepost.common.status import Status
from milepost.common.timestamps import format_instant, if_in_range
from milepost.orders.announcements import Announced
from milepost.orders.details import cause_in
from milepost.orders.disclosure import (
    label_of_nobody,
    reason_to_disclose,
    status_to_disclose,
)
from milepost.orders.order import Kind


def topic_message(announced: Announced) -> dict[str, Any]:
    """The JSON body of an SNS message, and of a request to an endpoint.

    Only these fields are sent, as docs/announcements.md lists them. Fields with a provider's own
    text pass through ``milepost.orders.disclosure`` first.
    """
    one, details = announced.announcement, announced.details
    values = {
        "version": 1,
        "id": announced.id,
        "kind": str(one.kind),
        "connection": announced.key.connection,
        "provider": announced.provider,
        "order_id": announced.key.order_id,
        "item_id": announced.key.item_id,
        "reference": label_of_nobody(details.get("reference"), details),
        "service_type": label_of_nobody(details.get("service_type"), details),
        "status": str(one.status),
        "raw_status": _known_word(announced),
        "previous_status": str(one.previous) if one.previous else None,
        "correction": one.correction,
        "occurred_at": format_instant(one.occurred_at),
        "announced_at": format_instant(one.announced_at),
        "appointment": if_in_range(details.get("appointment")),
        "reason": reason_to_disclose(details, of_rejection=one.kind is Kind.REJECTED),
        "cause": cause_in(details),
        "delivery_end": if_in_range(details.get("delivery_end")),
    }
    return {name: value for name, value in values.items() if value is not None}


def _known_word(announced: Announced) -> str | None:
    """The provider's raw status. An unknown one may be any text, even a person's name."""
    if announced.announcement.status is Status.UNKNOWN:
        return None
    return status_to_disclose(announced.raw_status, announced.details)


def topic_attributes(announced: Announced) -> Mapping[str, str]:
    """The message attributes for filter policies."""
    values = {
        "kind": str(announced.announcement.kind),
        "connection": announced.key.connection,
        "provider": announced.provider,
        "status": str(announced.announcement.status),
        "service_type": label_of_nobody(announced.service_type, announced.details) or "unknown",
    }
    return {name: value[:256] for name, value in values.items()}


def topic_subject(announced: Announced) -> str:
    """The subject for plain email subscribers: at most 100 characters of printable ASCII."""
    details = announced.details
    name = label_of_nobody(details.get("reference"), details) or announced.key.order_id
    subject = f"{announced.announcement.kind.capitalize()}: {name} ({announced.key.connection})"
    printable = "".join(c if " " <= c <= "~" else "?" for c in subject)
    return printable[:100]
