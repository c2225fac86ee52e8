"""Retry policy of endpoints: which responses are failures, how long to wait, when to switch off."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from milepost.common.http_headers import read_retry_after
from milepost.notifications.endpoints.addresses import Endpoint

RETRY_AFTER: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each failure the endpoint is called again, at the earliest. Source: Standard
Webhooks specification, "Deliverability and reliability"."""


JITTER: Final = 0.2
"""The maximum fraction by which a wait is extended, so that calls that failed together aren't
retried together. Source: as above."""


LONGEST_WAIT: Final = timedelta(days=1)
"""The longest wait that Retry-After can ask for."""


LONGEST_PAUSE: Final = timedelta(hours=1)
"""How long Retry-After can hold back the endpoint's other notices; then one is tried."""


SWITCHED_OFF_AFTER: Final = timedelta(days=5)


_GONE: Final = 410


_BUSY: Final = (429, 503)
"""Responses that concern the whole endpoint, not the message (RFC 6585, section 4; RFC 9110,
section 15.6.4)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of an endpoint; the only header that matters is ``Retry-After``.

    ``text`` is the beginning of the body, in which chats say what is wrong.
    """

    status: int
    retry_after: str | None = None
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call failed, as text, and how long the endpoint asks to wait.

    ``pause`` is how long it asks not to be called at all; ``is_gone`` means that it wants no more
    messages. ``is_final`` means that it would refuse this message again, but takes others.
    """

    reason: str
    wait: timedelta = timedelta(0)
    pause: timedelta = timedelta(0)
    is_gone: bool = False
    is_final: bool = False


def failure_of(answer: Answer, *, now: datetime) -> Failure | None:
    """The failure of a response; None for a success, which is only 2xx.

    Source: Standard Webhooks specification, "Delivery success and failure": an endpoint that
    responds 410 must not be called any more.
    """
    if 200 <= answer.status < 300:
        return None
    if answer.status == _GONE:
        return Failure("answered 410 Gone", is_gone=True)
    redirects = 300 <= answer.status < 400
    reason = f"answered {answer.status}" + (": redirects are not followed" if redirects else "")
    wait = wait_asked(answer.retry_after, now=now)
    pause = min(wait, LONGEST_PAUSE) if answer.status in _BUSY else timedelta(0)
    return Failure(reason, wait, pause)


def wait_asked(retry_after: str | None, *, now: datetime) -> timedelta:
    """The wait that ``Retry-After`` asks for; at most a day, zero if it can't be read."""
    return min(read_retry_after(retry_after, now=now) or timedelta(0), LONGEST_WAIT)


def next_wait(failure: Failure, *, attempt: int, chance: float) -> timedelta | None:
    """How long to wait after a failure, in whole seconds; None after the last attempt.

    :param attempt: how many had failed before
    :param chance: a random number from 0 to 1, which decides how much is added as jitter. A wait is
        never shorter than the schedule, nor than what ``Retry-After`` asks for.
    """
    if attempt >= len(RETRY_AFTER):
        return None
    wait = max(RETRY_AFTER[attempt], failure.wait)
    return timedelta(seconds=round(wait.total_seconds() * (1 + JITTER * chance)))


def rest_of_pause(endpoint: Endpoint, *, now: datetime, chance: float) -> timedelta | None:
    """How long the endpoint must not be called yet, in whole seconds; None if it may be called.

    :param chance: a random number from 0 to 1, which decides how much is added as jitter, so that
        not all that wait come back at once
    """
    if endpoint.not_before is None or endpoint.not_before <= now:
        return None
    rest = (endpoint.not_before - now).total_seconds()
    return timedelta(seconds=ceil(rest * (1 + JITTER * chance)))


def is_to_switch_off(*, failing_since: datetime, now: datetime) -> bool:
    """Whether an endpoint that has failed since then is switched off at a failure now."""
    return now - failing_since > SWITCHED_OFF_AFTER
