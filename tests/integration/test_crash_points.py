"""Every worker, stopped at every call that it makes to AWS: nothing is lost, and nothing doubled.

A further worker is a further scenario: what is there before it runs, and its event.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest

from local.sandboxes import Sandboxes, make_connection
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held import HoldsTable
from milepost.notifications.aws.messages import batch_message, notice_message, notice_of
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.claims import Batch
from milepost.notifications.endpoints.aws.http import EndpointHttp
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.notice import Channel, Notice
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Mode, Subscription
from milepost.orders.aws import index, table
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Kind, OrderKey
from milepost.queries.aws import order_lists
from tests.batches import sqs_batch
from tests.builders import (
    NOON,
    OFFERGRID,
    announcement,
    minute,
    notice,
    report,
    tracked,
)
from tests.integration.acting_at_providers import CHARGE, DONE_AT_PROVIDERS, Charge
from tests.integration.asking import REQUESTS
from tests.integration.crashing import (
    Calls,
    How,
    Run,
    Scenario,
    start_of_a_quiet_while,
    subscribe_a_queue,
)
from tests.integration.watching_and_leaving import WATCHING_AND_LEAVING
from tests.make_mail_events import MESSAGE_ID
from tests.signing import SECRET
from tests.stack import Stack, aws, event
from tests.unit.notifications.endpoints.receiver import Receiver, receiving

POLLED = "offergrid-home"


def notices_table(stack: Stack) -> str:
    return stack.resources["NoticesTable"]


def webhook(stack: Stack) -> Any:
    return event("receive_webhook", "status_changed_accepted")


def deliveries(stack: Stack) -> Any:
    return event("record_report", "late_accepted_after_completed")


def unreadable(stack: Stack) -> Any:
    return event("record_report", "not_json")


def lives(stack: Stack) -> Any:
    return event("measure_stages", "whole_life")


def changes(stack: Stack) -> Any:
    """A change, told to a topic, to the team at once and in a digest, to its customer, to an
    endpoint."""
    subscribe_a_queue(stack)
    stack.apply(replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED})))
    subscriptions = SubscriptionsTable(aws("dynamodb"), table_name=notices_table(stack))
    for one in (
        Subscription(id="sales", recipient="sales@example.org"),
        Subscription(id="late", recipient="late@example.org", mode=Mode.HOURLY),
        Subscription(id="crm", recipient="https://crm.example.com/x", channel=Channel.HTTPS),
    ):
        subscriptions.put(one)
    batch = event("announce", "accepted")
    for record in batch["Records"]:
        keep_image(stack, record)
    return batch


def keep_image(stack: Stack, record: Mapping[str, Any]) -> None:
    image = record["dynamodb"]["NewImage"]
    aws("dynamodb").put_item(TableName=stack.resources["OrdersTable"], Item=image)


def queued_notice(stack: Stack) -> Any:
    (record,) = event("announce", "accepted")["Records"]
    keep_image(stack, record)
    batch = event("send_notice", "accepted")
    enter(stack, notice_of(json.loads(batch["Records"][0]["body"])))
    return batch


def enter(stack: Stack, *notices: Notice, due_at: datetime | None = None) -> None:
    log = NoticesTable(aws("dynamodb"), table_name=notices_table(stack))
    for one in notices:
        log.enter(Choice(notice=one, due_at=due_at), at=NOON)


def digest(stack: Stack) -> Any:
    """Two orders held for one recipient until one moment."""
    return sqs_batch([json.dumps(batch_message(hold_two(stack)))])


def hold_two(stack: Stack, *, subscription: str | None = None) -> Batch:
    due_at = minute(60)
    holds = HoldsTable(aws("dynamodb"), table_name=notices_table(stack))
    orders = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    keys = [OrderKey(OFFERGRID.id, f"ord-{number}", "item-1") for number in (1, 2)]
    held = [notice(key=key, subscription=subscription) for key in keys]
    for one in held:
        accepted = report(Status.ACCEPTED, key=one.key, reference=one.key.order_id)
        orders.write(tracked(accepted, announced=(announcement(),)), new=())
        enter(stack, one, due_at=due_at)
        holds.hold(one, due_at=due_at)
    return Batch.of(held[0], due_at=due_at)


def due_digest(stack: Stack) -> Any:
    """The minute in which a digest of two becomes due."""
    hold_two(stack)
    return {"until": format_instant(minute(61))}


def mail_event(name: str) -> Any:
    def prepare(stack: Stack) -> Any:
        mails = MailsTable(aws("dynamodb"), table_name=notices_table(stack))
        mails.keep([notice()], at=minute(1))
        enter(stack, notice())
        log = NoticesTable(aws("dynamodb"), table_name=notices_table(stack))
        log.mark_sent(notice(), message_id=MESSAGE_ID, at=minute(1))
        return event("track_delivery", name)

    return prepare


class Endpoint:
    """A team's own endpoint, and a notice for it."""

    def __init__(self, receiver: Receiver, *, attempt: int) -> None:
        self.receiver, self.attempt = receiver, attempt

    def prepare(self, stack: Stack) -> Any:
        url, dynamodb = self.receiver.url, aws("dynamodb")
        stack.keep_secret("EndpointSecrets", {"crm": SECRET})
        SubscriptionsTable(dynamodb, table_name=notices_table(stack)).put(
            Subscription(id="crm", recipient=url, channel=Channel.HTTPS)
        )
        orders = OrdersTable(
            dynamodb, table_name=stack.resources["OrdersTable"], connection=OFFERGRID
        )
        orders.write(tracked(report(Status.ACCEPTED)), new=())
        one = notice(channel=Channel.HTTPS, recipient=url, subscription="crm")
        enter(stack, one)
        return sqs_batch([json.dumps({**notice_message(one), "attempt": self.attempt})])

    @staticmethod
    def adjust(app: ModuleType) -> None:
        http = EndpointHttp(allow_private=True, seconds=10)
        vars(app)["caller"] = replace(vars(app)["caller"], http=http)


