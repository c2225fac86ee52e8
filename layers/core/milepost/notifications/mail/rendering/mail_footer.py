"""The sender of a mail, and its footer with the reason why its recipient gets it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from milepost.common.email_addresses import address_identity
from milepost.connections.connection import Connection, SenderIdentity
from milepost.notifications.mail.rendering.languages import Words
from milepost.notifications.mail.rendering.sanitize import clean
from milepost.notifications.notice import FOR_CONTACT_ALONE, Audience, Notice

_LONGEST_LEGAL = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class MailEnds:
    """The footer of a mail, and the names in its headers."""

    values: Mapping[str, Any]
    from_name: str | None
    reply_to: str | None


def mail_ends(
    audience: Audience, connections: Iterable[Connection], words: Words, *, footer: str
) -> MailEnds:
    """The footer of a mail about orders of these connections.

    A digest may be about several companies: it names each, and has an address for replies only if
    it is the same for all.

    :param footer: why the recipient gets the mail
    """
    listed = list({one.id: one for one in connections}.values())
    senders = list(dict.fromkeys(one.sender for one in listed if one.sender))
    companies = [clean(one.company, 120) for one in senders]
    is_customer = audience is Audience.CUSTOMER
    contact = _only([_contact(one) for one in listed]) if is_customer else None
    signed = ", ".join(companies) or words["signature"]
    values = {
        "contact": contact,
        "questions": words["questions"].format(contact=contact)
        if contact
        else words["questions_nameless"],
        "signature": signed if is_customer else None,
        "companies": companies,
        "legal": [line for one in senders for line in _lines(one.legal or "")],
        "footer": footer,
    }
    reply_to = _only([_reply_to(one, audience) for one in listed])
    return MailEnds(
        values=values,
        from_name=companies[0] if len(companies) == 1 else None,
        reply_to=reply_to,
    )


def reason_for_mail(notice: Notice, words: Words, *, customer_email: str | None) -> str:
    """Why the recipient of a single notice's mail gets it.

    :param customer_email: of the order's customer as it is now
    """
    forms = words["footers"]
    key = "team"
    if notice.audience is Audience.CUSTOMER:
        is_theirs = not notice.copy or _same(customer_email, notice.recipient)
        key = "customer" if is_theirs else "resent"
    elif notice.subscription is not None:
        key = "subscribed"
    elif notice.copy:
        key = "resent"
    elif notice.announcement.kind in FOR_CONTACT_ALONE:
        key = "contact"
    return str(forms[key].format(connection=notice.key.connection))


def reason_for_digest(notices: Sequence[Notice], words: Words) -> str:
    """Why the recipient of a digest gets it."""
    forms = words["footers"]
    if notices[0].audience is Audience.CUSTOMER:
        return str(forms["customer_digest"])
    if any(one.subscription is not None for one in notices):
        return str(forms["subscribed"])
    connections = sorted({one.key.connection for one in notices})
    is_for_contact = all(one.announcement.kind in FOR_CONTACT_ALONE for one in notices)
    key = "contact" if is_for_contact else "team"
    return str(forms[key].format(connection=", ".join(connections)))


def _lines(legal: str) -> list[str]:
    return [line for line in (clean(one, _LONGEST_LEGAL) for one in legal.splitlines()) if line]


def _contact(connection: Connection) -> str | None:
    """Where a customer can ask questions."""
    said = connection.sender or SenderIdentity(company="")
    found = said.contact or said.reply_to or connection.contact
    return clean(found, 200) or None if found else None


def _reply_to(connection: Connection, audience: Audience) -> str | None:
    """The address for replies; in a customer's mail, by default the contact that the mail names."""
    if connection.sender and connection.sender.reply_to:
        return connection.sender.reply_to
    return connection.contact if audience is Audience.CUSTOMER else None


def _only(found: list[str | None]) -> str | None:
    """The value, if it is the same for all; None if they differ."""
    return found[0] if found and len(set(found)) == 1 else None


def _same(one: str | None, other: str) -> bool:
    return one is not None and address_identity(one) == address_identity(other)
