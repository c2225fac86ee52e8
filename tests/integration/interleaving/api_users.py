"""What people ask of the API meanwhile: every request that changes something."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from milepost.common.email_addresses import address_hash
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.notice import NoticeId
from milepost.quarantine.aws.store import Quarantine
from milepost.queries.aws.saved_views import ViewsTable
from milepost.queries.saved_views import Shared, View
from tests.integration.api_requests import AN_IMPORT
from tests.integration.interleaving.account import CUSTOMER, SALES, World, request
from tests.integration.interleaving.batches import BATCH, a_note, batch_planned
from tests.integration.interleaving.command_runs import CHARGE, HOME
from tests.integration.interleaving.workers import (
    SUBSCRIPTIONS,
    Ended,
    FedBy,
    Party,
    ended_for_person,
    in_the_inbox,
    scheduled_event,
)
from tests.stack import aws

SECRETS: Final = frozenset({"endpoint secrets"})
SIGNING: Final = frozenset({"signing secrets"})
Where = str | Callable[[World], str]


def asks(
    name: str,
    route: str,
    path: Where,
    body: Any = None,
    *,
    before: Callable[[World], Any] = lambda _: None,
    **more: Any,
) -> Party:
    """A request to the API. ``before`` makes what it is about; a path may depend on that."""

    def prepare(world: World) -> Any:
        before(world)
        where = path if isinstance(path, str) else path(world)
        said = body(world) if callable(body) else body
        return request(route.split(maxsplit=1)[0], where, said)

    def run(world: World, handed: Any) -> tuple[Ended, Any]:
        answer = world.run("orders_api", handed)
        return ended_for_person(answer), answer

    return Party(name=name, fed_by=FedBy.PERSON, prepare=prepare, run=run, covers=(route,), **more)


def of_order(name: str, rest: str) -> Callable[[World], str]:
    def path(world: World) -> str:
        order = world.orders[name]
        if name == "charge":
            return f"/orders/{CHARGE}:{order['id']}:{order['id']}/{rest}"
        return f"/orders/{HOME}:{order['orderId']}:{order['items'][0]['itemId']}/{rest}"

    return path


def resend(recipient: str) -> Callable[[World], str]:
    def path(world: World) -> str:
        return f"/notices/{NoticeId.parse(notice_to(world, recipient)['id']).path_id}/resend"

    return path


def notice_to(world: World, recipient: str) -> dict[str, Any]:
    """The log's entry of the notice to somebody."""
    (found,) = [
        one
        for one in world.items("NoticesTable")
        if one.get("recipient") == recipient and one["pk"].startswith("order#")
    ]
    return found


def keep_one(world: World) -> str:
    """Keep a webhook in the quarantine that could be read by now."""
    quarantine = Quarantine(lambda: aws("s3"), bucket=world.stack.resources["QuarantineBucket"])
    key = quarantine.keep(
        json.dumps(scheduled_event(world)).encode(),
        connection_id=HOME,
        source="webhook",
        reason="because",
        at=world.time.start,
    )
    return key.removeprefix("quarantine/").replace("/", ":")


def kept(rest: str = "") -> Callable[[World], str]:
    return lambda world: f"/quarantine/{keep_one(world)}{rest}"


def a_letter(world: World) -> str:
    """A dead letter of what the inbox would have taken; its id."""
    sent = aws("sqs").send_message(
        QueueUrl=world.stack.resources["InboxDeadLetters"], MessageBody=in_the_inbox(world)
    )
    found: str = sent["MessageId"]
    return found


def ended(world: World) -> None:
    table = SubscriptionsTable(aws("dynamodb"), table_name=world.stack.resources["NoticesTable"])
    table.end("sales", reason="unsubscribed")


def suppressed(world: World) -> None:
    table = SuppressionsTable(aws("dynamodb"), table_name=world.stack.resources["NoticesTable"])
    table.suppress(SALES, reason="bounced", at=world.time.start)


def a_view(world: World) -> None:
    table = ViewsTable(aws("dynamodb"), table_name=world.stack.resources["ViewsTable"])
    table.put(View(id="mine", name="Mine", filters={}, shared=Shared.TEAM), subject="s")


def in_hours(hours: int) -> Callable[[World], dict[str, str]]:
    return lambda world: {"at": format_instant(world.time.start + timedelta(hours=hours))}


def rotated(world: World) -> None:
    """A rotation is in progress, of which there can be one."""
    if len(world.stack.kept_secret("SigningSecrets")[HOME]["secrets"]) == 1:
        world.command("connections", "secret", "rotate", HOME)


