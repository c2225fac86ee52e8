"""Requests to the API that change something, to be interrupted and repeated."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from milepost.actions.aws.batches import BatchesTable
from milepost.actions.batch import Batch, BatchState, Target
from milepost.common.email_addresses import address_hash
from milepost.common.status import Status
from milepost.exports.aws.table import ExportsTable
from milepost.exports.export import Export
from milepost.exports.files import Format
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.notice import Audience, Channel, NoticeId
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.operations.aws.dead_letters import SqsLetters
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import record
from milepost.orders.search_terms import customer_id_of_email
from milepost.providers.registry import adapter
from milepost.quarantine.aws.store import Quarantine
from milepost.queries.aws.saved_views import ViewsTable
from milepost.queries.saved_views import Shared, View
from tests.builders import (
    KEY,
    NOON,
    OFFERGRID,
    announcement,
    minute,
    notice,
    offergrid_event,
    offergrid_order,
    report,
    tracked,
)
from tests.integration.crash_injection import Scenario
from tests.integration.operator_requests import http_event, hurry
from tests.integration.queued_messages import put
from tests.make_webhook_events import inbox_message
from tests.signing import OTHER_SECRET, SECRET
from tests.stack import Stack, aws, event

CUSTOMER: Final = "charlotte.nguyen@example.com"
SALES: Final = "sales@example.org"
CRM: Final = "https://hooks.example.org/orders"
A_LETTER: Final = inbox_message(json.dumps(offergrid_event()))


def request(method: str, path: str, body: Any = None) -> Any:
    """An operator's request, with the key with which a repetition is the same request."""
    made = http_event(method, path, body, role="operator", query={})
    made["headers"]["idempotency-key"] = "the-same-each-time"
    return made


def asks(method: str, path: str, body: Any = None, *, of: Callable[[Stack], None]) -> Scenario:
    """A request to the API about the object that ``of`` creates."""

    def prepare(stack: Stack) -> Any:
        of(stack)
        return request(method, path, body)

    return Scenario(function="orders_api", prepare=prepare, adjust=hurry)


def orders_of(stack: Stack) -> OrdersTable:
    table = stack.resources["OrdersTable"]
    return OrdersTable(aws("dynamodb"), table_name=table, connection=OFFERGRID)


def log_of(stack: Stack) -> NoticesTable:
    return NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])


def an_order(stack: Stack) -> None:
    said = report(Status.ACCEPTED), report(None, 1, raw="hovering")
    orders_of(stack).write(tracked(*said, announced=(announcement(),)), new=())


def a_mail(stack: Stack) -> None:
    an_order(stack)
    log_of(stack).enter(Choice(notice=notice()), at=NOON)
    log_of(stack).mark_sent(notice(), message_id="m-1", at=NOON)


def subscriptions(stack: Stack) -> None:
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    table.put(Subscription(id="sales", recipient=SALES))
    table.put(Subscription(id="more", recipient=SALES))
    table.put(Subscription(id="over", recipient="ops@example.org", ended="unsubscribed"))
    table.put(Subscription(id="crm", recipient=CRM, channel=Channel.HTTPS, owner=SALES))
    stack.keep_secret("EndpointSecrets", {"crm": "whsec_x", "other": "whsec_y"})


def endpoint_nowhere(stack: Stack) -> None:
    """An endpoint at which no server responds."""
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    table.put(Subscription(id="deaf", recipient="https://127.0.0.1:9/", channel=Channel.HTTPS))
    stack.keep_secret("EndpointSecrets", {"deaf": SECRET})


def a_suppression(stack: Stack) -> None:
    table = SuppressionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    table.suppress(SALES, reason="bounced", at=NOON)


def a_view(stack: Stack) -> None:
    table = ViewsTable(aws("dynamodb"), table_name=stack.resources["ViewsTable"])
    week = View(id="team-week", name="Week", filters={"due": ["this_week"]}, shared=Shared.TEAM)
    table.put(week, subject="s")


