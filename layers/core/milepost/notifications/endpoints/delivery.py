"""Delivers notices to endpoints: claim, judge, post, log; retries failures, and switches off
endpoints that keep failing.

A notice is judged like a mail: by its subscription, connection and order at the moment of sending.
Delivery is at least once, with one id for all attempts: an endpoint is called again if the function
is killed, or can't write to the log, after the response.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.common.errors import OrdersUnavailable
from milepost.notifications.claims import CLAIM
from milepost.notifications.eligibility import SUBSCRIPTION_DELETED, Verdict
from milepost.notifications.eligibility_facts import Judge, Judged
from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.endpoints.retry_policy import (
    Answer,
    Failure,
    next_wait,
    rest_of_pause,
)
from milepost.notifications.endpoints.signed_message import SignedJson, Writer, message_id
from milepost.notifications.endpoints.switching_off import Endpoints, Owners, SwitchingOff
from milepost.notifications.notice import Channel, Notice, State
from milepost.webhooks.signatures import NoSecret

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
        """Release a notice without an attempt, and log why it waits, and until when."""
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


class EndpointSecrets(Protocol):
    def active(self, subscription_id: str, *, now: datetime) -> Sequence[str]:
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


def _signed(channel: Channel) -> Writer:  # noqa: ARG001
    return SignedJson()


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
    writer_of: Callable[[Channel], Writer] = _signed
    """What writes the requests of a channel."""
    chance: Callable[[], float] = random.random
    """Gives random numbers from 0 to 1, for the jitter of retries."""

    @property
    def switching_off(self) -> SwitchingOff:
        return SwitchingOff(endpoints=self.endpoints, owners=self.owners)

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
        return self._call_endpoint(claim, judged, endpoint)

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

    def _call_endpoint(self, claim: _Claim, judged: Judged, endpoint: Endpoint) -> Called:
        failure = self._post(claim, judged, endpoint)
        if failure is None:
            return self._succeed(claim.notice, endpoint, claim.attempt, claim.now)
        return self._fail(claim, endpoint, failure)

    def _post(self, claim: _Claim, judged: Judged, endpoint: Endpoint) -> Failure | None:
        notice, now = claim.notice, claim.now
        writer = self.writer_of(notice.channel)
        try:
            secrets = self.secrets.active(endpoint.subscription, now=now)
            request = writer.write(judged, secrets=secrets, now=now)
        except NoSecret:
            self.log.release(notice, claim=claim.token)
            raise NoEndpointSecret(
                f"subscription {endpoint.subscription} has no {writer.lacks}, then redrive the"
                " dead letters of endpoints"
            ) from None
        try:
            answer = self.http.post(request.url, headers=request.headers, body=request.body)
        except NoAnswer as why:
            return Failure(str(why))
        return writer.failure_of(answer, now=now)

    def _succeed(self, notice: Notice, endpoint: Endpoint, attempt: int, now: datetime) -> Called:
        self.log.mark_delivered(notice, attempt=attempt, message_id=message_id(notice), at=now)
        self.endpoints.worked(endpoint)
        return Called(State.DELIVERED)

    def _fail(self, claim: _Claim, endpoint: Endpoint, failure: Failure) -> Called:
        notice, attempt, now = claim.notice, claim.attempt, claim.now
        if failure.is_final:
            # About this message alone: it says nothing about the endpoint.
            self._close(claim, State.FAILED, failure.reason, attempt + 1)
            return Called(State.FAILED, failure.reason)
        if ended := self.switching_off.after(endpoint, failure, now=now):
            reason = f"{failure.reason}; {ended}"
            self._close(claim, State.FAILED, reason, attempt + 1)
            return Called(State.FAILED, failure.reason, switched_off=True)
        if failure.is_gone:
            # Its URL was changed in the meantime, or another worker is switching it off.
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
