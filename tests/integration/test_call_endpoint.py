"""call_endpoint: what an endpoint gets, and what is in the log, the queue and the waiting room."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from milepost.common.errors import OrdersUnavailable
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.delivery_log import NoticesTable, notice_key
from milepost.notifications.aws.held import HoldsTable
from milepost.notifications.aws.messages import NoticeQueue, notice_message, notice_of
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.claims import AlreadyClaimed
from milepost.notifications.endpoints.aws.delivery_log import EndpointRetries, attempt_of
from milepost.notifications.endpoints.aws.http import EndpointHttp
from milepost.notifications.endpoints.delivery import PAUSED, Called, Caller, NoEndpointSecret
from milepost.notifications.endpoints.retry_policy import Answer
from milepost.notifications.endpoints.secret_rotation import rotate
from milepost.notifications.notice import Channel, Notice, State
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Kind, OrderKey
from milepost.orders.recording import OrdersRead
from milepost.webhooks.signatures import verify
from tests.builders import NOON, OFFERGRID, announcement, minute, notice, report, tracked
from tests.make_events import sqs_batch
from tests.signing import OTHER_SECRET, SECRET
from tests.stack import CONNECTIONS_PATH, SENDER, Context, Stack, aws
from tests.unit.notifications.endpoints.receiver import Receiver, receiving

OWNER = "ops@example.org"
ATTEMPTS = 10


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(status=204, content=b"") as one:
        yield one


@pytest.fixture
def app(stack: Stack, receiver: Receiver) -> ModuleType:
    """The function as it is, but that it may call this machine, and retries without jitter."""
    stack.keep_secret("EndpointSecrets", {"crm": SECRET, "erp": OTHER_SECRET})
    module = stack.load("call_endpoint")
    http = EndpointHttp(allow_private=True, seconds=10)
    module.caller = replace(module.caller, http=http, chance=lambda: 0.0)
    return module


@pytest.fixture
def caller(app: ModuleType) -> Caller:
    made: Caller = app.caller
    return made


@pytest.fixture
def queued(stack: Stack, receiver: Receiver) -> Notice:
    """A notice of a rejection to the subscription crm, entered in the log."""
    subscribe(stack, receiver.url)
    keep_order(stack)
    return enter(stack, receiver.url)


class UndelayedQueue(NoticeQueue):
    """The queue, but that it hands out at once what it was to keep back."""

    def __init__(self, client: Any, *, queue_url: str) -> None:
        super().__init__(client, queue_url=queue_url)
        self.delays: list[timedelta] = []

    def put_message(self, message: Mapping[str, Any], *, delay: timedelta = timedelta(0)) -> None:
        self.delays.append(delay)
        super().put_message(message)


def subscribe(stack: Stack, url: str, *, subscription_id: str = "crm", **changes: Any) -> None:
    one = Subscription(id=subscription_id, channel=Channel.HTTPS, recipient=url, owner=OWNER)
    subscriptions(stack).put(replace(one, **changes))


def subscriptions(stack: Stack) -> SubscriptionsTable:
    return SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])


def keep_order(stack: Stack, *statuses: Status) -> None:
    rejected = report(Status.REJECTED, reason="No fibre there", customer={"name": "Charlotte"})
    order = tracked(rejected, *(report(one, 10) for one in statuses))
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    table.write(order, new=())


def enter(stack: Stack, url: str, *, sequence: int = 1, **changes: Any) -> Notice:
    said = {
        "subscription": "crm",
        "announcement": announcement(Kind.REJECTED, sequence, status=Status.REJECTED),
    }
    one = replace(
        notice(Kind.REJECTED, channel=Channel.HTTPS, recipient=url), **{**said, **changes}
    )
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    log.enter(Choice(notice=one), at=NOON)
    return one


def moving(caller: Caller, stack: Stack) -> Caller:
    """A caller whose subscription gets another URL while the endpoint is being called."""

    class Moving:
        def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
            answer = caller.http.post(url, headers=headers, body=body)
            subscribe(stack, "https://new.example.com/hooks")
            return answer

    return replace(caller, http=Moving())


def entry(stack: Stack, one: Notice) -> dict[str, Any]:
    key = notice_key(one)
    (item,) = [i for i in stack.items("NoticesTable") if (i["pk"], i["sk"]) == tuple(key.values())]
    return item


def subscription_item(stack: Stack, subscription_id: str = "crm") -> dict[str, Any]:
    every = [i for i in stack.items("NoticesTable") if i["pk"] == "subscriptions"]
    return {item["sk"]: item for item in every}[subscription_id]


def fail_since(stack: Stack, moment: datetime) -> None:
    aws("dynamodb").update_item(
        TableName=stack.resources["NoticesTable"],
        Key={"pk": {"S": "subscriptions"}, "sk": {"S": "crm"}},
        UpdateExpression="SET failing_since = :since",
        ExpressionAttributeValues={":since": {"S": format_instant(moment)}},
    )


def mails() -> list[Any]:
    return list(ses_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].sent_messages)


def due(stack: Stack, until: datetime) -> list[Any]:
    holds = HoldsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    return [(one.channel, one.message) for one in holds.due(until=until)]


def invoke(app: ModuleType, *messages: Any) -> list[str]:
    """The ids of the messages that failed."""
    answer = app.handler(sqs_batch([json.dumps(one) for one in messages]), Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_an_endpoint_gets_a_signed_message_and_the_log_says_delivered(
    app: ModuleType, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    assert invoke(app, notice_message(queued)) == []
    (request,) = receiver.requests
    body = json.loads(request.body)
    assert (body["kind"], body["provider"], body["reason"]) == (
        "rejected", "offergrid", "No fibre there",
    )  # fmt: skip
    assert b"Charlotte" not in request.body
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


def test_a_failure_is_noted_with_the_subscription_and_a_success_takes_it_back(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    caller.call(queued, attempt=0, now=NOON)
    caller.call(queued, attempt=1, now=minute(1))
    assert subscription_item(stack)["failing_since"] == format_instant(NOON)
    receiver.status = 200
    caller.call(queued, attempt=2, now=minute(2))
    assert "failing_since" not in subscription_item(stack)


def test_after_five_days_of_failures_it_is_switched_off_and_its_owner_told_once(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    fail_since(stack, NOON - timedelta(days=5, minutes=1))
    receiver.status = 500
    other = enter(stack, receiver.url, sequence=2)
    called = caller.call(queued, attempt=0, now=NOON)
    assert called == Called(State.FAILED, "answered 500", switched_off=True)
    ended = "switched off on 2026-03-02 after failing for 5 days"
    assert subscription_item(stack)["ended"] == ended
    assert entry(stack, queued)["reason"] == f"answered 500; {ended}"
    skipped = caller.call(other, attempt=0, now=minute(1))
    assert skipped == Called(State.SUPPRESSED, ended)
    assert entry(stack, other)["reason"] == ended
    (mail,) = mails()
    assert OWNER in str(mail.destinations)
    assert len(receiver.requests) == 1


def test_an_endpoint_that_is_gone_is_switched_off_at_once_and_its_owner_told(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 410
    other = enter(stack, receiver.url, sequence=2)
    called = caller.call(queued, attempt=0, now=NOON)
    assert called == Called(State.FAILED, "answered 410 Gone", switched_off=True)
    ended = "switched off on 2026-03-02 because it is gone"
    assert subscription_item(stack)["ended"] == ended
    assert entry(stack, queued)["reason"] == f"answered 410 Gone; {ended}"
    assert caller.call(other, attempt=0, now=minute(1)) == Called(State.SUPPRESSED, ended)
    assert stack.messages("EndpointQueue") == []
    (mail,) = mails()
    assert OWNER in str(mail.destinations)
    assert "410 Gone" in str(mail.body)
    assert len(receiver.requests) == 1


def test_410_of_a_url_that_is_changed_during_the_call_ends_that_notice_alone(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 410
    called = moving(caller, stack).call(queued, attempt=0, now=NOON)
    assert called == Called(State.FAILED, "answered 410 Gone")
    assert "ended" not in subscription_item(stack)
    assert stack.messages("EndpointQueue") == []


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


@pytest.mark.thorough
def test_of_two_that_fail_at_once_one_switches_off(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    since = NOON - timedelta(days=6)
    fail_since(stack, since)
    endpoint = caller.endpoints.get("crm")
    assert endpoint is not None
    claims = [
        caller.endpoints.claim_switching_off(
            endpoint, failing_since=since, at=NOON, until=minute(1)
        )
        for _ in range(2)
    ]
    assert [claim is not None for claim in claims] == [True, False]
    receiver.status = 500
    assert caller.call(queued, attempt=0, now=minute(0.5)) == Called(State.QUEUED, "answered 500")
    assert mails() == []


@pytest.mark.thorough
def test_when_the_owner_cannot_be_told_now_nothing_is_switched_off_yet(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    fail_since(stack, NOON - timedelta(days=6))
    receiver.status = 500

    class Away:
        def tell_switched_off(self, *_: object, **__: object) -> None:
            raise ConnectionError

    broken = replace(caller, owners=Away())
    with pytest.raises(ConnectionError):
        broken.call(queued, attempt=0, now=NOON)
    assert "ended" not in subscription_item(stack)
    called = caller.call(queued, attempt=0, now=minute(3))
    assert called is not None
    assert called.switched_off
    assert len(mails()) == 1


@pytest.mark.thorough
def test_an_owner_whose_address_takes_no_mail_keeps_no_endpoint_on(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    fail_since(stack, NOON - timedelta(days=6))
    receiver.status = 500
    aws("sesv2").delete_email_identity(EmailIdentity=SENDER)
    caller.call(queued, attempt=0, now=NOON)
    assert "ended" in subscription_item(stack)


def test_an_owner_who_complained_gets_no_mail_and_the_endpoint_is_off_all_the_same(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    suppressions = SuppressionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    suppressions.suppress(OWNER, reason="complained on 2026-03-01", at=NOON)
    fail_since(stack, NOON - timedelta(days=6))
    receiver.status = 500
    caller.call(queued, attempt=0, now=NOON)
    assert "ended" in subscription_item(stack)
    assert mails() == []


def test_an_endpoint_without_an_owner_is_switched_off_in_silence(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    subscribe(stack, receiver.url, owner=None)
    fail_since(stack, NOON - timedelta(days=6))
    receiver.status = 500
    caller.call(queued, attempt=0, now=NOON)
    assert "ended" in subscription_item(stack)
    assert mails() == []


def test_a_failure_of_a_url_that_is_changed_during_the_call_does_not_count_against_the_new_one(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    moving(caller, stack).call(queued, attempt=0, now=NOON)
    assert "failing_since" not in subscription_item(stack)


@pytest.mark.thorough
def test_a_success_of_a_url_that_is_changed_during_the_call_does_not_speak_for_the_new_one(
    caller: Caller, stack: Stack, queued: Notice
) -> None:
    fail_since(stack, NOON)
    called = moving(caller, stack).call(queued, attempt=0, now=minute(1))
    assert called == Called(State.DELIVERED)
    assert subscription_item(stack)["failing_since"] == format_instant(NOON)


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
    assert body["reason"] == "No fibre there"


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
        app.caller.call(queued, attempt=0, now=datetime.now(UTC))
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