ACTION: Final = "POST /orders/<order_id>/actions/<action>"
PLANNED: Final = frozenset({"planned"})
REQUESTS: Final = (
    asks("a note", ACTION, of_order("moving", "actions/note"), {"text": "rang them"}),
    asks("what was handled", ACTION, of_order("moving", "actions/acknowledge")),
    asks("an order read again", ACTION, of_order("moving", "actions/refresh")),
    asks("an action now", ACTION, of_order("charge", "actions/fulfill"), owns=PLANNED),
    asks(
        "a plan changed", ACTION, of_order("charge", "actions/fulfill"), in_hours(5),
        owns=PLANNED,
    ),
    asks(
        "a plan called off",
        "DELETE /orders/<order_id>/actions/<action>/planned",
        of_order("charge", "actions/fulfill/planned"),
        owns=PLANNED,
    ),
    asks("a mail again", "POST /notices/<notice>/resend", resend(CUSTOMER["email"])),
    asks(
        "a mail elsewhere", "POST /notices/<notice>/resend", resend(SALES),
        {"to": "x@example.org"},
    ),
    asks(
        "a subscription", "POST /subscriptions", "/subscriptions", {"email": "new@example.org"},
        owns=SUBSCRIPTIONS,
    ),
    asks(
        "an endpoint", "POST /subscriptions", "/subscriptions",
        {"url": "https://hooks.example.org/orders", "owner": SALES}, owns=SUBSCRIPTIONS | SECRETS,
    ),
    asks(
        "a subscription changed", "PUT /subscriptions/<subscription>", "/subscriptions/sales",
        {"email": SALES, "mode": "daily"}, owns=SUBSCRIPTIONS,
    ),
    asks(
        "a subscription paused", "POST /subscriptions/<subscription>/pause",
        "/subscriptions/sales/pause", owns=SUBSCRIPTIONS,
    ),
    asks(
        "a subscription resumed", "POST /subscriptions/<subscription>/resume",
        "/subscriptions/sales/resume", before=ended, owns=SUBSCRIPTIONS,
    ),
    asks(
        "an endpoint's secret rotated", "POST /subscriptions/<subscription>/rotate-secret",
        "/subscriptions/crm/rotate-secret", owns=SECRETS,
    ),
    asks(
        "a test webhook", "POST /connections/<connection>/send-test",
        f"/connections/{HOME}/send-test",
    ),
    # To a mail subscription, which is refused: a test to an endpoint is no notice of anybody.
    asks(
        "a test message", "POST /subscriptions/<subscription>/send-test",
        "/subscriptions/sales/send-test",
    ),
    asks(
        "a connection's secret rotated by the API", "POST /connections/<connection>/rotate-secret",
        f"/connections/{HOME}/rotate-secret", owns=SIGNING,
    ),
    asks(
        "a rotation finished by the API", "POST /connections/<connection>/finish-rotation",
        f"/connections/{HOME}/finish-rotation", before=rotated, owns=SIGNING,
    ),
    asks(
        "a subscription deleted", "DELETE /subscriptions/<subscription>", "/subscriptions/sales",
        owns=SUBSCRIPTIONS,
    ),
    asks(
        "an endpoint deleted", "DELETE /subscriptions/<subscription>", "/subscriptions/crm",
        owns=SUBSCRIPTIONS | SECRETS,
    ),
    asks("a batch planned", "POST /batches", "/batches", a_note),
    asks(
        "a batch started", "POST /batches/<batch>/start", f"/batches/{BATCH}/start",
        {"token": "token"}, before=batch_planned,
    ),
    asks(
        "a batch stopped", "POST /batches/<batch>/stop", f"/batches/{BATCH}/stop",
        before=batch_planned,
    ),
    asks(
        "tracking links revoked", "DELETE /orders/<order_id>/tracking-link",
        of_order("charge", "tracking-link"), owns=frozenset({"tracking"}),
    ),
    asks("an export", "POST /exports", "/exports", {"list": "orders"}),
    asks(
        "a suppression lifted", "DELETE /suppressions/<suppression>",
        f"/suppressions/{address_hash(SALES)}", before=suppressed,
        owns=frozenset({"suppressed"}),
    ),
    asks(
        "a view saved", "PUT /views/<view>", "/views/mine",
        {"name": "Mine", "filters": {"due": ["overdue"]}}, owns=frozenset({"views"}),
    ),
    asks(
        "a view deleted", "DELETE /views/<view>", "/views/mine", before=a_view,
        owns=frozenset({"views"}),
    ),
    asks(
        "an import", "POST /connections/<connection>/orders", f"/connections/{HOME}/orders",
        AN_IMPORT,
    ),
    asks("a poll", "POST /connections/<connection>/poll", f"/connections/{HOME}/poll"),
    asks(
        "a poll of what was before", "POST /connections/<connection>/poll",
        f"/connections/{HOME}/poll",
        lambda world: {"since": world.orders["told"]["createdAt"], "announce": True},
    ),
    asks(
        "a replay", "POST /quarantine/<kept>/replay", kept("/replay"), {"announce": True}
    ),
    asks(
        "a replay of all", "POST /quarantine/replay", "/quarantine/replay", {"connection": HOME},
        before=keep_one,
    ),
    asks("a payload discarded", "DELETE /quarantine/<kept>", kept()),
    asks(
        "a redrive", "POST /dead-letters/<queue>/redrive", "/dead-letters/inbox/redrive",
        before=a_letter,
    ),
    asks(
        "a dead letter discarded", "DELETE /dead-letters/<queue>/messages/<message>",
        lambda world: f"/dead-letters/inbox/messages/{a_letter(world)}",
    ),
    asks(
        "an erasure", "DELETE /customers/<customer>", lambda world: f"/customers/{world.customer}",
        erases=True,
    ),
)  # fmt: skip
"""Every request that changes something."""
