"""Stops a function at any of its calls to AWS, and checks the result after it has run again.

A scenario names a function, what is there before, and the event. The rest is the same for all:
run it undisturbed and count its calls; then run it again for each call, killed before it or right
after it, let the message come back, and compare.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from types import ModuleType
from typing import Any, Final, NoReturn

import pytest
from botocore.client import BaseClient
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.ses.models import ses_backends
from moto.sqs.models import sqs_backends
from urllib3.connection import HTTPConnection

from tests.batches import sqs_batch
from tests.builders import OFFERGRID, RABOT, RETAIL
from tests.integration.adjusted_functions import use_clock, use_one_thread
from tests.integration.stored_state import distinct, plain, told
from tests.stack import Context, Stack, aws

LATER: Final = timedelta(minutes=10)
"""When the message comes back: after every claim and lease that the killed one held."""
MOST_DELIVERIES: Final = 5


class How(StrEnum):
    """The event at a call."""

    BEFORE = "killed before it"
    AFTER = "killed after it"
    REPEATED = "its answer was lost and it was sent again"


class Killed(BaseException):
    """The process is killed. Not an Exception, since no code may catch it."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One function with one event; ``prepare`` creates the initial state and returns the event.

    ``again`` makes of the event the one that comes back; ``then`` does what goes on by itself once
    the function is done; ``elsewhere`` tells what came of it outside of the account; ``refused`` is
    the status by which a person is refused, as they should be.
    """

    function: str
    prepare: Callable[[Stack], Any]
    adjust: Callable[[ModuleType], None] = lambda _: None
    context: Callable[[], Any] = Context
    again: Callable[[Any], Any] = lambda event: event
    then: Callable[[Stack, datetime], None] = lambda _stack, _at: None
    elsewhere: Callable[[], Any] = lambda: None
    refused: int | None = None

    def is_done(self, answer: Mapping[str, Any]) -> bool:
        """Whether nothing repeats the invocation: no queue, stream, provider, poll or person."""
        if self.refused is not None:
            return bool(answer["statusCode"] == self.refused)
        return (
            not answer.get("batchItemFailures")
            and 200 <= answer.get("statusCode", 202) < 300
            and answer.get("outcome", "complete") == "complete"
        )


@dataclass
class Calls:
    """The calls of one run, and the event at one of them."""

    stop_at: int | None = None
    how: How = How.BEFORE
    made: list[str] = field(default_factory=list)
    spoke_before: set[int] = field(default_factory=set)
    """Before which of them somebody else than AWS was asked for something."""
    is_gone: bool = False

    @contextmanager
    def watched(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        send = BaseClient._make_api_call

        def call(client: Any, operation: str, parameters: Any) -> Any:
            if self.is_gone:
                return {}  # What is tidied up here by Python, a killed process leaves undone.
            is_it = len(self.made) == self.stop_at
            self.made.append(operation)
            if is_it and self.how is How.BEFORE:
                self._die()
            answer = send(client, operation, dict(parameters))
            if is_it and self.how is How.AFTER:
                self._die()
            # A mail is never sent again by the SDK: clients.FOR_MAIL tries once.
            if is_it and self.how is How.REPEATED and operation != "SendEmail":
                return send(client, operation, dict(parameters))
            return answer

        ask = HTTPConnection.request

        def ask_others(connection: Any, *arguments: Any, **more: Any) -> None:
            self.spoke_before.add(len(self.made))
            ask(connection, *arguments, **more)

        with monkeypatch.context() as patched:
            patched.setattr(BaseClient, "_make_api_call", call)
            patched.setattr(HTTPConnection, "request", ask_others)
            yield

    def stops(self, how: How) -> list[int]:
        """The calls at which to stop it, so that each stop leaves a different state.

        Killed before a call, it is killed after the one before, unless it asked others in between;
        and what only reads may as well not have been asked.
        """
        if how is How.BEFORE:
            return sorted({0} | {at for at in self.spoke_before if at < len(self.made)})
        return [at for at, operation in enumerate(self.made) if not operation.startswith(_READS)]

    def _die(self) -> NoReturn:
        self.is_gone = True
        raise Killed

    @property
    def left_a_mail_unlogged(self) -> bool:
        """Whether it was killed between the mail service's response and Milepost's own entry."""
        if self.stop_at is None or self.how is How.REPEATED:
            return False
        last_done = self.stop_at if self.how is How.AFTER else self.stop_at - 1
        return last_done >= 0 and self.made[last_done] == "SendEmail"


def clock_at(moment: datetime) -> type[datetime]:
    """A ``datetime`` at which time stands still."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment.astimezone(tz)

    return Clock


def start_of_a_quiet_while() -> datetime:
    """Now, or soon: a time after which the hour doesn't end before the message is redelivered."""
    now = datetime.now(UTC)
    return now + timedelta(minutes=15) if now.minute >= 45 else now


