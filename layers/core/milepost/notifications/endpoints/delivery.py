"""Calling an endpoint: claim, judge, post, log; retry what fails, and stop what only ever fails.

A notice is judged as a mail is: by its subscription, connection and order at the moment of sending.
An endpoint gets every notice at least once, under one id for all attempts: it is called again
without need if we are killed, or our entry in the log fails, after it has answered.
"""

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.common.errors import OrdersUnavailable
from milepost.common.timestamps import whole_milliseconds
from milepost.notifications.claims import CLAIM
from milepost.notifications.eligibility import SUBSCRIPTION_DELETED, Verdict
from milepost.notifications.eligibility_check import Judge, Judged
from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.endpoints.retry_policy import (
    Answer,
    Failure,
    failure_of,
    is_to_switch_off,
    next_wait,
    rest_of_pause,
)
from milepost.notifications.notice import Notice, State, announced_by
from milepost.notifications.payload import topic_message
from milepost.orders.announcements import Announced
from milepost.webhooks.signatures import NoSecret, sign

UNJUDGED_RETRY: Final = timedelta(seconds=60)
"""When a notice is tried again whose order could not be read; that is no attempt."""
PAUSED: Final = "the endpoint has asked not to be called yet"


class NoAnswer(Exception):
    """The endpoint was not reached, or did not answer; the message says why in a few words."""


class NoEndpointSecret(Exception):
    """Our fault, not the endpoint's: there is nothing to sign its messages with."""


@dataclass(frozen=True, slots=True)
class Called:
    """Where a notice stands after a call; ``failure`` in words."""

    state: State
    failure: str | None = None
    switched_off: bool = False


@dataclass(frozen=True, slots=True)
class _Claim:
    """One call of a notice, and the token that every later write to the log is checked against."""

    notice: Notice
    token: str
    attempt: int
    now: datetime


class CallLog(Protocol):
    """The delivery log. ``attempt`` is the number of calls that failed before this one.

    What is written with a ``claim`` is written only while that claim is the notice's; each says
    whether it was. That an endpoint has a notice is true whoever claims it, and always written.
    """

    def claim(self, notice: Notice, *, attempt: int, at: datetime, until: datetime) -> str | None:
        """Claim a queued notice; the claim's token, None when this message needs no call.

        :raises AlreadyClaimed: when another caller's claim holds
        """
        ...

    def release(self, notice: Notice, *, claim: str) -> bool: ...

    def postpone(self, notice: Notice, *, reason: str, retry_at: datetime, claim: str) -> bool:
        """Release a notice that was not tried, and say why and until when it waits."""
        ...

    def mark_delivered(
        self, notice: Notice, *, attempt: int, message_id: str, at: datetime
    ) -> None: ...

    def mark_retried(
        self, notice: Notice, *, attempt: int, reason: str, retry_at: datetime, claim: str
    ) -> bool: ...

    def close(
        self,
        notice: Notice,
        *,
        state: State,
        reason: str,
        at: datetime,
        attempts: int,
        claim: str,
    ) -> bool: ...


class Endpoints(Protocol):
    def get(self, subscription_id: str) -> Endpoint | None: ...

    def failed(
        self, endpoint: Endpoint, *, at: datetime, not_before: datetime | None = None
    ) -> datetime | None:
        """Note a failure of the endpoint's URL.

        :param not_before: until when it has asked not to be called; None leaves what it asked for
            before
        :returns: since when it has been failing; None when its subscription has ended, or has
            another URL now
        """
        ...

    def worked(self, endpoint: Endpoint) -> None:
        """Note that the endpoint's URL works and may be called, also when another call has failed
        since it was read; but not if it has another URL by now, or has worked and failed again
        since."""
        ...

    def claim_switching_off(
        self, endpoint: Endpoint, *, failing_since: datetime, at: datetime, until: datetime
    ) -> str | None:
        """The claim's token; None when another caller holds one, or the endpoint has worked."""
        ...

    def switch_off(self, endpoint: Endpoint, *, reason: str, claim: str) -> bool:
        """False when it has worked, or a person has resumed it, since the claim."""
        ...


