"""A notice's item in the delivery log: its key, its attributes, and how long it is kept."""

from datetime import datetime, timedelta
from typing import Any, Final

from milepost.aws.notices_keys import notice_sort_key, order_partition
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.list_keys import notice_listing
from milepost.notifications.notice import FOR_READERS, Notice, NoticeId, State
from milepost.notifications.recipients import Choice
from milepost.orders.order import OrderKey

KEEP: Final = timedelta(days=400)
"""How long the log keeps a notice: more than a year, so that complaints can be answered."""


def notice_key(notice: Notice) -> dict[str, str]:
    """The primary key of a notice."""
    return key_of_notice(NoticeId.parse(notice.id))


def key_of_notice(identity: NoticeId) -> dict[str, str]:
    """The primary key by id. Notices of one provider order are stored together, sorted by
    announcement."""
    sort_key = notice_sort_key(
        item_id=identity.key.item_id,
        sequence=identity.sequence,
        channel=identity.channel,
        recipient_hash=identity.recipient_hash,
        copy=identity.copy,
    )
    return {"pk": notices_of(identity.key), "sk": sort_key}


def notices_of(key: OrderKey) -> str:
    """The partition of an order's notices."""
    return order_partition(key.connection, key.order_id)


def notice_item(choice: Choice, *, at: datetime) -> dict[str, Any]:
    """The item of a new notice: queued, held until it is due, or skipped with the reason."""
    notice = choice.notice
    state = State.SKIPPED if choice.skipped else State.QUEUED
    return {
        **notice_key(notice),
        "id": notice.id,
        "kind": str(notice.announcement.kind),
        "channel": str(notice.channel),
        "recipient": notice.recipient or None,
        "audience": str(notice.audience),
        "language": notice.language if notice.channel in FOR_READERS else None,
        "subscription": notice.subscription,
        "state": str(state),
        "reason": choice.skipped or choice.waits_for,
        "due_at": format_instant(choice.due_at) if choice.due_at else None,
        f"{state}_at": format_instant(at),
        **notice_listing(state, notice.recipient_hash, at=at),
        "resend_of": choice.resend_of,
        "requested_by": choice.requested_by,
        "requested_with": choice.requested_with,
        "forced": notice.forced or None,
        "occurred_at": format_instant(notice.announcement.occurred_at),
        "expires_at": expiry(at),
    }


def expiry(at: datetime) -> int:
    """When an entry made now expires, in seconds since the epoch."""
    return int((at + KEEP).timestamp())