@dataclass
class Run:
    """Run a scenario in an empty account, stopped or not, to its end."""

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
                assert self.scenario.is_done(app.handler(event, self.scenario.context()))
            else:
                with suppress(Killed, Exception):
                    app.handler(event, self.scenario.context())
        if self.calls.stop_at is not None:
            self._deliver_again(event)
        self.scenario.then(self.stack, self.start + 2 * LATER)
        self._send_what_is_queued()

    def _load(self, *, at: datetime) -> ModuleType:
        """Start the function again like Lambda, without cached data, and with any clock."""
        app = self.stack.load(self.scenario.function)
        use_clock(app, clock_at(at))
        use_one_thread(app)
        self.scenario.adjust(app)
        return app

    def _deliver_again(self, event: Any) -> None:
        app = self._load(at=self.start + LATER)
        _show_hidden_messages()
        for _ in range(MOST_DELIVERIES):
            answer = app.handler(self.scenario.again(event), self.scenario.context())
            if self.scenario.is_done(answer) or _was_done(event, answer):
                return
        where = self.calls.made[self.calls.stop_at or 0]
        pytest.fail(
            f"{where}: {self.calls.how}; "
            f"after {MOST_DELIVERIES} deliveries it still fails: {answer}"
        )

    def _send_what_is_queued(self) -> None:
        """A superfluous message in the queue is harmless only if it causes no superfluous mail."""
        if bodies := [json.dumps(one) for one in self.stack.messages("EmailQueue")]:
            # Started for this run alone: what it remembers of settings and secrets is this run's.
            sender = self.stack.load("send_notice")
            vars(sender)["datetime"] = clock_at(self.start + 2 * LATER)
            sender.handler(sqs_batch(bodies), Context())

    @property
    def mails(self) -> Counter[tuple[str, str]]:
        sent = ses_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].sent_messages
        return Counter((str(mail.destinations), mail.subject) for mail in sent)

    @property
    def outcome(self) -> dict[str, Any]:
        """The whole state, except times, random names and counts of retries."""
        tables = ("OrdersTable", "NoticesTable", "PollsTable", "FiguresTable", "SearchTable")
        queues = (
            *("InboxQueue", "InboxDeadLetters", "EmailDeadLetters", "EndpointQueue"),
            *({"Subscriber", "BusSubscriber"} & self.stack.resources.keys()),
        )
        buckets = ("QuarantineBucket", "DigestsBucket", "UnannouncedBucket")
        return {
            **{name: distinct(map(plain, self._items(name))) for name in tables},
            **{name: distinct(map(told, self.stack.messages(name))) for name in queues},
            **{name: sorted(self._objects(name)) for name in buckets},
            "EndpointSecrets": sorted(self.stack.kept_secret("EndpointSecrets")),
            "mails": sorted(self.mails),
            "elsewhere": distinct(map(plain, self.scenario.elsewhere() or ())),
        }

    def _objects(self, bucket: str) -> Iterator[str]:
        # What a poll that broke off had seen: only one that goes on with it reads it.
        return (one for one in self.stack.objects(bucket) if not one.endswith(".unfinished"))

    def _items(self, table: str) -> Iterator[dict[str, Any]]:
        # A count too many of an hour's mails may hold one back until the hour ends; none is lost.
        # Payloads from which fields are learned are counted as well, those that come again again.
        left_out = ("count#", "shape#")
        return (one for one in self.stack.items(table) if not one["pk"].startswith(left_out))


def _was_done(event: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Whether the data to be removed is gone, which is all that the caller wanted."""
    method = event.get("requestContext", {}).get("http", {}).get("method")
    return method == "DELETE" and bool(answer["statusCode"] == 404)


def _show_hidden_messages() -> None:
    """Make received messages visible again, as after their visibility timeout."""
    for queue in sqs_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].queues.values():
        for message in queue._messages:
            message.visible_at = 0


_READS: Final = ("Get", "Head", "List", "Query", "Scan", "BatchGet", "Describe")


def subscribe_a_queue(stack: Stack) -> None:
    """A queue that receives published announcements, like a team's own."""
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="Subscriber")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    stack.resources["Subscriber"] = url
    aws("sns").subscribe(
        TopicArn=stack.resources["AnnouncementsTopic"],
        Protocol="sqs",
        Endpoint=attributes["Attributes"]["QueueArn"],
    )


def subscribe_a_queue_to_a_bus(stack: Stack) -> None:
    """Give the stack its event bus, and a queue that receives all of its events."""
    sqs, events = aws("sqs"), aws("events")
    bus = stack.resources["EventBus"]
    stack.chosen["EVENT_BUS_NAME"] = bus
    url = sqs.create_queue(QueueName="BusSubscriber")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    stack.resources["BusSubscriber"] = url
    pattern = json.dumps({"source": ["milepost"]})
    events.put_rule(Name="everything", EventBusName=bus, EventPattern=pattern)
    target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
    events.put_targets(Rule="everything", EventBusName=bus, Targets=[target])
