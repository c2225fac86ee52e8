"""Events of SES about one mail: delivery, bounce, complaint, reject."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from milepost.common.errors import BadPayload
from milepost.common.timestamps import parse_instant


class UnknownEvent(ValueError):
    """Not an event with the outcome of a mail; the message says which event it is."""


class MailOutcome(StrEnum):
    """The outcome of a mail."""

    DELIVERED = "delivered"
    SOFT_BOUNCE = "soft_bounce"
    """A temporary failure, such as a full mailbox."""
    REFUSED_BOUNCE = "refused_bounce"
    """The address is valid, but this mail is refused, for its size or content."""
    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    REJECT = "reject"
    """SES found harmful content and did not send the mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailEvent:
    """An event of one mail.

    ``mail_id`` is Milepost's id of the mail, None for a mail that is not a notice; ``message_id``
    is SES's id, a different one for each attempt. ``detail`` is SES's word for the reason.
    """

    fate: MailOutcome
    mail_id: str | None
    message_id: str
    recipient: str
    detail: str
    sent_at: datetime
    occurred_at: datetime


MAIL_TAG: Final = "mail"
"""The message tag with the mail's id."""

_REFUSED: Final = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})
_NOT_SPAM: Final = "not-spam"
_LONGEST_DETAIL: Final = 64


def read_event(body: Mapping[str, Any]) -> MailEvent:
    """Parse an event of SES, in the form in which a configuration set publishes it.

    Source: Amazon SES developer guide, "Contents of event data that Amazon SES publishes to Amazon
    SNS". A bounce of type Undetermined counts as soft: nothing says that the address is invalid. A
    complaint of the feedback type ``not-spam`` withdraws an earlier one, and doesn't count.

    :raises UnknownEvent: when it is not one of delivery, bounce, complaint and reject
    """
    name = body.get("eventType") or body.get("notificationType")
    try:
        facts = body[_FACTS[str(name)]]
        mail = body["mail"]
        return MailEvent(
            fate=_mail_outcome(str(name), facts),
            mail_id=next(iter(mail.get("tags", {}).get(MAIL_TAG, ())), None),
            message_id=mail["messageId"],
            recipient=mail["destination"][0],
            detail=_detail(facts),
            sent_at=parse_instant(mail["timestamp"]),
            # A rejection has no time of its own.
            occurred_at=parse_instant(facts.get("timestamp") or mail["timestamp"]),
        )
    except (KeyError, IndexError, TypeError, AttributeError, BadPayload) as error:
        what = name if isinstance(name, str) and name.isalnum() else "without a known type"
        raise UnknownEvent(
            f"an event {what!r} that can't be read: {type(error).__name__}"
        ) from None


_FACTS: Final = {
    "Delivery": "delivery",
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Reject": "reject",
}


def _mail_outcome(name: str, facts: Mapping[str, Any]) -> MailOutcome:
    match name:
        case "Delivery":
            return MailOutcome.DELIVERED
        case "Reject":
            return MailOutcome.REJECT
        case "Complaint":
            if facts.get("complaintFeedbackType") == _NOT_SPAM:
                raise UnknownEvent("a withdrawn complaint")
            return MailOutcome.COMPLAINT
        case _:
            if facts["bounceType"] == "Permanent":
                return MailOutcome.HARD_BOUNCE
            refused = facts.get("bounceSubType") in _REFUSED
            return MailOutcome.REFUSED_BOUNCE if refused else MailOutcome.SOFT_BOUNCE


def _detail(facts: Mapping[str, Any]) -> str:
    """SES's code for the reason, without the message of the recipient's mail server, which may be
    personal."""
    words = (
        facts.get("bounceSubType"),
        facts.get("complaintSubType"),
        facts.get("complaintFeedbackType"),
        facts.get("reason"),
    )
    word = next((word for word in words if isinstance(word, str) and word), "")
    return word[:_LONGEST_DETAIL]