EXPORT: Final = "6a1b2c3d12f803998b2500a3"
BATCH: Final = "0a1b2c3d4e5f6071"
AN_IMPORT: Final = {
    "rows": [
        {"order_id": "old", "item_id": "1", "status": "accepted", "since": "2026-02-01"},
        {"order_id": "old", "item_id": "2", "status": "sold", "since": "2026-02-01"},
    ]
}
A_NOTE: Final = {"action": "note", "text": "rang them", "orders": [KEY.path_id]}


def a_batch(stack: Stack, state: BatchState = BatchState.PLANNED) -> None:
    """A batch of one note that has just been planned."""
    an_order(stack)
    batch = Batch(
        id=BATCH,
        action="note",
        person="kim",
        token="token",
        created_at=datetime.now(UTC),
        total=1,
        state=state,
        arguments={"text": "rang them"},
    )
    table = BatchesTable(aws("dynamodb"), table_name=stack.resources["BatchesTable"])
    table.put(batch, [Target(number=1, id=KEY.path_id)])


def keep_export(stack: Stack, **about: Any) -> None:
    """An export that has just been started."""
    asked = Export(
        id=EXPORT,
        list_name="orders",
        file_format=Format.CSV,
        person="kim",
        subject="s",
        created_at=datetime.now(UTC),
        **about,
    )
    table = ExportsTable(aws("dynamodb"), table_name=stack.resources["ExportsTable"])
    table.put(asked, request=None)


def an_export(stack: Stack) -> Any:
    an_order(stack)
    keep_export(stack, mail_to="kim@example.org")
    return event("make_exports", "an_export")


def a_batch_at_work(stack: Stack) -> Any:
    a_batch(stack, BatchState.RUNNING)
    return event("run_batches", "at_work")


def kept(stack: Stack, body: bytes) -> str:
    quarantine = Quarantine(lambda: aws("s3"), bucket=stack.resources["QuarantineBucket"])
    key = quarantine.keep(
        body, connection_id=OFFERGRID.id, source="webhook", reason="because", at=NOON
    )
    return key.removeprefix("quarantine/").replace("/", ":")


def two_kept(stack: Stack) -> None:
    kept(stack, b"one")
    kept(stack, b"two")


def replays_one(stack: Stack) -> Any:
    return request("POST", f"/quarantine/{kept(stack, b'one')}/replay", {"announce": True})


def discards_one(stack: Stack) -> Any:
    return request("DELETE", f"/quarantine/{kept(stack, b'one')}")


def two_letters(stack: Stack) -> None:
    put(stack, "InboxDeadLetters", json.loads(A_LETTER), {"number": 2})


def gives_a_letter_up(stack: Stack) -> Any:
    two_letters(stack)
    letters = SqsLetters(aws("sqs"), queue_url=stack.resources["InboxDeadLetters"], wait_seconds=0)
    first = next(iter(letters.walk(most=10)))
    return request("DELETE", f"/dead-letters/inbox/messages/{first.id}")


def a_customer(stack: Stack) -> Any:
    """A customer with an order of two items, mails, an unreadable payload and a dead letter."""
    items = [{**offergrid_order()["items"][0], "itemId": name} for name in ("i-1", "i-2")]
    provider, at = adapter("offergrid"), minute(60 * 72)
    said = offergrid_order(items=items)
    found = provider.read_order(said, connection=OFFERGRID, requested_at=at)
    for one in found:
        record(one, orders=orders_of(stack), rules=provider.rules, now=at)
    customer = customer_id_of_email(CUSTOMER)
    for one in found:
        key = str(OrderKey.of(one))
        item = {"pk": f"customer#{customer}", "sk": key, "order": key}
        aws("dynamodb").put_item(
            TableName=stack.resources["SearchTable"],
            Item={name: {"S": value} for name, value in item.items()},
        )
    their = {"key": KEY, "recipient": CUSTOMER, "audience": Audience.CUSTOMER}
    for mail in (notice(**their), notice(**their, copy=1), notice()):
        log_of(stack).enter(Choice(notice=mail), at=NOON)
    log_of(stack).mark_sent(notice(**their), message_id="m-1", at=NOON)
    mails = MailsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    mails.keep([notice(**their)], at=NOON)
    kept(stack, f"mail to {CUSTOMER}".encode())
    kept(stack, b"somebody else")
    two_letters(stack)
    keep_unannounced(stack)
    return request("DELETE", f"/customers/{customer}")


