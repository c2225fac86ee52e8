"""Makes any call of a function to AWS fail, and checks whether the function reports it.

The scenarios are those of crashing.py. A function runs undisturbed, to count its calls; then once
for each call and each kind of failure. A failed condition is none of them: it is an answer.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import ModuleType
from typing import Any, Final

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from tests.batches import sqs_batch
from tests.integration.crash_injection import LATER, Calls, Run, Scenario
from tests.stack import Context

MESSAGE: Final = "a message of AWS, which may quote what was sent"


class Failure(StrEnum):
    """How a call to AWS fails, after all retries of the SDK."""

    THROTTLED = "throttled"
    NO_CONNECTION = "no connection"
    NO_ANSWER = "done, and its answer did not come in time"
    DENIED = "denied"
    ERROR = "answered 500"
    UNREADABLE = "done, and its answer can't be read"

    @property
    def is_done(self) -> bool:
        """Whether AWS has carried out the request."""
        return self in (Failure.NO_ANSWER, Failure.UNREADABLE)


_THROTTLED: Final = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "s3": "SlowDown",
    "sesv2": "TooManyRequestsException",
    "sns": "Throttled",
    "sqs": "RequestThrottled",
}
"""What each service answers to whom it throttles. Source: "Common errors" of each API reference."""
_ERRORS: Final = {
    "dynamodb": "InternalServerError",
    "events": "InternalException",
    "s3": "InternalError",
    "scheduler": "InternalServerException",
    "secretsmanager": "InternalServiceError",
    "sns": "InternalError",
    "ssm": "InternalServerError",
}
_DENIED: Final = {"s3": "AccessDenied", "sns": "AuthorizationError", "sqs": "AccessDenied"}


def error_of(failure: Failure, client: Any, operation: str) -> Exception:
    """The exception that botocore raises for it."""
    service = client.meta.service_model.service_name
    url = client.meta.endpoint_url
    if failure is Failure.NO_CONNECTION:
        return EndpointConnectionError(endpoint_url=url)
    if failure is Failure.NO_ANSWER:
        return ReadTimeoutError(endpoint_url=url)
    if failure is Failure.UNREADABLE:
        return ResponseParserError(MESSAGE)
    code, status = {
        Failure.THROTTLED: (_THROTTLED.get(service, "ThrottlingException"), 400),
        Failure.DENIED: (_DENIED.get(service, "AccessDeniedException"), 403),
        Failure.ERROR: (_ERRORS.get(service, "InternalFailure"), 500),
    }[failure]
    answer: Any = {
        "Error": {"Code": code, "Message": MESSAGE},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    made: Exception = client.exceptions.from_code(code)(answer, operation)
    assert isinstance(made, ClientError)
    return made


@dataclass
class FailingCalls(Calls):
    """The calls of one run; the call at ``stop_at`` fails."""

    failure: Failure = Failure.THROTTLED
    asked: list[str] = field(default_factory=list)
    """Each call with what it was for, such as ``PutItem OrdersTable``."""

    @contextmanager
    def watched(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        send = BaseClient._make_api_call

        def call(client: Any, operation: str, parameters: Any) -> Any:
            is_it = len(self.made) == self.stop_at
            self.made.append(operation)
            self.asked.append(f"{operation} {_resource(parameters)}".strip())
            if is_it and not self.failure.is_done:
                raise error_of(self.failure, client, operation)
            # An answer that says no is lost as well.
            with suppress(*((ClientError,) if is_it else ())):
                # No function is there to be invoked, only to be told that it was.
                answer = {} if operation == "Invoke" else send(client, operation, dict(parameters))
            if not is_it:
                return answer
            raise error_of(self.failure, client, operation)

        with monkeypatch.context() as patched:
            patched.setattr(BaseClient, "_make_api_call", call)
            yield

    @property
    def left_a_mail_unlogged(self) -> bool:
        """Whether the mail service accepted a mail, but Milepost could not record that."""
        if self.stop_at is None:
            return False
        failed, before = self.made[self.stop_at], self.made[: self.stop_at]
        return (failed == "SendEmail" and self.failure.is_done) or "SendEmail" in before


def _show_delayed_messages() -> None:
    for queue in sqs_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].queues.values():
        for message in queue._messages:
            message.delayed_until = 0


_OWN_QUEUES: Final = {"call_endpoint": "EndpointQueue"}
"""Queues in which a function puts what it could not do, as a new message to itself."""
_OF_ONE_RUN: Final = ("last_failure_at", "last_webhook_at", "request_")


def _resource(parameters: Mapping[str, Any]) -> str:
    if "RequestItems" in parameters:
        return ",".join(sorted(parameters["RequestItems"]))
    names = ("TableName", "QueueUrl", "Bucket", "TopicArn", "SecretId", "GroupName")
    found = (str(parameters[name]) for name in names if name in parameters)
    return next(found, "").rpartition("/")[2].rpartition(":")[2]


@dataclass
class FailingRun(Run):
    """A scenario with a failing call, repeated only by those to whom the function reported a
    failure.
    """

    answers: list[Any] = field(default_factory=list)
    """What the function answered each time it was invoked; None when it raised."""

    def _load(self, *, at: datetime) -> ModuleType:
        app = super()._load(at=at)
        vars(app)["handler"] = self._noting(app.handler)
        return app

    def _noting(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def invoke(event: Any, context: Any) -> Any:
            self.answers.append(None)
            self.answers[-1] = handler(event, context)
            return self.answers[-1]

        return invoke

    def _deliver_again(self, event: Any) -> None:
        if self.said_so:
            super()._deliver_again(event)
            return
        _show_delayed_messages()
        if queue := _OWN_QUEUES.get(self.scenario.function):
            app = self._load(at=self.start + LATER)
            bodies = [json.dumps(one) for one in self.stack.messages(queue)]
            assert self.scenario.is_done(app.handler(sqs_batch(bodies), Context()))

    @property
    def said_so(self) -> bool:
        """Whether the invoker of the function learned that it failed, and so repeats the
        invocation.
        """
        return is_failure(self.answers[0], function=self.scenario.function)

    @property
    def outcome(self) -> dict[str, Any]:
        """The state without data of PollsTable that differs between runs: when a poll failed or a
        webhook arrived, and the random name of a request for a poll."""
        found = super().outcome
        polls = (json.loads(item) for item in found["PollsTable"])
        kept = ({n: v for n, v in one.items() if not n.startswith(_OF_ONE_RUN)} for one in polls)
        return found | {"PollsTable": sorted(json.dumps(one) for one in kept if len(one) > 1)}


@dataclass
class FirstTry(FailingRun):
    """A run that ends after the function's first response."""

    def _deliver_again(self, event: Any) -> None:
        pass

    def _send_what_is_queued(self) -> None:
        pass


