"""The JSON Schema of announcements as events: docs/schemas/announcement.v1.json.

A published version only gets new optional fields. A reader must therefore ignore fields that it
does not know, and the schema allows them.
"""

from typing import Any, Final

from milepost.common.causes import CAUSES
from milepost.common.status import Status
from milepost.notifications.cloud_event import (
    DATA_SCHEMA,
    SCHEMA_ID,
    SPEC_VERSION,
    VERSION,
    type_of,
)
from milepost.notifications.notice import FOR_CONTACT_ALONE
from milepost.orders.order import Kind

PUBLISHED_KINDS: Final = tuple(one for one in Kind if one not in FOR_CONTACT_ALONE)
"""The kinds that are published to the topic and the event bus."""
_STATUSES: Final = [str(one) for one in Status]
_INSTANT: Final = {"type": "string", "format": "date-time"}
_ID: Final = {"type": "string", "minLength": 1}
_ANNOUNCEMENT: Final[dict[str, dict[str, Any]]] = {
    "version": {"const": VERSION},
    "id": {**_ID, "description": "The same for every copy: connection/order/item/number."},
    "kind": {"enum": [str(one) for one in PUBLISHED_KINDS]},
    "connection": _ID,
    "provider": _ID,
    "order_id": _ID,
    "item_id": _ID,
    "reference": {
        "type": "string",
        "description": "The number of the order; missing if the customer's name is in it.",
    },
    "service_type": {"type": "string", "maxLength": 64},
    "status": {"enum": _STATUSES},
    "raw_status": {
        "type": "string",
        "description": "The provider's own word; missing if the status isn't known.",
    },
    "previous_status": {"enum": _STATUSES},
    "correction": {
        "type": "boolean",
        "description": "Whether the order left a terminal status.",
    },
    "occurred_at": {**_INSTANT, "description": "The provider's time, in UTC."},
    "announced_at": {**_INSTANT, "description": "When Milepost learned it, in UTC."},
    "appointment": {"type": "string", "description": "An instant in UTC, or a day."},
    "reason": {
        "type": "string",
        "maxLength": 500,
        "description": "A text of Milepost for the cause; never the provider's own words.",
    },
    "cause": {"type": "string", "examples": list(CAUSES), "description": "Of a growing list."},
    "delivery_end": {"type": "string", "description": "For supply that ends: the last day."},
}
_ALWAYS: Final = (
    *("version", "id", "kind", "connection", "provider", "order_id", "item_id"),
    *("status", "correction", "occurred_at", "announced_at"),
)
_ENVELOPE: Final[dict[str, dict[str, Any]]] = {
    "specversion": {"const": SPEC_VERSION},
    "id": {**_ID, "description": "The id of the announcement; unique for its source."},
    "source": {
        "type": "string",
        "format": "uri-reference",
        "minLength": 1,
        "description": "The stack: /milepost/<name of the stack>.",
    },
    "type": {"enum": [type_of(one) for one in PUBLISHED_KINDS]},
    "subject": {**_ID, "description": "The order: connection/order/item, as in the id."},
    "time": {**_INSTANT, "description": "When it happened: occurred_at."},
    "datacontenttype": {"const": "application/json"},
    "dataschema": {"const": DATA_SCHEMA},
    "data": {"$ref": "#/$defs/Announcement"},
}


def json_schema() -> dict[str, Any]:
    """The schema of a whole event; that of its data, an SNS message, is ``$defs/Announcement``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "An announcement of Milepost as a CloudEvent",
        "description": "Fields may be added: ignore those that you don't know.",
        "type": "object",
        "properties": _ENVELOPE,
        "required": list(_ENVELOPE),
        "$defs": {
            "Announcement": {
                "title": "An announcement",
                "type": "object",
                "properties": _ANNOUNCEMENT,
                "required": list(_ALWAYS),
            }
        },
    }
