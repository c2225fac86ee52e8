"""Calling an endpoint: claim, post, log; again later when it fails, and no more when it only fails.

An endpoint gets every notice at least once, under one id for all attempts: only if we are killed
between its answer and our entry in the log is it called again without need.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from milepost.endpoints import (
    Answer,
    Endpoint,
    Failure,
    failure_of,
    is_to_switch_off,
    next_wait,
)
from milepost.notices import Announced, Notice, State, topic_message
from milepost.report import whole_milliseconds
from milepost.sending import CLAIM
from milepost.signatures import NoSecret, sign


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


class CallLog(Protocol):
    """The delivery log. ``attempt`` is the number of calls that failed before this one."""

    def claim(self, notice: Notice, *, attempt: int, at: datetime, until: datetime) -> bool:
        """Claim a queued notice; False when it needs no call, or not by this message.

        :raises AlreadyClaimed: when another caller's claim holds
        """
        ...

    def release(self, notice: Notice) -> None: ...

    def mark_delivered(
        self, notice: Notice, *, attempt: int, message_id: str, at: datetime
    ) -> None: ...

    def mark_retried(
        self, notice: Notice, *, attempt: int, reason: str, retry_at: datetime
    ) -> None: ...

    def close(
        self, notice: Notice, *, state: State, reason: str, at: datetime, attempts: int
    ) -> None: ...


class Endpoints(Protocol):
    def get(self, subscription_id: str) -> Endpoint | None: ...

    def failed(self, endpoint: Endpoint, *, at: datetime) -> datetime | None:
        """Note a failure; since when it has been failing, None when its subscription is over."""
        ...

    def worked(self, endpoint: Endpoint) -> None: ...

    def claim_switching_off(
        self, endpoint: Endpoint, *, failing_since: datetime, at: datetime, until: datetime
    ) -> bool:
        """False when another caller is at it, or the endpoint has worked since."""
        ...

    def switch_off(self, endpoint: Endpoint, *, reason: str) -> None: ...


class Orders(Protocol):
    def announced(self, notice: Notice) -> Announced | None:
        """What the notice tells, by its order as it is; None when that was erased."""
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
    endpoints: Endpoints
    orders: Orders
    secrets: EndpointSecrets
    http: Http
    retries: Retries
    owners: Owners

    def call(self, notice: Notice, *, attempt: int, now: datetime) -> Called | None:
        """Call the endpoint of one notice; None when there was nothing to do.

        :param attempt: how many calls for this notice had failed before
        :raises AlreadyClaimed: when another caller is at it
        :raises NoEndpointSecret: when there is nothing to sign with
        """
        if not self.log.claim(notice, attempt=attempt, at=now, until=now + CLAIM):
            return None
        endpoint = self.endpoints.get(notice.subscription) if notice.subscription else None
        if endpoint is None:
            return self._close(notice, State.SKIPPED, "the subscription is gone", attempt, now)
        if endpoint.ended is not None:
            return self._close(notice, State.SKIPPED, endpoint.ended, attempt, now)
        announced = self.orders.announced(notice)
        if announced is None:
            return self._close(notice, State.SKIPPED, "the order was erased", attempt, now)
        failure = self._post(notice, announced, endpoint, now)
        if failure is None:
            return self._succeed(notice, endpoint, attempt, now)
        return self._fail(notice, endpoint, failure, attempt, now)

    def _post(
        self, notice: Notice, announced: Announced, endpoint: Endpoint, now: datetime
    ) -> Failure | None:
        body = message_body(announced)
        try:
            secrets = self.secrets.live(endpoint.subscription, now=now)
            headers = message_headers(notice, body, secrets=secrets, now=now)
        except NoSecret:
            self.log.release(notice)
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
        if endpoint.failing_since is not None and _is_where_it_is(notice, endpoint):
            self.endpoints.worked(endpoint)
        return Called(State.DELIVERED)

    def _fail(
        self, notice: Notice, endpoint: Endpoint, failure: Failure, attempt: int, now: datetime
    ) -> Called:
        if _is_where_it_is(notice, endpoint) and (
            ended := self._switch_off_if_due(endpoint, failure, now)
        ):
            reason = f"{failure.reason}; {ended}"
            self._close(notice, State.FAILED, reason, attempt + 1, now)
            return Called(State.FAILED, failure.reason, switched_off=True)
        if failure.is_gone:
            # At an address of before, or another caller is switching it off.
            self._close(notice, State.FAILED, failure.reason, attempt + 1, now)
            return Called(State.FAILED, failure.reason)
        wait = next_wait(failure, attempt=attempt)
        if wait is None:
            reason = f"{failure.reason}; tried {attempt + 1} times"
            self._close(notice, State.FAILED, reason, attempt + 1, now)
            return Called(State.FAILED, failure.reason)
        # Before the log: whoever is killed in between leaves a message too many, not one too few.
        self.retries.put(notice, attempt=attempt + 1, delay=wait, now=now)
        self.log.mark_retried(notice, attempt=attempt, reason=failure.reason, retry_at=now + wait)
        return Called(State.QUEUED, failure.reason)

    def _switch_off_if_due(self, endpoint: Endpoint, failure: Failure, now: datetime) -> str | None:
        """End the subscription if it is time, or the endpoint says that it is gone; its owner is
        told first. The reason if this did it."""
        since = self.endpoints.failed(endpoint, at=whole_milliseconds(now))
        if since is None:
            return None
        if not failure.is_gone and not is_to_switch_off(failing_since=since, now=now):
            return None
        if not self.endpoints.claim_switching_off(
            endpoint, failing_since=since, at=now, until=now + CLAIM
        ):
            return None
        self.owners.tell_switched_off(
            endpoint, failure=failure.reason, since=None if failure.is_gone else since
        )
        days = (now - since).days
        why = "because it is gone" if failure.is_gone else f"after failing for {days} days"
        reason = f"switched off on {now:%Y-%m-%d} {why}"
        self.endpoints.switch_off(endpoint, reason=reason)
        return reason

    def _close(
        self, notice: Notice, state: State, reason: str, attempts: int, now: datetime
    ) -> Called:
        self.log.close(notice, state=state, reason=reason, at=now, attempts=attempts)
        return Called(state, reason)


def _is_where_it_is(notice: Notice, endpoint: Endpoint) -> bool:
    """Whether the call went to the subscription's own URL, which may have changed meanwhile."""
    return notice.recipient == endpoint.url