def is_failure(answer: Mapping[str, Any] | None, *, function: str) -> bool:
    """Whether a response says that something was not done; None stands for an exception.

    :raises AssertionError: for a request that fails without saying so as the API does
    """
    if answer is None or answer.get("batchItemFailures") or answer.get("outcome") == "failed":
        return True
    status = answer.get("statusCode", 200)
    if function != "orders_api":
        return bool(status >= 500)
    assert MESSAGE not in (answer["body"] or "")
    said = json.loads(answer["body"] or "{}")
    if status < 500:
        # A redrive names each message that it had to leave, with the reason; an erasure each place
        # that it could not look through.
        asks_again = status == 409 and "repeat the request" in said["detail"]
        return bool(isinstance(said, dict) and (said.get("failed") or asks_again))
    assert said["status"] == status
    return True


def failing_run(
    scenario: Scenario,
    monkeypatch: pytest.MonkeyPatch,
    *,
    start: datetime,
    at: int | None = None,
    failure: Failure = Failure.THROTTLED,
) -> FailingRun:
    """Run a scenario in which call number ``at``, counted from zero, fails; None for no failure."""
    return FailingRun(scenario, monkeypatch, start, FailingCalls(stop_at=at, failure=failure))


def first_try(
    scenario: Scenario,
    monkeypatch: pytest.MonkeyPatch,
    *,
    start: datetime,
    at: int | None = None,
    failure: Failure = Failure.THROTTLED,
) -> FirstTry:
    """Like ``failing_run``, but without a repetition."""
    calls = FailingCalls(stop_at=at, failure=failure)
    # What goes on by itself is for a run that was done.
    return FirstTry(replace(scenario, then=lambda _stack, _at: None), monkeypatch, start, calls)
