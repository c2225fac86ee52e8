"""Stops a function at any of its calls to AWS, and sees what is there once it was run again.

A scenario names a function, what is there before, and the event. The rest is the same for all:
run it undisturbed and count its calls; then run it anew for each call, killed before it or right
after it, let the message come back, and compare.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from types import ModuleType
from typing import Any, Final

import pytest
from botocore.client import BaseClient
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.ses.models import ses_backends

from tests.batches import sqs_batch
from tests.builders import OFFERGRID, RABOT, RETAIL
from tests.stack import Context, Stack, aws

LATER: Final = timedelta(minutes=10)
"""When the message comes back: after every claim and lease that the killed one held."""
MOST_DELIVERIES: Final = 5


class How(StrEnum):
    """What happens at a call."""

    BEFORE = "killed before it"
    AFTER = "killed after it"
    REPEATED = "its answer was lost and it was sent again"


class Killed(BaseException):
    """The process is gone. No Exception: nothing in it may catch that."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One function with one event; ``prepare`` makes what is there before and gives the event."""

    function: str
    prepare: Callable[[Stack], Any]
    adjust: Callable[[ModuleType], None] = lambda _: None
    context: Callable[[], Any] = Context


@dataclass
class Calls:
    """The calls of one run, and what is to happen at one of them."""

    stop_at: int | None = None
    how: How = How.BEFORE
    made: list[str] = field(default_factory=list)

    @contextmanager
    def watched(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        send = BaseClient._make_api_call

        def call(client: Any, operation: str, parameters: Any) -> Any:
            is_it = len(self.made) == self.stop_at
            self.made.append(operation)
            if is_it and self.how is How.BEFORE:
                raise Killed
            answer = send(client, operation, parameters)
            if is_it and self.how is How.AFTER:
                raise Killed
            # A mail is never sent again by the SDK: clients.FOR_MAIL tries once.
            if is_it and self.how is How.REPEATED and operation != "SendEmail":
                return send(client, operation, parameters)
            return answer

        with monkeypatch.context() as patched:
            patched.setattr(BaseClient, "_make_api_call", call)
            yield

    @property
    def left_a_mail_unlogged(self) -> bool:
        """Whether it was killed between the mail service's answer and our own entry."""
        if self.stop_at is None or self.how is How.REPEATED:
            return False
        last_done = self.stop_at if self.how is How.AFTER else self.stop_at - 1
        return last_done >= 0 and self.made[last_done] == "SendEmail"


def clock_at(moment: datetime) -> type[datetime]:
    """A ``datetime`` for which it is always that moment."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment.astimezone(tz)

    return Clock


def start_of_a_quiet_while() -> datetime:
    """Now, or soon: a moment after which the hour does not end before the message comes back."""
    now = datetime.now(UTC)
    return now + timedelta(minutes=15) if now.minute >= 45 else now


@dataclass
class Run:
    """A scenario in an empty account, stopped or not, and then to its end."""

    scenario: Scenario
    monkeypatch: pytest.MonkeyPatch
    start: datetime
    calls: Calls = field(default_factory=Calls)
    stack: Stack = field(init=False)

    def __post_init__(self) -> None:
        BackendDict.reset()
        self.stack = Stack()
        self.stack.apply(OFFERGRID, RETAIL, RABOT)
        event = self.scenario.prepare(self.stack)
        app = self._load(at=self.start)
        with self.calls.watched(self.monkeypatch):
            if self.calls.stop_at is None:
                assert _is_done(app.handler(event, self.scenario.context()))
            else:
                with suppress(Killed, Exception):
                    app.handler(event, self.scenario.context())
        if self.calls.stop_at is not None:
            self._deliver_again(event)
        self._send_what_is_queued()

    def _load(self, *, at: datetime) -> ModuleType:
        """As Lambda starts it anew, with nothing remembered; by whatever clock it goes."""
        app = self.stack.load(self.scenario.function)
        if hasattr(app, "datetime"):
            vars(app)["datetime"] = clock_at(at)
        self.scenario.adjust(app)
        return app

    def _deliver_again(self, event: Any) -> None:
        app = self._load(at=self.start + LATER)
        for _ in range(MOST_DELIVERIES):
            answer = app.handler(event, self.scenario.context())
            if _is_done(answer):
                return
        where = self.calls.made[self.calls.stop_at or 0]
        pytest.fail(
            f"{where}: {self.calls.how}; "
            f"after {MOST_DELIVERIES} deliveries it still fails: {answer}"
        )

    def _send_what_is_queued(self) -> None:
        """A message too many in the queue is harmless only if it makes no mail too many."""
        if bodies := [json.dumps(one) for one in self.stack.messages("EmailQueue")]:
            sender = _sender(self.stack)
            vars(sender)["datetime"] = clock_at(self.start + 2 * LATER)
            sender.handler(sqs_batch(bodies), Context())

    @property
    def mails(self) -> Counter[tuple[str, str]]:
        sent = ses_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].sent_messages
        return Counter((str(mail.destinations), mail.subject) for mail in sent)

    @property
    def outcome(self) -> dict[str, Any]:
        """Everything that is there, but for moments, random names and counts of storms."""
        tables = ("OrdersTable", "NoticesTable", "PollsTable", "FiguresTable", "SearchTable")
        queues = ("InboxQueue", "EndpointQueue", *({"Subscriber"} & self.stack.resources.keys()))
        buckets = ("QuarantineBucket", "DigestsBucket")
        return {
            **{name: _distinct(map(_plain, self._items(name))) for name in tables},
            **{name: _distinct(map(_told, self.stack.messages(name))) for name in queues},
            **{name: sorted(self.stack.objects(name)) for name in buckets},
            "mails": sorted(self.mails),
        }

    def _items(self, table: str) -> Iterator[dict[str, Any]]:
        # A count too many of an hour's mails may hold one back until the hour ends; none is lost.
        return (one for one in self.stack.items(table) if not one["pk"].startswith("count#"))


def _sender(stack: Stack) -> ModuleType:
    """send_notice, started once for all runs: it is not the one that is stopped."""
    if "send_notice" not in _started:
        _started["send_notice"] = stack.load("send_notice")
    return _started["send_notice"]


def _is_done(answer: Mapping[str, Any]) -> bool:
    """Whether nothing asks for the event once more: no queue, no stream, no provider, no poll."""
    return (
        not answer.get("batchItemFailures")
        and answer.get("statusCode", 202) == 202
        and answer.get("outcome", "complete") == "complete"
    )


_started: Final[dict[str, ModuleType]] = {}
_PASSING: Final = frozenset(
    {"seen", "seen_at", "announced_at", "queued_at", "sent_at", "delivered_at", "failed_at",
     "skipped_at", "bounced_at", "retry_at", "failing_since", "suppressed_at", "expires_at",
     "claimed_until", "received_at", "last_success_at", "lease_until", "lease_holder", "token",
     "message_id"}
)  # fmt: skip
"""What differs between any two runs."""
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {name: _plain(one) for name, one in value.items() if name not in _PASSING}
        return dict(sorted(kept.items()))
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str) and _INSTANT.search(value) and "#" in value:
        return _INSTANT.sub("*", value)  # a key by which something is found when it is due
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return _plain(json.loads(value))
        except ValueError:
            return value
    return value


def _told(message: Any) -> Any:
    """A message of a queue; of SNS, what was published under one id."""
    return _plain(json.loads(message["Message"]) if "Message" in message else message)


def _distinct(values: Any) -> list[str]:
    return sorted({json.dumps(value, default=str, sort_keys=True) for value in values})


def subscribe_a_queue(stack: Stack) -> None:
    """A queue that gets what is published, as a team's own does."""
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="Subscriber")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    stack.resources["Subscriber"] = url
    aws("sns").subscribe(
        TopicArn=stack.resources["AnnouncementsTopic"],
        Protocol="sqs",
        Endpoint=attributes["Attributes"]["QueueArn"],
    )
