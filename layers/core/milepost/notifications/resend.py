"""Resends: a person sends a notice again, as a new notice that is marked as a resend."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

from milepost.common.email_addresses import BadAddress, address_identity, check_address
from milepost.common.idempotency import Requests, fingerprint, is_repeated
from milepost.notifications.dispatch import Entered, Outbox
from milepost.notifications.eligibility import judge, out_of_date
from milepost.notifications.eligibility_facts import Judge, Judged
from milepost.notifications.notice import (
    APART,
    CHATS,
    FOR_READERS,
    Audience,
    Channel,
    Notice,
    NoticeId,
    State,
)
from milepost.notifications.recipients import Choice

OPERATION: Final = "resend"
_MOST_COPIES: Final = 1000


class CannotResend(Exception):
    """The notice can't be resent; the message says why, and what to do."""


class NeedsForce(CannotResend):
    """The notice is out of date or must not be sent; a person may force it."""


class Log(Protocol):
    def find(self, identity: NoticeId) -> Mapping[str, Any] | None: ...
    def enter(self, choice: Choice, *, at: datetime) -> Entered: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendRequest:
    """A person's request for a resend.

    ``to`` is an address other than the notice's own; ``by`` is the person, for the log. One
    idempotency ``key`` sends one mail, however often the request is interrupted and repeated.
    ``force`` sends it although it is out of date, turned off for customers, or its recipient may
    get no mail.
    """

    to: str | None = None
    by: str
    key: str
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resender:
    """Resends mails and messages to chats."""

    log: Log
    judge: Judge
    requests: Requests
    emails: Outbox
    endpoints: Outbox | None = None
    """The queue of chats; None: only mails are resent."""

    def resend(self, identity: NoticeId, asked: ResendRequest, *, now: datetime) -> Notice:
        """Send a mail again, to the same or another address; returns the new notice.

        :raises CannotResend: when there is no such mail, or it can no longer be rendered
        :raises NeedsForce: when it is out of date or must not be sent, and isn't forced
        :raises KeyReused: when the key was already used with another request
        :raises OrdersUnavailable: when the order can't be read now
        """
        entry = self._find(identity)
        contents = fingerprint({"notice": str(identity), "to": asked.to, "force": asked.force})
        repeated = is_repeated(self.requests, OPERATION, asked.key, contents)
        again = replace(
            _addressed(self._original(identity, entry), asked.to), forced=asked.force, copy=1
        )
        if not repeated:
            self._require_worth_sending(again, now)
            self.requests.enter(OPERATION, asked.key, contents, at=now)
        notice, state = self._enter_copy(again, identity, asked, now)
        if state is State.QUEUED:
            # An earlier request with this key may have been interrupted after the log entry.
            self._outbox(notice.channel).put(notice)
        return notice

    def check(self, identity: NoticeId, asked: ResendRequest, *, now: datetime) -> None:
        """Check that a mail can be sent again now; sends nothing.

        :raises CannotResend: as ``resend`` does
        :raises OrdersUnavailable: when the order can't be read now
        """
        entry = self._find(identity)
        original = _addressed(self._original(identity, entry), asked.to)
        self._require_worth_sending(replace(original, forced=asked.force, copy=1), now)

    def draft(self, identity: NoticeId, asked: ResendRequest, *, now: datetime) -> Judged:
        """The notice that would be sent, with its present order; sends nothing.

        :raises CannotResend: when there is no such mail, or it can no longer be rendered
        :raises OrdersUnavailable: when the order can't be read now
        """
        original = _addressed(self._original(identity, self._find(identity)), asked.to)
        (judged,) = self.judge.judge([replace(original, forced=asked.force, copy=1)], now=now)
        return judged

    def _outbox(self, channel: Channel) -> Outbox:
        if channel is Channel.EMAIL:
            return self.emails
        if self.endpoints is None:
            raise CannotResend("only mails can be resent here")
        return self.endpoints

    def _find(self, identity: NoticeId) -> Mapping[str, Any]:
        if identity.channel not in FOR_READERS:
            raise CannotResend(
                f"a notice by {identity.channel} can't be resent: only mails can, and messages to"
                " chats"
            )
        self._outbox(identity.channel)
        entry = self.log.find(identity)
        if entry is None:
            raise CannotResend(
                f"no notice {identity}: `milepost notices list` names those of an order"
            )
        return entry

    def _original(self, identity: NoticeId, entry: Mapping[str, Any]) -> Notice:
        read = self.judge.orders.read_all([identity.key])
        if identity.key in read.unreadable:
            raise CannotResend(f"its order can't be read: {read.unreadable[identity.key]}")
        tracked = read.found.get(identity.key)
        announced = tracked.announced if tracked and tracked.erased_at is None else ()
        said = [one for one in announced if one.sequence == identity.sequence]
        if not said and announced and tracked and tracked.last_sequence >= identity.sequence:
            raise CannotResend(f"{identity} is too old to be sent again: resend a later notice")
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
            apart=identity.recipient_hash.endswith(APART),
        )

    def _require_worth_sending(self, notice: Notice, now: datetime) -> None:
        (judged,) = self.judge.judge([notice], now=now)
        facts = judged.facts
        if never := judge(replace(notice, forced=True), facts, now=now):
            raise CannotResend(never.reason)
        if notice.forced:
            return
        if verdict := judge(notice, facts, now=now):
            raise NeedsForce(verdict.reason)
        if facts.tracked is None or facts.connection is None:
            return
        old = out_of_date(notice.announcement, facts.tracked, facts.connection, now=now)
        if old:
            raise NeedsForce(f"out of date: {old}")

    def _enter_copy(
        self, again: Notice, original: NoticeId, asked: ResendRequest, now: datetime
    ) -> tuple[Notice, State]:
        """Enter the first copy that doesn't exist yet, even if another person resends at the same
        time; or return the copy that the same request has already entered."""
        for copy in range(1, _MOST_COPIES):
            choice = Choice(
                notice=replace(again, copy=copy),
                resend_of=str(original),
                requested_by=asked.by,
                requested_with=asked.key,
            )
            entered = self.log.enter(choice, at=now)
            if entered.is_new or entered.requested_with == asked.key:
                return choice.notice, entered.state
        raise CannotResend("it was resent too often")


def _addressed(original: Notice, to: str | None) -> Notice:
    if original.channel in CHATS:
        if to:
            raise CannotResend("a message to a chat can only be sent to the same chat again")
        return original
    if not (to or original.recipient):
        raise CannotResend("there is no address to send it to: name one (--to ADDRESS)")
    try:
        address = check_address((to or original.recipient).strip())
    except BadAddress as error:
        named = repr(to) if to else "its recipient"
        why = str(error).rstrip(".")
        raise CannotResend(f"{named} is not an email address. {why}") from None
    if address_identity(address) == address_identity(original.recipient):
        return original
    # Another recipient must not end the original recipient's subscription by this mail's link.
    return replace(original, recipient=address, subscription=None, apart=False)
