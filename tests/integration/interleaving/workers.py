"""Who may meet: each function with an event of the world, by whom it is run again if it fails."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from milepost.common.email_addresses import address_hash
from milepost.common.timestamps import format_instant
from milepost.notifications.mail.unsubscribe import Ending, token_of
from milepost.orders.order import OrderKey
from tests.batches import sqs_batch
from tests.integration.api_requests import keep_export
from tests.integration.interleaving.account import CUSTOMER, SALES, World
from tests.integration.interleaving.batches import batch_at_work
from tests.integration.interleaving.command_runs import CHARGE, HOME
from tests.integration.provider_actions import schedules
from tests.make_mail_events import (
    LINK_KEY,
    http_event,
    ses_event,
    tracking_event,
    tracking_token,
)
from tests.make_webhook_events import inbox_message
from tests.signing import standard_headers
from tests.stack import event, template


class FedBy(StrEnum):
    """Who hands it its event, and what they do when it fails."""

    QUEUE = "queue"
    STREAM = "stream"
    SCHEDULE = "schedule"
    PROVIDER = "provider"
    PERSON = "person"

    @property
    def hands_it_twice(self) -> bool:
        """At least once is what AWS and providers promise."""
        return self is not FedBy.PERSON


class Ended(StrEnum):
    """How a run ended, for whoever waits for it."""

    DONE = "done"
    FAILED = "failed"
    """It comes again."""
    REFUSED = "refused"
    """A person was told why it can't be done."""
    BROKEN = "broken"
    """A person was told nothing that helps."""


@dataclass(frozen=True, kw_only=True)
class Party:
    """One that takes part. ``prepare`` makes what it needs, and gives its event."""

    name: str
    fed_by: FedBy
    prepare: Callable[[World], Any]
    run: Callable[[World, Any], tuple[Ended, Any]]
    function: str | None = None
    covers: tuple[str, ...] = ()
    """Routes and commands that it stands for."""
    owns: frozenset[str] = frozenset()
    """What people keep that it may change, by the names of ``judging.kept_by_people``."""
    erases: bool = False
    lasts: timedelta = field(default=timedelta(seconds=29))
    """As long as it may take, so that whoever waits longer knows that it is gone."""


def function(
    name: str,
    fed_by: FedBy,
    prepare: Callable[[World], Any],
    *,
    variant: str = "",
    owns: frozenset[str] = frozenset(),
    erases: bool = False,
) -> Party:
    """A function with one of its events."""

    def run(world: World, handed: Any) -> tuple[Ended, Any]:
        answer = world.run(name, handed)
        if fed_by is FedBy.PERSON:
            return ended_for_person(answer), answer
        return (Ended.DONE if is_done(answer) else Ended.FAILED), answer

    return Party(
        name=f"{name}, {variant}" if variant else name,
        function=name,
        fed_by=fed_by,
        prepare=prepare,
        run=run,
        owns=owns,
        erases=erases,
        lasts=timedelta(seconds=seconds_of(name) - 1),
    )


def seconds_of(function: str) -> int:
    """The function's timeout."""
    name = "".join(word.capitalize() for word in function.split("_")) + "Function"
    return int(template()[name]["Properties"].get("Timeout", 30))


def is_done(answer: Mapping[str, Any]) -> bool:
    """Whether nobody hands it over again: no queue, no stream, no provider, no poll."""
    return (
        not answer.get("batchItemFailures")
        and 200 <= answer.get("statusCode", 202) < 300
        and answer.get("outcome", "complete") in ("complete", "unchanged")
    )


def ended_for_person(answer: Mapping[str, Any]) -> Ended:
    status = answer["statusCode"]
    if 200 <= status < 300:
        return Ended.DONE
    return Ended.BROKEN if status == 500 else Ended.REFUSED


def scheduled_event(world: World) -> dict[str, Any]:
    """What the provider tells of the order that moves: the poll sees the same."""
    order = world.orders["moving"]
    (item,) = order["items"]
    return {
        "event": "order.scheduled",
        "orderId": order["orderId"],
        "itemId": item["itemId"],
        "scheduledFor": item["scheduledFor"],
        "providerNotes": None,
        "timestamp": item["updatedAt"],
    }


def export_waiting(world: World) -> Any:
    """The event of an export that somebody started."""
    keep_export(world.stack)
    return event("make_exports", "an_export")


