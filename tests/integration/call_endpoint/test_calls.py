"""call_endpoint: what an endpoint gets, and what is logged of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from milepost.common.errors import OrdersUnavailable
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.topic_and_queues import notice_message, notice_of
from milepost.notifications.claims import AlreadyClaimed
from milepost.notifications.endpoints.aws.call_log import EndpointRetries, attempt_of
from milepost.notifications.endpoints.delivery import Called, Caller, NoEndpointSecret
from milepost.notifications.endpoints.secret_rotation import rotate
from milepost.notifications.notice import Channel, Notice, State
from milepost.orders.disclosure import CAUSES
from milepost.orders.order import Kind, OrderKey
from milepost.orders.recording import OrdersRead
from milepost.webhooks.signatures import verify
from tests.builders import NOON, OFFERGRID, minute
from tests.integration.call_endpoint.endpoint_calls import (
    OWNER,
    UndelayedQueue,
    enter,
    entry,
    invoke,
    keep_order,
    subscribe,
    subscriptions,
)
from tests.signing import OTHER_SECRET, SECRET
from tests.stack import CONNECTIONS_PATH, Stack, aws
from tests.unit.notifications.endpoints.receiver import Receiver


def test_an_endpoint_gets_a_signed_message_and_the_log_says_delivered(
    app: ModuleType, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    assert invoke(app, notice_message(queued)) == []
    (request,) = receiver.requests
    body = json.loads(request.body)
    assert (body["kind"], body["provider"], body["reason"]) == (
        "rejected", "offergrid", CAUSES["outside_service_area"],
    )  # fmt: skip
    assert b"Charlotte" not in request.body
    assert b"Mustermann" not in request.body
    signed = {n: v for n, v in request.headers.items() if n.startswith("webhook-")}
    now = datetime.now(UTC).timestamp()
    delivery_id = verify(
        "standard-webhooks", headers=signed, body=request.body, secrets=[SECRET], now=now
    )
    item = entry(stack, queued)
    assert (item["state"], item["attempts"], item["message_id"]) == ("delivered", 1, delivery_id)
    assert "claimed_until" not in item


@pytest.mark.parametrize("copies", [2, 5])
def test_copies_of_a_message_call_once(
    copies: int, app: ModuleType, receiver: Receiver, queued: Notice
) -> None:
    assert invoke(app, *[notice_message(queued)] * copies) == []
    assert len(receiver.requests) == 1


def test_while_one_calls_another_waits(caller: Caller, receiver: Receiver, queued: Notice) -> None:
    caller.log.claim(queued, attempt=0, at=NOON, until=minute(1))
    with pytest.raises(AlreadyClaimed):
        caller.call(queued, attempt=0, now=minute(0.5))
    assert receiver.requests == []
    assert caller.call(queued, attempt=0, now=minute(1.1)) == Called(State.DELIVERED)


@pytest.mark.thorough
def test_during_a_rotation_messages_have_both_signatures_and_afterwards_one(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    rotated = rotate(SECRET, new=OTHER_SECRET, now=NOON, keep_for=timedelta(hours=24))
    stack.keep_secret("EndpointSecrets", {"crm": rotated})
    caller.call(queued, attempt=0, now=NOON)
    caller.call(enter(stack, receiver.url, sequence=2), attempt=0, now=minute(24 * 60))
    during, after = receiver.requests
    assert [len(one.headers["webhook-signature"].split()) for one in (during, after)] == [2, 1]
    for request, secrets, now in (
        (during, [SECRET], NOON),
        (during, [OTHER_SECRET], NOON),
        (after, [OTHER_SECRET], minute(24 * 60)),
    ):
        assert verify(
            "standard-webhooks",
            headers=request.headers,
            body=request.body,
            secrets=secrets,
            now=now.timestamp(),
        )


SINCE: dict[str, tuple[dict[str, Any], State, str]] = {
    "ended": (
        {"ended": "unsubscribed on 2026-03-01"},
        State.SUPPRESSED,
        "unsubscribed on 2026-03-01",
    ),
    "switched off": (
        {"ended": "switched off on 2026-03-01 because it is gone"},
        State.SUPPRESSED,
        "switched off on 2026-03-01 because it is gone",
    ),
    "other kinds": (
        {"kinds": frozenset({Kind.ACCEPTED})},
        State.SKIPPED,
        "the subscription no longer asks for rejected",
    ),
    "other connections": (
        {"connections": frozenset({"rabot-energy"})},
        State.SKIPPED,
        f"the subscription no longer asks for {OFFERGRID.id}",
    ),
    "other service types": (
        {"service_types": frozenset({"insurance"})},
        State.SKIPPED,
        "the subscription no longer asks for this service type",
    ),
    "another URL": (
        {"recipient": "https://new.example.com/hooks"},
        State.SKIPPED,
        "the subscription has another recipient now",
    ),
    "another channel": (
        {"channel": Channel.EMAIL, "recipient": "lina@example.org"},
        State.SKIPPED,
        "the subscription has another recipient now",
    ),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("change", SINCE)
def test_a_subscription_that_has_changed_since_is_judged_as_it_is_now(
    change: str, app: ModuleType, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    changes, state, reason = SINCE[change]
    subscribe(stack, receiver.url, **changes)
    assert invoke(app, notice_message(queued)) == []
    logged = entry(stack, queued)
    assert (logged["state"], logged["reason"]) == (state, reason)
    assert "claimed_until" not in logged
    assert receiver.requests == []


@pytest.mark.thorough
def test_a_subscription_that_still_asks_for_it_is_called_whatever_else_has_changed(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    subscribe(stack, receiver.url, kinds=frozenset({Kind.REJECTED}), owner="jo@example.org")
    assert caller.call(queued, attempt=0, now=NOON) == Called(State.DELIVERED)
    assert len(receiver.requests) == 1


def test_a_subscription_that_was_deleted_is_not_called(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    subscriptions(stack).delete("crm")
    called = caller.call(queued, attempt=0, now=NOON)
    assert called == Called(State.SKIPPED, "the subscription was deleted")
    assert receiver.requests == []


@pytest.mark.thorough
def test_of_a_connection_that_was_removed_nothing_is_sent_and_the_log_says_so(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    aws("ssm").delete_parameter(Name=f"{CONNECTIONS_PATH}/{OFFERGRID.id}")
    called = caller.call(queued, attempt=0, now=NOON)
    assert called == Called(State.FAILED, "its connection is not applied")
    assert receiver.requests == []


def test_an_order_that_can_not_be_read_now_is_not_taken_for_one_that_is_gone(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    class Away:
        def read_all(self, keys: Sequence[OrderKey]) -> OrdersRead:
            raise OrdersUnavailable("ThrottlingException")

    away = replace(caller, judge=replace(caller.judge, orders=Away()))
    called = away.call(queued, attempt=2, now=NOON)
    assert called == Called(State.QUEUED, "ThrottlingException")
    logged = entry(stack, queued)
    assert logged["state"] == "queued"
    assert "claimed_until" not in logged
    assert "attempts" not in logged
    assert receiver.requests == []


@pytest.mark.thorough
def test_an_order_that_could_not_be_read_is_sent_once_it_can_be(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    class Away:
        def read_all(self, keys: Sequence[OrderKey]) -> OrdersRead:
            raise OrdersUnavailable("ThrottlingException")

    queue = UndelayedQueue(aws("sqs"), queue_url=stack.resources["EndpointQueue"])
    retries = EndpointRetries(
        aws("dynamodb"), table_name=stack.resources["NoticesTable"], queue=queue
    )
    away = replace(caller, judge=replace(caller.judge, orders=Away()), retries=retries)
    away.call(queued, attempt=0, now=NOON)
    (message,) = stack.messages("EndpointQueue")
    assert queue.delays == [timedelta(minutes=1)]
    later = caller.call(notice_of(message), attempt=attempt_of(message), now=minute(1))
    assert later == Called(State.DELIVERED)
    assert entry(stack, queued)["attempts"] == 1


@pytest.mark.thorough
def test_an_order_that_is_stored_but_unreadable_fails_with_its_reason(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    (item,) = stack.items("OrdersTable")
    aws("dynamodb").put_item(
        TableName=stack.resources["OrdersTable"],
        Item={"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}},
    )
    called = caller.call(queued, attempt=0, now=NOON)
    assert called == Called(State.FAILED, "its order can't be read: KeyError")
    assert receiver.requests == []


@pytest.mark.thorough
@pytest.mark.parametrize("how", ["tombstone", "no item"])
def test_of_an_erased_order_nothing_is_told(
    how: str, caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    dynamodb, table = aws("dynamodb"), stack.resources["OrdersTable"]
    (item,) = stack.items("OrdersTable")
    key = {"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}}
    if how == "no item":
        dynamodb.delete_item(TableName=table, Key=key)
    else:
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET erased_at = :at",
            ExpressionAttributeValues={":at": {"S": format_instant(NOON)}},
        )
    called = caller.call(queued, attempt=0, now=NOON)
    reason = "the order was erased" if how == "tombstone" else "the order is no longer stored"
    assert called == Called(State.SKIPPED, reason)
    assert receiver.requests == []


@pytest.mark.thorough
def test_reason_and_raw_status_are_those_of_what_was_announced(
    caller: Caller, stack: Stack, receiver: Receiver
) -> None:
    subscribe(stack, receiver.url)
    keep_order(stack, Status.CANCELLED)
    caller.call(enter(stack, receiver.url), attempt=0, now=NOON)
    body = json.loads(receiver.requests[0].body)
    assert (body["status"], body["raw_status"]) == ("rejected", "rejected")
    assert body["reason"] == CAUSES["outside_service_area"]


@pytest.mark.thorough
@pytest.mark.parametrize("secret", [{}, {"crm": "whsec_"}, {"crm": "whsec_not base64"}])
def test_without_a_secret_nothing_is_sent_and_the_message_comes_back(
    secret: dict[str, str],
    app: ModuleType,
    stack: Stack,
    receiver: Receiver,
    queued: Notice,
) -> None:
    stack.keep_secret("EndpointSecrets", secret)
    assert len(invoke(app, notice_message(queued))) == 1
    with pytest.raises(NoEndpointSecret, match="subscription crm has no signing secret"):
        app.calls.caller.call(queued, attempt=0, now=datetime.now(UTC))
    assert receiver.requests == []
    item = entry(stack, queued)
    assert item["state"] == "queued"
    assert "claimed_until" not in item


@pytest.mark.thorough
def test_as_deployed_it_calls_no_address_of_this_machine(
    stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    stack.keep_secret("EndpointSecrets", {"crm": SECRET})
    deployed = stack.load("call_endpoint")
    assert invoke(deployed, notice_message(queued)) == []
    url = f"https://127.0.0.1:{receiver.port}/"
    subscribe(stack, url)
    inside = enter(stack, url, sequence=2)
    assert invoke(deployed, notice_message(inside)) == []
    assert entry(stack, queued)["reason"] == "refused: not https"
    assert entry(stack, inside)["reason"] == "refused: loopback address"
    assert receiver.requests == []


@pytest.mark.thorough
def test_logs_hold_neither_url_nor_secret_nor_anybody(
    app: ModuleType, receiver: Receiver, queued: Notice, logged: Callable[[], str]
) -> None:
    receiver.status = 500
    invoke(app, notice_message(queued), {**notice_message(queued), "attempt": 1})
    invoke(app, {"not": "a notice"})
    receiver.status = 200
    invoke(app, {**notice_message(queued), "attempt": 2})
    text = logged()
    for hidden in ("127.0.0.1", "secret-in-the-url", SECRET, "v1,", "Charlotte", OWNER, "fibre"):
        assert hidden not in text
    assert text.count("answered 500") == 2
    assert '"subscription":"crm"' in text