def keep_unannounced(stack: Stack) -> None:
    records = event("announce", "accepted")["Records"]
    other = {"dynamodb": {"Keys": {"pk": {"S": "order#offergrid-home#another"}}}}
    for name, some in (("theirs", records), ("mixed", [*records, other])):
        aws("s3").put_object(
            Bucket=stack.resources["UnannouncedBucket"],
            Key=f"aws/lambda/{name}",
            Body=json.dumps({"payload": json.dumps({"Records": some})}).encode(),
        )


def two_secrets(stack: Stack) -> None:
    """A rotation in progress."""
    secrets = [SECRET, OTHER_SECRET]
    entry = {OFFERGRID.id: {"scheme": "standard-webhooks", "secrets": secrets}}
    stack.keep_secret("SigningSecrets", entry)


ACTIONS: Final = f"/orders/{KEY.path_id}/actions"
MAIL: Final = f"/notices/{NoticeId.parse(notice().id).path_id}/resend"
REQUESTS: Final = {
    "orders_api, a note": asks("POST", f"{ACTIONS}/note", {"text": "rang them"}, of=an_order),
    "orders_api, acknowledged": asks("POST", f"{ACTIONS}/acknowledge", of=an_order),
    "orders_api, a mail again": asks("POST", MAIL, of=a_mail),
    "orders_api, a mail elsewhere": asks("POST", MAIL, {"to": "lena@example.org"}, of=a_mail),
    "orders_api, a subscription": asks(
        "POST", "/subscriptions", {"email": "new@example.org"}, of=subscriptions
    ),
    "orders_api, an endpoint": asks(
        "POST", "/subscriptions", {"url": CRM, "owner": SALES}, of=subscriptions
    ),
    "orders_api, a subscription changed": asks(
        "PUT", "/subscriptions/sales", {"email": SALES, "mode": "daily"}, of=subscriptions
    ),
    "orders_api, a subscription paused": asks(
        "POST", "/subscriptions/sales/pause", of=subscriptions
    ),
    "orders_api, a subscription resumed": asks(
        "POST", "/subscriptions/over/resume", of=subscriptions
    ),
    "orders_api, a rotation finished": asks(
        "POST", f"/connections/{OFFERGRID.id}/finish-rotation", of=two_secrets
    ),
    "orders_api, an import": asks(
        "POST", f"/connections/{OFFERGRID.id}/orders", AN_IMPORT, of=an_order
    ),
    "orders_api, a batch started": asks(
        "POST", f"/batches/{BATCH}/start", {"token": "token"}, of=a_batch
    ),
    "orders_api, a batch stopped": asks("POST", f"/batches/{BATCH}/stop", of=a_batch),
    "orders_api, a suppression lifted": asks(
        "DELETE", f"/suppressions/{address_hash(SALES)}", of=a_suppression
    ),
    "orders_api, tracking links revoked": asks(
        "DELETE", f"/orders/{KEY.path_id}/tracking-link", of=an_order
    ),
    "orders_api, an endpoint deleted": asks("DELETE", "/subscriptions/crm", of=subscriptions),
    "orders_api, a view saved": asks(
        "PUT", "/views/mine", {"name": "Mine", "filters": {"due": ["overdue"]}}, of=a_view
    ),
    "orders_api, a view deleted": asks("DELETE", "/views/team-week", of=a_view),
    "orders_api, a replay": Scenario(function="orders_api", prepare=replays_one),
    "orders_api, a replay of many": asks(
        "POST", "/quarantine/replay", {"connection": OFFERGRID.id}, of=two_kept
    ),
    "orders_api, given up": Scenario(function="orders_api", prepare=discards_one),
    "orders_api, a redrive": asks("POST", "/dead-letters/inbox/redrive", of=two_letters),
    "orders_api, a letter given up": Scenario(
        function="orders_api", prepare=gives_a_letter_up, adjust=hurry
    ),
    "orders_api, an erasure": Scenario(function="orders_api", prepare=a_customer, adjust=hurry),
}
"""Requests that need nobody to talk to."""
