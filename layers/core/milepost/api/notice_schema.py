"""The API's schema of a notice: recipient, channel and outcome."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from milepost.api.json_model import Shape
from milepost.notifications.notice import Audience, Channel, NoticeId, State


class NoticeView(Shape):
    """One announcement to one recipient by one channel."""

    id: str = Field(examples=["offergrid-main:ord_1:item_1:1:email:0a1b2c3d4e5f"])
    order: str = Field(description="The id of the order.")
    sequence: int = Field(description="The number of the order's announcement.")
    kind: str
    channel: Channel
    audience: Audience
    recipient: str | None
    language: str | None
    state: State
    at: str | None = Field(description="When it entered this state; an instant in UTC.")
    reason: str | None = Field(description="Why it was skipped, failed or bounced.")
    times: dict[str, str] = Field(description="When it entered each state that it was in.")
    due_at: str | None = Field(description="Until when it is held, if it is.")
    resend_of: str | None
    requested_by: str | None


def notice_view(entry: Mapping[str, Any]) -> NoticeView:
    """The notice of an entry in the delivery log."""
    identity = NoticeId.parse(entry["id"])
    resent = entry.get("resend_of")
    times = {str(state): str(entry[name]) for state in State if (name := f"{state}_at") in entry}
    return NoticeView(
        id=identity.path_id,
        order=identity.key.path_id,
        sequence=identity.sequence,
        kind=entry["kind"],
        channel=identity.channel,
        audience=Audience(entry["audience"]),
        recipient=_shown_recipient(identity.channel, entry.get("recipient")),
        language=entry.get("language"),
        state=State(entry["state"]),
        at=times.get(entry["state"]) or times.get(State.QUEUED),
        reason=entry.get("reason"),
        times=times,
        due_at=entry.get("due_at"),
        resend_of=NoticeId.parse(resent).path_id if resent else None,
        requested_by=entry.get("requested_by"),
    )


def _shown_recipient(channel: Channel, recipient: str | None) -> str | None:
    # The query of an endpoint's URL may be its only secret. An email address may have a "?".
    return recipient.partition("?")[0] if recipient and channel is Channel.HTTPS else recipient