class EndpointSecrets(Protocol):
    def live(self, subscription_id: str, *, now: datetime) -> Sequence[str]:
        """The secrets to sign with, the current one first; during a rotation also the old one."""
        ...


class Http(Protocol):
    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """:raises NoAnswer: when there is none"""
        ...


class Retries(Protocol):
    def put(self, notice: Notice, *, attempt: int, delay: timedelta, now: datetime) -> None:
        """Have the endpoint called again after a while."""
        ...


class Owners(Protocol):
    def tell_switched_off(
        self, endpoint: Endpoint, *, failure: str, since: datetime | None
    ) -> None:
        """Tell the endpoint's owner, if it has one; an error means that it was not done.

        :param since: since when every call failed; None when it said itself that it is gone
        """
        ...


def message_id(notice: Notice) -> str:
    """The ``webhook-id``: the same for every attempt, and safe to sign (there is no dot in it)."""
    return f"msg_{hashlib.sha256(notice.id.encode()).hexdigest()[:32]}"


def message_body(announced: Announced) -> bytes:
    """What an SNS subscriber gets, as docs/announcements.md says."""
    return json.dumps(topic_message(announced), ensure_ascii=False).encode()


def message_headers(
    notice: Notice, body: bytes, *, secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    """Headers by Standard Webhooks; the timestamp is this attempt's.

    :param secrets: each gives a signature, in this order
    :raises NoSecret: when there is no secret, or one isn't in its form
    """
    if not secrets:
        raise NoSecret
    delivery_id, timestamp = message_id(notice), int(now.timestamp())
    signatures = [
        sign(secret, delivery_id=delivery_id, timestamp=timestamp, body=body) for secret in secrets
    ]
    return {
        "content-type": "application/json",
        "user-agent": "Milepost/1",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Calls endpoints with the notices that announce put into their queue."""

    log: CallLog
    judge: Judge
    endpoints: Endpoints
    secrets: EndpointSecrets
    http: Http
    retries: Retries
    owners: Owners
    chance: Callable[[], float] = random.random
    """Gives random numbers from 0 to 1, for the jitter of retries."""

    def call(self, notice: Notice, *, attempt: int, now: datetime) -> Called | None:
        """Call the endpoint of one notice; None when there was nothing to do.

        :param attempt: how many calls for this notice had failed before
        :raises AlreadyClaimed: when another worker holds the claim
        :raises NoEndpointSecret: when there is nothing to sign with
        """
        token = self.log.claim(notice, attempt=attempt, at=now, until=now + CLAIM)
        if token is None:
            return None
        claim = _Claim(notice, token, attempt, now)
        try:
            (judged,) = self.judge.judge([notice], now=now)
        except OrdersUnavailable as unavailable:
            return self._try_later(claim, str(unavailable))
        if judged.verdict is not None:
            return self._close_unsent(claim, judged.verdict)
        endpoint = self.endpoints.get(notice.subscription) if notice.subscription else None
        if endpoint is None:
            return self._close_unsent(claim, SUBSCRIPTION_DELETED)
        pause = rest_of_pause(endpoint, now=now, chance=self.chance())
        if pause is not None:
            return self._wait_for_endpoint(claim, pause)
        return self._call_endpoint(claim, _announced(judged), endpoint)

    def _try_later(self, claim: _Claim, why: str) -> Called:
        """Nothing is known of the order, so nothing is concluded: the same attempt comes again."""
        self.log.release(claim.notice, claim=claim.token)
        self.retries.put(claim.notice, attempt=claim.attempt, delay=UNJUDGED_RETRY, now=claim.now)
        return Called(State.QUEUED, why)

    def _wait_for_endpoint(self, claim: _Claim, pause: timedelta) -> Called:
        """It is not called, so that this is no attempt: the same one comes again."""
        notice, now = claim.notice, claim.now
        # Before the log, as after a failure.
        self.retries.put(notice, attempt=claim.attempt, delay=pause, now=now)
        self.log.postpone(notice, reason=PAUSED, retry_at=now + pause, claim=claim.token)
        return Called(State.QUEUED, PAUSED)

    def _close_unsent(self, claim: _Claim, verdict: Verdict) -> Called:
        return self._close(claim, verdict.state, verdict.reason, claim.attempt)

    def _call_endpoint(self, claim: _Claim, announced: Announced, endpoint: Endpoint) -> Called:
        failure = self._post(claim, announced, endpoint)
        if failure is None:
            return self._succeed(claim.notice, endpoint, claim.attempt, claim.now)
        return self._fail(claim, endpoint, failure)

    def _post(self, claim: _Claim, announced: Announced, endpoint: Endpoint) -> Failure | None:
        notice, now, body = claim.notice, claim.now, message_body(announced)
        try:
            secrets = self.secrets.live(endpoint.subscription, now=now)
            headers = message_headers(notice, body, secrets=secrets, now=now)
        except NoSecret:
            self.log.release(notice, claim=claim.token)
            raise NoEndpointSecret(
                f"subscription {endpoint.subscription} has no signing secret: set one"
                " (whsec_ and base64), then redrive the dead letters of endpoints"
            ) from None
        try:
            return failure_of(self.http.post(notice.recipient, headers=headers, body=body), now=now)
        except NoAnswer as why:
            return Failure(str(why))

    def _succeed(self, notice: Notice, endpoint: Endpoint, attempt: int, now: datetime) -> Called:
        self.log.mark_delivered(notice, attempt=attempt, message_id=message_id(notice), at=now)
        self.endpoints.worked(endpoint)
        return Called(State.DELIVERED)

    def _fail(self, claim: _Claim, endpoint: Endpoint, failure: Failure) -> Called:
        notice, attempt, now = claim.notice, claim.attempt, claim.now
        if ended := self._switch_off_if_due(endpoint, failure, now):
            reason = f"{failure.reason}; {ended}"
            self._close(claim, State.FAILED, reason, attempt + 1)
            return Called(State.FAILED, failure.reason, switched_off=True)
        if failure.is_gone:
            # Its URL was changed meanwhile, or another caller is switching it off.
            self._close(claim, State.FAILED, failure.reason, attempt + 1)
            return Called(State.FAILED, failure.reason)
        wait = next_wait(failure, attempt=attempt, chance=self.chance())
        if wait is None:
            reason = f"{failure.reason}; tried {attempt + 1} times"
            self._close(claim, State.FAILED, reason, attempt + 1)
            return Called(State.FAILED, failure.reason)
        # Before the log: whoever is killed in between leaves a message too many, not one too few.
        self.retries.put(notice, attempt=attempt + 1, delay=wait, now=now)
        self.log.mark_retried(
            notice,
            attempt=attempt,
            reason=failure.reason,
            retry_at=now + wait,
            claim=claim.token,
        )
        return Called(State.QUEUED, failure.reason)

    def _switch_off_if_due(self, endpoint: Endpoint, failure: Failure, now: datetime) -> str | None:
        """End the subscription if it is time, or the endpoint says that it is gone; its owner is
        told first. The reason if this did it."""
        not_before = whole_milliseconds(now + failure.pause) if failure.pause else None
        since = self.endpoints.failed(endpoint, at=whole_milliseconds(now), not_before=not_before)
        if since is None:
            return None
        if not failure.is_gone and not is_to_switch_off(failing_since=since, now=now):
            return None
        claim = self.endpoints.claim_switching_off(
            endpoint, failing_since=since, at=now, until=now + CLAIM
        )
        if claim is None:
            return None
        self.owners.tell_switched_off(
            endpoint, failure=failure.reason, since=None if failure.is_gone else since
        )
        days = (now - since).days
        why = "because it is gone" if failure.is_gone else f"after failing for {days} days"
        reason = f"switched off on {now:%Y-%m-%d} {why}"
        return reason if self.endpoints.switch_off(endpoint, reason=reason, claim=claim) else None

    def _close(self, claim: _Claim, state: State, reason: str, attempts: int) -> Called:
        self.log.close(
            claim.notice,
            state=state,
            reason=reason,
            at=claim.now,
            attempts=attempts,
            claim=claim.token,
        )
        return Called(state, reason)


def _announced(judged: Judged) -> Announced:
    connection = judged.facts.connection
    if connection is None:
        raise ValueError(f"there is no connection to send {judged.notice.id} for")
    return announced_by(judged.notice, judged.tracked.order, provider=connection.provider)
