"""Posts held notices to chats: notices for one webhook are one message, which is retried as one.

``HeldNoticesSender`` judges, groups and logs, as for mails. The poster replaces its mailer.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from milepost.notifications.chat.message import ChatMessage
from milepost.notifications.chat.platforms import PLATFORM_OF
from milepost.notifications.claims import Batch
from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.endpoints.delivery import (
    PAUSED,
    UNJUDGED_RETRY,
    EndpointSecrets,
    Http,
    NoAnswer,
    NoEndpointSecret,
)
from milepost.notifications.endpoints.retry_policy import Failure, next_wait, rest_of_pause
from milepost.notifications.endpoints.switching_off import SwitchingOff
from milepost.notifications.mail.held_notices import HeldNoticesSender
from milepost.notifications.mail.sender import Refused, TryAgainLater
from milepost.notifications.notice import Notice


class NotNow(TryAgainLater):
    """A webhook did not accept the message; the same attempt is repeated after ``delay``."""

    def __init__(self, reason: str, *, delay: timedelta, attempt: int) -> None:
        super().__init__(reason)
        self.delay = delay
        self.attempt = attempt


class BatchRetries(Protocol):
    def put_batch(self, batch: Batch, *, attempt: int, delay: timedelta, now: datetime) -> None:
        """Schedule another attempt at a batch."""
        ...


class WaitingLog(Protocol):
    def postpone_all(self, notices: Sequence[Notice], *, reason: str, retry_at: datetime) -> None:
        """Log why notices that are sent together are still waiting, and until when."""
        ...


class NoLinks:
    """Implements ``sender.Links``: messages to chats have no unsubscribe link."""

    def url_for(self, notices: Sequence[Notice]) -> str | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPoster:
    """Implements ``sender.Mailer`` with the webhook of the notices' subscription.

    ``attempt`` is how many calls for this batch had failed before.
    """

    secrets: EndpointSecrets
    http: Http
    switching_off: SwitchingOff
    log: WaitingLog
    attempt: int = 0
    chance: Callable[[], float] = random.random

    def send(self, mail: ChatMessage, *, notices: Sequence[Notice], at: datetime) -> str:
        """Post a message; returns an id of it.

        :raises NotNow: when it is to be tried again
        :raises Refused: when it won't be; the reason is for the delivery log
        :raises NoEndpointSecret: when there is no address to post to
        """
        endpoint = self._endpoint(notices)
        pause = rest_of_pause(endpoint, now=at, chance=self.chance())
        if pause is not None:
            raise self._later(NotNow(PAUSED, delay=pause, attempt=self.attempt), notices, at)
        failure = self._post(mail, endpoint, notices, at)
        if failure is None:
            self.switching_off.endpoints.worked(endpoint)
            return _message_id(notices)
        outcome = self._outcome_of(failure, endpoint, at)
        raise self._later(outcome, notices, at) if isinstance(outcome, NotNow) else outcome

    def _later(self, why: NotNow, notices: Sequence[Notice], at: datetime) -> NotNow:
        self.log.postpone_all(notices, reason=str(why), retry_at=at + why.delay)
        return why

    def _endpoint(self, notices: Sequence[Notice]) -> Endpoint:
        """The first subscription that exists, since several subscriptions may use the same
        webhook.
        """
        names = dict.fromkeys(one.subscription for one in notices if one.subscription)
        for name in names:
            if endpoint := self.switching_off.endpoints.get(name):
                return endpoint
        raise Refused("the subscription was deleted")

    def _post(
        self, message: ChatMessage, endpoint: Endpoint, notices: Sequence[Notice], at: datetime
    ) -> Failure | None:
        platform = PLATFORM_OF[notices[0].channel]
        secrets = self.secrets.active(endpoint.subscription, now=at)
        if not secrets:
            raise NoEndpointSecret(
                f"subscription {endpoint.subscription} has no address of its webhook: set it"
                " again, then redrive the dead letters of endpoints"
            )
        request = platform.request(message, url=secrets[0])
        try:
            answer = self.http.post(request.url, headers=request.headers, body=request.body)
        except NoAnswer as why:
            return Failure(str(why))
        return platform.failure_of(answer, now=at)

    def _outcome_of(self, failure: Failure, endpoint: Endpoint, at: datetime) -> Exception:
        if failure.is_final:
            return Refused(failure.reason)
        if ended := self.switching_off.after(endpoint, failure, now=at):
            return Refused(f"{failure.reason}; {ended}")
        if failure.is_gone:
            return Refused(failure.reason)
        wait = next_wait(failure, attempt=self.attempt, chance=self.chance())
        if wait is None:
            return Refused(f"{failure.reason}; tried {self.attempt + 1} times")
        return NotNow(failure.reason, delay=wait, attempt=self.attempt + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatBatches:
    """Sends batches to chats."""

    sender: HeldNoticesSender[ChatMessage]
    poster: ChatPoster
    retries: BatchRetries

    def send(self, batch: Batch, *, attempt: int, now: datetime) -> str | None:
        """Send the messages that were held for one webhook; returns the reason for a retry, or
        None.

        :param attempt: how many calls for this batch had failed before
        :raises AlreadyClaimed: when another worker holds the claim
        :raises NoEndpointSecret: when there is no address to post to
        """
        sender = replace(self.sender, mailer=replace(self.poster, attempt=attempt))
        try:
            sender.send(batch, now=now)
        except NotNow as later:
            self.retries.put_batch(batch, attempt=later.attempt, delay=later.delay, now=now)
            return str(later)
        except TryAgainLater as later:
            self.retries.put_batch(batch, attempt=attempt, delay=UNJUDGED_RETRY, now=now)
            return str(later)
        return None


def _message_id(notices: Sequence[Notice]) -> str:
    """An id for the log. Neither platform returns one."""
    ids = "\n".join(sorted(notice.id for notice in notices))
    return f"msg_{hashlib.sha256(ids.encode()).hexdigest()[:32]}"
