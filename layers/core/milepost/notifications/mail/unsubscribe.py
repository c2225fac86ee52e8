"""One-click unsubscribe (RFC 8058): a signed link that unsubscribes without sign-in.

The link names what it ends and is signed, so that nobody can end another's mails. It holds no
address: whose mails it ends it says by a digest of the address, however many subscriptions they
have, since SES takes 870 characters of a header.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from milepost.common.email_addresses import address_hash
from milepost.notifications.notice import Audience, Notice

VERSION: Final = "1"
_LONGEST_TOKEN: Final = 4096


class BadLink(Exception):
    """Not a link of this stack. There is no reason, on purpose."""


class NoLinkKey(Exception):
    """The key that signs links can't be read now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a link ends: every subscription of a recipient, and the mails to a customer, each
    identified by the hash of the address.

    ``subscriptions`` are ids, in links that earlier versions wrote: a mail of many subscriptions
    had a link that was too long for a header.
    """

    subscriptions: tuple[str, ...] = ()
    recipient: str | None = None
    customer: str | None = None

    def __bool__(self) -> bool:
        return bool(self.subscriptions or self.recipient or self.customer)


_NOTHING: Final = Ending()


class LinkKeys(Protocol):
    def keys(self) -> Sequence[bytes]:
        """The key that signs, then the keys with which links are still valid.

        :raises NoLinkKey: when there is none
        """
        ...


class Endings(Protocol):
    """Ends mails permanently."""

    def end_subscription(self, subscription_id: str, *, reason: str) -> None:
        """End this subscription and all others of its recipient."""
        ...

    def end_recipient(self, digest: str, *, reason: str) -> None:
        """End every subscription of the recipient whose address has this hash."""
        ...

    def suppress_customer(self, digest: str, *, reason: str, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class UnsubscribeLinks:
    """Implements ``sender.Links``. ``public_url`` is the public URL of the API."""

    keys: LinkKeys
    public_url: str

    def url_for(self, notices: Sequence[Notice]) -> str | None:
        """The link of one mail; None if the mail belongs to no subscription, as a resend may.

        :raises NoLinkKey: when it can't be signed now
        """
        ending = ending_of(notices)
        if not ending:
            return None
        return f"{self.public_url.rstrip('/')}/unsubscribe/{token_of(ending, self.keys.keys()[0])}"


def ending_of(notices: Iterable[Notice]) -> Ending:
    """What unsubscribing from the mail with these notices ends."""
    recipient, customer = None, None
    for notice in notices:
        if notice.audience is Audience.CUSTOMER:
            customer = address_hash(notice.recipient)
        elif notice.subscription is not None:
            recipient = address_hash(notice.recipient)
    return Ending(recipient=recipient, customer=customer)


def token_of(ending: Ending, key: bytes) -> str:
    """The last part of the link: version, content, and the signature over both."""
    values = {"s": list(ending.subscriptions), "r": ending.recipient, "c": ending.customer}
    content = json.dumps({k: v for k, v in values.items() if v}, separators=(",", ":"))
    signed = f"{VERSION}.{_encode(content.encode())}"
    return f"{signed}.{_signature(signed, key)}"


def read_token(token: str, keys: Sequence[bytes]) -> Ending:
    """The content of a link.

    :raises BadLink: for whatever we did not sign
    """
    signed, _, signature = token.rpartition(".")
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        raise BadLink
    matches = [hmac.compare_digest(_signature(signed, key), signature) for key in keys]
    version, _, content = signed.partition(".")
    if not any(matches) or version != VERSION:
        raise BadLink
    values = json.loads(_decode(content))
    return Ending(
        subscriptions=tuple(values.get("s", ())),
        recipient=values.get("r"),
        customer=values.get("c"),
    )


def end_mails(ending: Ending, *, endings: Endings, now: datetime) -> None:
    """End what a link names; repeating this changes nothing."""
    reason = f"unsubscribed on {now:%Y-%m-%d}"
    for subscription in ending.subscriptions:
        endings.end_subscription(subscription, reason=reason)
    if ending.recipient:
        endings.end_recipient(ending.recipient, reason=reason)
    if ending.customer:
        endings.suppress_customer(ending.customer, reason=reason, at=now)


class UnsubscribeOutcome(StrEnum):
    """The outcome of a request to a link, which determines the page."""

    ASKED = "asked"
    ENDED = "ended"
    BAD_LINK = "bad_link"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Answered:
    """The outcome of a request, and what its link ends, if it is a valid link."""

    outcome: UnsubscribeOutcome
    ending: Ending = _NOTHING


def answer(method: str, token: str, *, keys: LinkKeys, endings: Endings, now: datetime) -> Answered:
    """Respond to a request to a link.

    GET only asks, because mail scanners follow links. POST ends: the one click of a mail program
    or of our page. Its body says nothing that the link does not, so it isn't looked at.
    """
    try:
        ending = read_token(token, keys.keys())
    except BadLink:
        return Answered(UnsubscribeOutcome.BAD_LINK)
    except NoLinkKey:
        return Answered(UnsubscribeOutcome.UNAVAILABLE)
    if method != "POST":
        return Answered(UnsubscribeOutcome.ASKED, ending)
    end_mails(ending, endings=endings, now=now)
    return Answered(UnsubscribeOutcome.ENDED, ending)


def _signature(signed: str, key: bytes) -> str:
    return _encode(hmac.digest(key, f"milepost unsubscribe {signed}".encode(), "sha256"))


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
