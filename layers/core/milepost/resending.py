"""Resending: a person has a notice sent again, which is a new notice that says so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from milepost.email_addresses import is_email
from milepost.notices import Audience, Channel, Notice, NoticeId, State
from milepost.order import OrderKey, TrackedOrder
from milepost.recipients import Choice
from milepost.telling import Entered, Outbox


class CannotResend(Exception):
    """The message says why, and what to do."""


class Log(Protocol):
    def find(self, identity: NoticeId) -> Mapping[str, Any] | None: ...
    def enter(self, choice: Choice, *, at: datetime) -> Entered: ...


class Orders(Protocol):
    def read(self, key: OrderKey) -> TrackedOrder | None: ...


def resend(
    identity: NoticeId,
    *,
    to: str | None,
    by: str,
    key: str,
    log: Log,
    orders: Orders,
    emails: Outbox,
    now: datetime,
) -> Notice:
    """Send a mail again, to the same address or to another; the new notice.

    :param by: who asks, for the log
    :param key: of the request: one key sends one mail, however often and wherever it broke off
    :raises CannotResend: when there is no such mail, or it can't be written any more
    """
    if identity.channel is not Channel.EMAIL:
        raise CannotResend(f"a notice by {identity.channel} can't be resent: only mails can")
    entry = log.find(identity)
    if entry is None:
        raise CannotResend(f"no notice {identity}: `milepost notices list` names those of an order")
    original = _notice_of(identity, entry, orders)
    asked = Choice(
        notice=_addressed(original, to),
        resend_of=str(identity),
        requested_by=by,
        requested_with=key,
    )
    notice, state = _enter_copy(asked, log, now)
    if state is State.QUEUED:
        # Whoever asked before with this key may have got no farther than the log.
        emails.put(notice)
    return notice


def _notice_of(identity: NoticeId, entry: Mapping[str, Any], orders: Orders) -> Notice:
    tracked = orders.read(identity.key)
    announced = tracked.announced if tracked else ()
    said = [one for one in announced if one.sequence == identity.sequence]
    if not said:
        raise CannotResend(f"the order of {identity} is gone: it was erased")
    return Notice(
        key=identity.key,
        announcement=said[0],
        channel=identity.channel,
        recipient=entry.get("recipient", ""),
        audience=Audience(entry["audience"]),
        language=entry.get("language", "en"),
        subscription=entry.get("subscription"),
    )


def _addressed(original: Notice, to: str | None) -> Notice:
    address = to or original.recipient
    if not is_email(address):
        raise CannotResend("there is no address to send it to: name one (--to ADDRESS)")
    if address == original.recipient:
        return original
    # Somebody else must not end the first one's subscription by the link in this mail.
    return replace(original, recipient=address, subscription=None)


def _enter_copy(asked: Choice, log: Log, now: datetime) -> tuple[Notice, State]:
    """Enter the first copy that is not there yet, also when another person resends meanwhile;
    else the one that this very request has entered before."""
    for copy in range(1, 1000):
        candidate = replace(asked.notice, copy=copy)
        entered = log.enter(replace(asked, notice=candidate), at=now)
        if entered.is_new or entered.requested_with == asked.requested_with:
            return candidate, entered.state
    raise CannotResend("it was resent too often")
