"""call_endpoint: retries, waiting as an endpoint asks for, and one chain of attempts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from milepost.common.timestamps import format_instant
from milepost.notifications.aws.topic_and_queues import notice_of
from milepost.notifications.endpoints.aws.call_log import EndpointRetries, attempt_of
from milepost.notifications.endpoints.delivery import PAUSED, Called, Caller
from milepost.notifications.endpoints.retry_policy import Answer
from milepost.notifications.notice import Channel, Notice, State
from tests.builders import NOON, minute
from tests.integration.call_endpoint.endpoint_calls import (
    ATTEMPTS,
    UndelayedQueue,
    due,
    enter,
    entry,
    subscribe,
    subscriptions,
)
from tests.stack import Context, Stack, aws
from tests.unit.notifications.endpoints.receiver import Receiver


def test_a_failure_is_tried_again_after_five_seconds_then_five_minutes(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    queue = UndelayedQueue(aws("sqs"), queue_url=stack.resources["EndpointQueue"])
    table = stack.resources["NoticesTable"]
    retries = EndpointRetries(aws("dynamodb"), table_name=table, queue=queue)
    caller = replace(caller, retries=retries)
    for attempt in range(2):
        called = caller.call(queued, attempt=attempt, now=minute(attempt))
        assert called == Called(State.QUEUED, "answered 500")
        (message,) = stack.messages("EndpointQueue")
        assert (notice_of(message), attempt_of(message)) == (queued, attempt + 1)
        assert entry(stack, queued)["attempts"] == attempt + 1
    assert queue.delays == [timedelta(seconds=5), timedelta(minutes=5)]
    item = entry(stack, queued)
    assert (item["state"], item["reason"]) == ("queued", "answered 500")
    assert item["retry_at"] == format_instant(minute(6))


def test_later_attempts_wait_until_they_are_released(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    caller.call(queued, attempt=2, now=NOON)
    assert due(stack, minute(29)) == []
    ((channel, message),) = due(stack, minute(30))
    assert (channel, attempt_of(message)) == (Channel.HTTPS, 3)
    assert stack.messages("EndpointQueue") == []


def test_release_notices_puts_it_back_into_the_endpoint_queue(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    caller.call(queued, attempt=3, now=NOON)
    release = stack.load("release_notices")
    assert release.handler({"until": format_instant(minute(121))}, Context()) == {"released": 1}
    (message,) = stack.messages("EndpointQueue")
    assert (notice_of(message), attempt_of(message)) == (queued, 4)


@pytest.mark.thorough
def test_after_the_last_attempt_it_has_failed_and_the_log_says_why(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    states = [
        caller.call(queued, attempt=attempt, now=minute(attempt)) for attempt in range(ATTEMPTS)
    ]
    assert [one.state for one in states if one] == ["queued"] * 9 + ["failed"]
    item = entry(stack, queued)
    assert (item["state"], item["attempts"]) == ("failed", 10)
    assert item["reason"] == "answered 500; tried 10 times"
    ids = {request.headers["webhook-id"] for request in receiver.requests}
    assert (len(receiver.requests), len(ids)) == (10, 1)


def test_a_copy_of_an_attempt_that_was_made_is_dropped(
    caller: Caller, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    caller.call(queued, attempt=0, now=NOON)
    assert caller.call(queued, attempt=0, now=minute(5)) is None
    assert len(receiver.requests) == 1


def test_when_killed_after_the_retry_was_put_one_chain_of_attempts_goes_on(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    caller.log.claim(queued, attempt=0, at=NOON, until=minute(1))
    caller.retries.put(queued, attempt=1, delay=timedelta(0), now=NOON)
    # The log has not heard of the failure. The message that was put is ahead of it.
    assert caller.call(queued, attempt=1, now=minute(2)) == Called(State.QUEUED, "answered 500")
    assert caller.call(queued, attempt=0, now=minute(4)) is None
    assert entry(stack, queued)["attempts"] == 2


def test_a_retry_that_works_is_delivered_and_the_reason_is_gone(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    caller.call(queued, attempt=0, now=NOON)
    receiver.status = 200
    assert caller.call(queued, attempt=1, now=minute(1)) == Called(State.DELIVERED)
    item = entry(stack, queued)
    assert (item["state"], item["attempts"]) == ("delivered", 2)
    assert not {"reason", "retry_at", "claimed_until"} & item.keys()


def test_a_longer_retry_after_is_honoured(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "7200"}
    caller.call(queued, attempt=0, now=NOON)
    assert entry(stack, queued)["retry_at"] == format_instant(minute(120))
    assert len(due(stack, minute(120))) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_an_endpoint_that_asks_to_wait_holds_back_its_other_notices_until_then(
    status: int, caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    other = enter(stack, receiver.url, sequence=2)
    receiver.status, receiver.headers = status, {"Retry-After": "1200"}
    caller.call(queued, attempt=0, now=NOON)
    assert caller.call(other, attempt=0, now=minute(1)) == Called(State.QUEUED, PAUSED)
    assert len(receiver.requests) == 1
    logged = entry(stack, other)
    assert (logged["state"], logged["reason"]) == ("queued", PAUSED)
    assert logged["retry_at"] == format_instant(minute(20))
    assert not {"attempts", "claimed_until"} & logged.keys()
    waiting = {notice_of(one): attempt_of(one) for _, one in due(stack, minute(20))}
    assert waiting == {queued: 1, other: 0}
    receiver.status = 200
    assert caller.call(other, attempt=0, now=minute(20)) == Called(State.DELIVERED)
    logged = entry(stack, other)
    assert (logged["attempts"], logged.get("reason")) == (1, None)


@pytest.mark.thorough
def test_waiting_uses_up_no_attempt_however_often_the_endpoint_asks_for_it(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    others = [enter(stack, receiver.url, sequence=number) for number in range(2, 5)]
    receiver.status, receiver.headers = 429, {"Retry-After": "60"}
    for attempt in range(ATTEMPTS - 1):
        caller.call(queued, attempt=attempt, now=minute(attempt))
        for one in others:
            waiting = caller.call(one, attempt=0, now=minute(attempt + 0.5))
            assert waiting == Called(State.QUEUED, PAUSED)
    assert len(receiver.requests) == ATTEMPTS - 1
    receiver.status = 200
    for one in others:
        assert caller.call(one, attempt=0, now=minute(ATTEMPTS)) == Called(State.DELIVERED)
        assert entry(stack, one)["attempts"] == 1


def test_after_a_success_nobody_waits_any_more(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    others = [enter(stack, receiver.url, sequence=number) for number in (2, 3)]

    class Busy:
        def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
            # Another worker meets an endpoint that has no time, while this call goes on.
            receiver.status, receiver.headers = 503, {"Retry-After": "600"}
            caller.call(others[0], attempt=0, now=NOON)
            return Answer(200)

    replace(caller, http=Busy()).call(queued, attempt=0, now=NOON)
    receiver.status = 200
    assert caller.call(others[1], attempt=0, now=minute(1)) == Called(State.DELIVERED)


def test_another_endpoint_is_called_while_one_asks_to_wait(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    subscribe(stack, receiver.url, subscription_id="erp")
    elsewhere = enter(stack, receiver.url, sequence=2, subscription="erp")
    receiver.status, receiver.headers = 503, {"Retry-After": "600"}
    caller.call(queued, attempt=0, now=NOON)
    receiver.status = 200
    assert caller.call(elsewhere, attempt=0, now=minute(1)) == Called(State.DELIVERED)


def test_what_waits_for_an_endpoint_is_judged_all_the_same(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    other = enter(stack, receiver.url, sequence=2)
    receiver.status, receiver.headers = 503, {"Retry-After": "600"}
    caller.call(queued, attempt=0, now=NOON)
    subscriptions(stack).end("crm", reason="unsubscribed on 2026-03-02")
    called = caller.call(other, attempt=0, now=minute(1))
    assert called == Called(State.SUPPRESSED, "unsubscribed on 2026-03-02")
