"""The CloudEvent of an announcement: the fields of the SNS message in a CloudEvents envelope.

Source: CloudEvents 1.0.2 and its JSON format in structured mode,
github.com/cloudevents/spec/tree/v1.0.2/cloudevents.
"""

from typing import Any, Final

from milepost.common.timestamps import format_instant
from milepost.notifications.announcement_message import topic_message
from milepost.orders.announcements import Announced
from milepost.orders.order import Kind

SPEC_VERSION: Final = "1.0"
VERSION: Final = 1
"""Of the event's type and of its schema; the ``version`` of the message in it."""
SCHEMA_ID: Final = f"https://milepost.dev/schemas/announcement.v{VERSION}.json"
DATA_SCHEMA: Final = f"{SCHEMA_ID}#/$defs/Announcement"
TYPE_PREFIX: Final = "milepost.order."


def type_of(kind: Kind) -> str:
    """The type of the events of a kind, such as ``milepost.order.accepted.v1``."""
    return f"{TYPE_PREFIX}{kind}.v{VERSION}"


def cloud_event(announced: Announced, *, source: str) -> dict[str, Any]:
    """The event, as a JSON object in structured mode.

    It follows from the announcement alone: a repetition has the same ``id`` and ``source``, by
    which readers recognise it.

    :param source: of this stack, a URI reference such as ``/milepost/milepost-prod``
    """
    one = announced.announcement
    return {
        "specversion": SPEC_VERSION,
        "id": announced.id,
        "source": source,
        "type": type_of(one.kind),
        "subject": str(announced.key),
        "time": format_instant(one.occurred_at),
        "datacontenttype": "application/json",
        "dataschema": DATA_SCHEMA,
        "data": topic_message(announced),
    }