class Provider:
    """A provider on this machine with some pages of orders, one of which can't be read."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self.sandboxes = sandboxes
        for _ in range(3):
            sandboxes.accounts[POLLED].create_order({})

    def prepare(self, stack: Stack) -> Any:
        # Many polls in a minute, one for each run: the provider's limit is not what this is about.
        self.sandboxes.accounts[POLLED].reset_limits()
        url = self.sandboxes.url(POLLED)
        stack.apply(Connection(id=POLLED, provider="offergrid", base_url=url, page_size=2))
        credentials = self.sandboxes.accounts[POLLED].connection.credentials
        stack.keep_secret("ApiCredentials", {POLLED: credentials})
        return event("poll_orders", POLLED.replace("-", "_"))


SIMPLE = {
    "receive_webhook": Scenario(function="receive_webhook", prepare=webhook),
    "record_report": Scenario(function="record_report", prepare=deliveries),
    "record_report, unreadable": Scenario(function="record_report", prepare=unreadable),
    "announce": Scenario(function="announce", prepare=changes),
    "send_notice": Scenario(function="send_notice", prepare=queued_notice),
    "send_notice, digest": Scenario(function="send_notice", prepare=digest),
    "release_notices": Scenario(function="release_notices", prepare=due_digest),
    "measure_stages": Scenario(function="measure_stages", prepare=lives),
    "track_delivery, hard bounce": Scenario(
        function="track_delivery", prepare=mail_event("hard_bounce")
    ),
    "track_delivery, soft bounce": Scenario(
        function="track_delivery", prepare=mail_event("soft_bounce")
    ),
    **REQUESTS,
    **WATCHING_AND_LEAVING,
}
SERVED = ("call_endpoint", "call_endpoint, failing", "poll_orders", *DONE_AT_PROVIDERS)
QUICK = ("record_report",)


@pytest.fixture(scope="module")
def served() -> Iterator[Mapping[str, Scenario]]:
    """Scenarios that need somebody to talk to."""
    with ExitStack() as stack:
        well = Endpoint(stack.enter_context(receiving(status=204, content=b"")), attempt=0)
        ill = Endpoint(stack.enter_context(receiving(status=500, content=b"")), attempt=2)
        accounts = [make_connection(POLLED, "offergrid"), make_connection(CHARGE, "spirii")]
        sandboxes = stack.enter_context(Sandboxes(accounts))
        provider = Provider(sandboxes)
        yield {
            "call_endpoint": Scenario(
                function="call_endpoint", prepare=well.prepare, adjust=well.adjust
            ),
            "call_endpoint, failing": Scenario(
                function="call_endpoint", prepare=ill.prepare, adjust=ill.adjust
            ),
            "poll_orders": Scenario(function="poll_orders", prepare=provider.prepare),
            **Charge(sandboxes).scenarios(),
        }


@pytest.fixture(
    params=[
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.thorough)
        for name in (*SIMPLE, *SERVED)
    ]
)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    name = request.param
    served: Mapping[str, Scenario] = {} if name in SIMPLE else request.getfixturevalue("served")
    return SIMPLE.get(name) or served[name]


@pytest.mark.thorough
@pytest.mark.parametrize("how", How)
def test_a_worker_stopped_at_any_call_leaves_what_an_undisturbed_one_does(
    how: How, scenario: Scenario, moto: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (order_lists, table, index):
        monkeypatch.setattr(module, "SHARDS", 2)  # Each is a query, and an emulator's are slow.
    start = start_of_a_quiet_while()
    undisturbed = Run(scenario, monkeypatch, start)
    expected = undisturbed.outcome
    assert undisturbed.calls.made
    assert set(undisturbed.mails.values()) <= {1}
    for at in undisturbed.calls.stops(how):
        run = Run(scenario, monkeypatch, start, Calls(stop_at=at, how=how))
        where = f"call {at + 1}, {undisturbed.calls.made[at]}: {how}"
        assert run.outcome == expected, where
        most = 2 if run.calls.left_a_mail_unlogged else 1
        assert max(run.mails.values(), default=0) <= most, where
