"""Delivers notices to endpoints: claim, judge, post, log; retries failures, and switches off
endpoints that keep failing.

A notice is judged like a mail: by its subscription, connection and order at the moment of sending.
Delivery is at least once, with one id for all attempts: an endpoint is called again if the function
is killed, or can't write to the log, after the response.
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
"""The delay of a notice whose order could not be read; this doesn't count as an attempt."""
PAUSED: Final = "the endpoint has asked not to be called yet"


class NoAnswer(Exception):
    """The endpoint was not reached or did not respond; the message says why in a few words."""


class NoEndpointSecret(Exception):
    """An internal error: there is no secret to sign messages to the endpoint with."""


@dataclass(frozen=True, slots=True)
class Called:
    """The state of a notice after a call; ``failure`` is a text."""

    state: State
    failure: str | None = None
    switched_off: bool = False


@dataclass(frozen=True, slots=True)
class _Claim:
    """One call for a notice, and the token that every later write to the log has to match."""

    notice: Notice
    token: str
    attempt: int
    now: datetime


class CallLog(Protocol):
    """The delivery log. ``attempt`` is the number of calls that failed before this one.

    A write with a ``claim`` succeeds only while the notice has that claim; each method returns
    whether it wrote. A successful delivery is always written, whoever holds the claim.
    """

    def claim(self, notice: Notice, *, attempt: int, at: datetime, until: datetime) -> str | None:
        """Claim a queued notice; returns the claim's token, or None if this message needs no call.

        :raises AlreadyClaimed: when another caller's claim holds
        """
        ...

    def release(self, notice: Notice, *, claim: str) -> bool: ...

    def postpone(self, notice: Notice, *, reason: str, retry_at: datetime, claim: str) -> bool:
        """Release a notice without an attempt, and log why and until when it waits."""
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
        """Record a failure of the endpoint's URL.

        :param not_before: until when it has asked not to be called; None keeps its earlier request
        :returns: since when it has been failing; None if its subscription has ended or has another
            URL now
        """
        ...

    def worked(self, endpoint: Endpoint) -> None:
        """Record that the endpoint's URL works and may be called, also if another call has failed
        since it was read; but not if it has another URL by now, or has worked and failed again
        since."""
        ...

    def claim_switching_off(
        self, endpoint: Endpoint, *, failing_since: datetime, at: datetime, until: datetime
    ) -> str | None:
        """The claim's token; None if another worker holds one, or the endpoint has worked."""
        ...

    def switch_off(self, endpoint: Endpoint, *, reason: str, claim: str) -> bool:
        """Switch the endpoint off; False if it has worked, or a person has resumed it, since the
        claim."""
        ...


class EndpointSecrets(Protocol):
    def live(self, subscription_id: str, *, now: datetime) -> Sequence[str]:
        """The secrets to sign with, the current one first; during a rotation also the old one."""
        ...


class Http(Protocol):
    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """:raises NoAnswer: when there is no response"""
        ...


class Retries(Protocol):
    def put(self, notice: Notice, *, attempt: int, delay: timedelta, now: datetime) -> None:
        """Schedule another call of the endpoint."""
        ...


class Owners(Protocol):
    def notify_switched_off(
        self, endpoint: Endpoint, *, failure: str, since: datetime | None
    ) -> None:
        """Notify the endpoint's owner, if it has one; an error means that it was not done.

        :param since: since when every call failed; None if the endpoint responded 410 Gone
        """
        ...


def message_id(notice: Notice) -> str:
    """The ``webhook-id``: the same for every attempt, and safe to sign (there is no dot in it)."""
    return f"msg_{hashlib.sha256(notice.id.encode()).hexdigest()[:32]}"


def message_body(announced: Announced) -> bytes:
    """The same JSON body as an SNS message, see docs/announcements.md."""
    return json.dumps(topic_message(announced), ensure_ascii=False).encode()


def message_headers(
    notice: Notice, body: bytes, *, secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    """Headers by Standard Webhooks; the timestamp is this attempt's.

    :param secrets: each gives a signature, in this order
    :raises NoSecret: when there is no secret, or one is malformed
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
    """Calls endpoints with the notices of their queue."""

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
        """Call the endpoint of one notice; None if there was nothing to do.

        :param attempt: how many calls for this notice had failed before
        :raises AlreadyClaimed: when another worker holds the claim
        :raises NoEndpointSecret: when there is no secret to sign with
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
        """Repeat the same attempt later, since the order could not be read."""
        self.log.release(claim.notice, claim=claim.token)
        self.retries.put(claim.notice, attempt=claim.attempt, delay=UNJUDGED_RETRY, now=claim.now)
        return Called(State.QUEUED, why)

    def _wait_for_endpoint(self, claim: _Claim, pause: timedelta) -> Called:
        """Repeat the same attempt later, since the endpoint has asked not to be called now."""
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
            # Its URL was changed meanwhile, or another worker is switching it off.
            self._close(claim, State.FAILED, failure.reason, attempt + 1)
            return Called(State.FAILED, failure.reason)
        wait = next_wait(failure, attempt=attempt, chance=self.chance())
        if wait is None:
            reason = f"{failure.reason}; tried {attempt + 1} times"
            self._close(claim, State.FAILED, reason, attempt + 1)
            return Called(State.FAILED, failure.reason)
        # Before the log: a worker that is killed in between leaves an extra message, not a missing
        # one.
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
        """End the subscription if the endpoint has failed for too long or is gone, after notifying
        its owner; returns the reason if this call ended it."""
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
        self.owners.notify_switched_off(
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