def webhook(world: World) -> Any:
    made = event("receive_webhook", "scheduled")
    made["body"] = json.dumps(scheduled_event(world))
    made["headers"] |= standard_headers(
        made["body"].encode(),
        secret=world.stack.kept_secret("SigningSecrets")[HOME]["secrets"][0],
        timestamp=int(time.time()),
    )
    return made


def in_the_inbox(world: World) -> str:
    """The message of a webhook that came a moment ago."""
    message = json.loads(inbox_message(json.dumps(scheduled_event(world))))
    return json.dumps({**message, "received_at": world.time.start.timestamp()})


def delivery(world: World) -> Any:
    return sqs_batch([in_the_inbox(world)])


def stream_records(reader: str) -> Callable[[World], Any]:
    return lambda world: {"Records": world.unpark(reader)}


def messages(queue: str) -> Callable[[World], Any]:
    return lambda world: sqs_batch(world.unpark(queue))


def digest_is_due(world: World) -> Any:
    world.make_due()
    return {"until": format_instant(world.time.start + timedelta(minutes=61))}


def digest(world: World) -> Any:
    """The message that sends what is held for somebody."""
    world.run("release_notices", digest_is_due(world))
    bodies = world.take("EmailQueue")
    if bodies:
        world.parked["a digest"] = bodies
    # The release and what it releases may meet: then it is released twice.
    return sqs_batch(world.parked["a digest"])


def mail_event(name: str) -> Callable[[World], Any]:
    """What became of the mail that the customer got."""

    def prepare(world: World) -> Any:
        (mail,) = [one for one in world.calls.seen.mails if one.to == CUSTOMER["email"]]
        said = json.dumps(ses_event(name)).replace("sales@example.org", mail.to)
        made = json.loads(said)
        made["mail"]["tags"]["mail"] = [mail.tag]
        made["mail"]["messageId"] = world.message_id_of_customers_mail()
        return sqs_batch([json.dumps(made)])

    return prepare


def click(ending: Ending) -> Callable[[World], Any]:
    token = token_of(ending, LINK_KEY)
    return lambda _: http_event("POST", token, "List-Unsubscribe=One-Click")


def customers_link(world: World) -> Any:
    """A look at the page of an order; its link works, unless it is revoked."""
    identity = world.orders["charge"]["id"]
    return tracking_event(tracking_token(OrderKey(CHARGE, identity, identity)))


def after_an_erasure(world: World) -> Any:
    """An erasure that is looked after once more, since something may have been in flight."""
    answer = world.ask("DELETE", f"/customers/{world.customer}")
    assert answer["statusCode"] == 200, answer
    return {}


def due_action(world: World) -> Any:
    ((_, due),) = schedules(world.stack)
    return due


SUBSCRIPTIONS: Final = frozenset({"subscriptions"})
FUNCTIONS: Final = (
    function("receive_webhook", FedBy.PROVIDER, webhook),
    function("record_report", FedBy.QUEUE, delivery),
    function("poll_orders", FedBy.SCHEDULE, lambda _: {"connection": HOME}),
    function("announce", FedBy.STREAM, stream_records("announce")),
    function("measure_stages", FedBy.STREAM, stream_records("measure_stages")),
    function("send_notice", FedBy.QUEUE, messages("EmailQueue")),
    function("send_notice", FedBy.QUEUE, digest, variant="a digest"),
    function("release_notices", FedBy.SCHEDULE, digest_is_due),
    function("call_endpoint", FedBy.QUEUE, messages("EndpointQueue"), owns=SUBSCRIPTIONS),
    function(
        "track_delivery", FedBy.QUEUE, mail_event("hard_bounce"), owns=frozenset({"suppressed"})
    ),
    function(
        "unsubscribe",
        FedBy.PERSON,
        click(Ending(recipient=address_hash(SALES))),
        owns=SUBSCRIPTIONS,
    ),
    function(
        "unsubscribe",
        FedBy.PERSON,
        click(Ending(customer=address_hash(CUSTOMER["email"]))),
        variant="a customer",
        owns=frozenset({"suppressed"}),
    ),
    function("tracking_page", FedBy.PERSON, customers_link),
    function("watch_deadlines", FedBy.SCHEDULE, lambda _: {}),
    function("finish_erasures", FedBy.SCHEDULE, after_an_erasure, erases=True),
    function("run_batches", FedBy.QUEUE, batch_at_work),
    function("make_exports", FedBy.SCHEDULE, export_waiting),
    function("perform_action", FedBy.SCHEDULE, due_action, owns=frozenset({"planned"})),
)
"""Each function of the template; several events of those that do several things."""
