"""What has to hold after any interleaving, as one line for each that doesn't."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from milepost.aws.notices_keys import DUE
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.topic_and_queues import notice_of
from milepost.notifications.endpoints.signed_message import message_id
from milepost.notifications.notice import DEFAULT_KINDS, NoticeId
from milepost.orders.aws.table import tracked_order
from milepost.orders.lifecycle import fold
from milepost.orders.order import Kind, TrackedOrder
from milepost.providers.registry import adapter
from tests.integration.interleaving.account import CUSTOMER, SUBSCRIBED, World
from tests.integration.interleaving.command_runs import HOME
from tests.stack import CONNECTIONS_PATH, aws

TABLES: Final = (
    "OrdersTable", "NoticesTable", "PollsTable", "FiguresTable", "SearchTable", "ErasuresTable",
    "TouchedTable",
)  # fmt: skip
QUEUES: Final = ("InboxQueue", "InboxDeadLetters", "EmailQueue", "EndpointQueue")
BUCKETS: Final = ("QuarantineBucket", "DigestsBucket", "UnannouncedBucket")
_LOGGED_AS_SENT: Final = frozenset({"sent", "delivered", "bounced", "complained"})

Kept = dict[str, Any]


def violations(world: World, *, was_erased: bool) -> list[str]:
    """Everything that is not as it has to be."""
    orders = [tracked_order(item) for item in world.items("OrdersTable")]
    parked = _parked(world)
    log = {
        one["id"]: one
        for one in world.items("NoticesTable")
        if one["pk"].startswith("order#") and "state" in one and one["id"] not in parked
    }
    return [
        *_not_the_fold(orders),
        *_not_told(orders, log, world),
        *_unsent(log, now=format_instant(world.time.now())),
        *_mailed_wrongly(log, world),
        *_called_wrongly(log, world),
        *(_left_of_who_was_erased(world) if was_erased else ()),
    ]


def _parked(world: World) -> set[str]:
    """Notices that wait because this is about others; and announcements."""
    bodies = [json.loads(one) for q in ("EmailQueue", "EndpointQueue") for one in world.parked[q]]
    held = {
        one["id"]
        for one in world.items("NoticesTable")
        if one.get("due_at") and _told(world) in one["pk"]
    }
    return {notice_of(one).id for one in bodies} | (held if world.parked[DUE] else set())


def _not_the_fold(orders: Iterable[TrackedOrder]) -> Iterator[str]:
    for one in orders:
        if one.erased_at is not None:
            continue
        provider = one.order.key.connection.partition("-")[0]
        reports = [entry.report for entry in one.order.timeline]
        ids = Counter(report.id for report in reports)
        yield from (f"{one.order.key} has {id} twice" for id, n in ids.items() if n > 1)
        again = fold(reversed(reports), adapter(provider).rules, one.order.summary)
        if (again.status, again.appointment) != (one.order.status, one.order.appointment):
            yield f"{one.order.key} is {one.order.status}, its reports say {again.status}"


def _not_told(
    orders: Iterable[TrackedOrder], log: Mapping[str, Any], world: World
) -> Iterator[str]:
    """Each announcement has its entry for every recipient and channel; SNS has no other."""
    published = Counter(json.loads(one)["id"] for one in world.calls.seen.published)
    is_parked = bool(world.parked["announce"])
    told = {one.order.key for one in orders if one.order.key.order_id == _told(world)}
    for one in orders:
        if one.erased_at is not None or one.order.key.connection != HOME:
            continue
        entries = [
            (NoticeId.parse(id), entry)
            for id, entry in log.items()
            if NoticeId.parse(id).key == one.order.key and not NoticeId.parse(id).copy
        ]
        for announcement in one.announced:
            if announcement.kind not in DEFAULT_KINDS:
                continue
            if announcement.kind is Kind.ACCEPTED and (is_parked or one.order.key in told):
                continue
            asked_for = SUBSCRIBED if announcement.kind is Kind.ACCEPTED else {"sales"}
            known = [entry for id, entry in entries if id.sequence == announcement.sequence]
            asked = {
                str(item["sk"])
                for item in world.items("NoticesTable")
                if item["pk"] == "subscriptions" and "ended" not in item
            }
            for name in sorted(asked & asked_for - {str(x.get("subscription")) for x in known}):
                yield f"{one.order.key} #{announcement.sequence} {announcement.kind}: not to {name}"
            if not any(x["channel"] == "sns" for x in known):
                yield f"{one.order.key} #{announcement.sequence} {announcement.kind}: not by SNS"
    known_ids = {
        one_announced.id_for(one.order.key) for one in orders for one_announced in one.announced
    }
    living = {one.order.key for one in orders if one.erased_at is None}
    for id in published:
        if id not in known_ids and any(id.startswith(str(key)) for key in living):
            yield f"SNS was told of {id}, which no order announced"


def _told(world: World) -> str:
    """The order whose acceptance was announced before."""
    name: str = world.orders["told"]["orderId"]
    return name


def _unsent(log: Mapping[str, Any], *, now: str) -> Iterator[str]:
    for id, entry in log.items():
        # What an endpoint refused is tried again for days; a digest may be due tomorrow.
        is_to_come = "retry_at" in entry or entry.get("due_at", "") > now
        if entry["state"] == "queued" and not is_to_come:
            yield f"{id} waits for ever"
        if entry["state"] in ("skipped", "failed", "suppressed") and not entry.get("reason"):
            yield f"{id} is {entry['state']} without a reason"


def _mailed_wrongly(log: Mapping[str, Any], world: World) -> Iterator[str]:
    """As many mails as the log knows of."""
    told: Counter[str] = Counter()
    by_tag: dict[str, list[Any]] = {}
    for item in world.items("NoticesTable"):
        if item["pk"].startswith("mail#"):
            by_tag.setdefault(item["pk"].removeprefix("mail#"), []).extend(
                json.loads(item["notices"])
            )
    for mail in world.calls.seen.mails:
        for one in by_tag.get(mail.tag, ()):
            told[notice_of({**one["message"], "recipient": mail.to}).id] += 1
    for id, count in told.items():
        if count > 1:
            yield f"{id} was mailed {count} times"
        if id in log and log[id]["state"] not in _LOGGED_AS_SENT:
            yield f"{id} was mailed, and the log says {log[id]['state']}: {log[id].get('reason')}"
    for id, entry in log.items():
        if entry["channel"] == "email" and entry["state"] in _LOGGED_AS_SENT and not told[id]:
            yield f"{id} was never mailed, and the log says {entry['state']}"


def _called_wrongly(log: Mapping[str, Any], world: World) -> Iterator[str]:
    """Endpoints are called for what the log says, and not once more without need."""
    called = Counter(made for method, url, made in world.calls.seen.requests if "/hooks/" in url)
    for entry in log.values():
        if entry["channel"] != "https":
            continue
        identity = NoticeId.parse(entry["id"])
        made = called[_webhook_id(identity)]
        if made > 1:
            yield f"{entry['id']}: its endpoint was called {made} times"
        if made and entry["state"] not in ("sent", "delivered"):
            yield f"{entry['id']}: its endpoint took it, and the log says {entry['state']}"
        if not made and entry["state"] in ("sent", "delivered"):
            yield f"{entry['id']}: its endpoint was never called, the log says {entry['state']}"


def _webhook_id(identity: NoticeId) -> str:
    class Named:
        id = str(identity)

    return message_id(Named())  # type: ignore[arg-type]


_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/=]+")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
PERSONAL: Final = tuple(one.lower() for one in CUSTOMER.values())


def _left_of_who_was_erased(world: World) -> Iterator[str]:
    """Where anything personal of the customer still is."""
    for place, text in _everything(world):
        for one in PERSONAL:
            if one in text:
                yield f"{one} is still in {place}"


def _everything(world: World) -> Iterator[tuple[str, str]]:
    for table in TABLES:
        for item in world.items(table):
            yield (
                f"{table} {item.get('pk')} {item.get('sk')}",
                json.dumps(item, default=str).lower(),
            )
    for queue in QUEUES:
        for one in world.take(queue):
            yield queue, one.lower()
    for bucket in BUCKETS:
        for key, content in world.stack.objects(bucket).items():
            yield f"{bucket}/{key}", content.decode(errors="replace").lower()


def secrets_of(world: World) -> frozenset[str]:
    """The secrets that are there by now."""
    texts = (str(world.stack.kept_secret(name)) for name in ("SigningSecrets", "EndpointSecrets"))
    return frozenset(one for text in texts for one in _SECRET.findall(text))


def kept_by_people(world: World, known: frozenset[str]) -> Kept:
    """What has to be as if the two came one after the other: what people keep, and what was
    reported. Secrets that were made meanwhile have one name."""
    stack = world.stack

    def plain(value: Any) -> Any:
        text = json.dumps(value, sort_keys=True, default=str)
        text = _SECRET.sub(lambda found: found[0] if found[0] in known else "<new>", text)
        return _INSTANT.sub("<instant>", text)

    notices = world.items("NoticesTable")
    subscriptions = {
        one["sk"]: {k: v for k, v in one.items() if k not in _OF_CALLS}
        for one in notices
        if one["pk"] == "subscriptions"
    }
    settings = aws("ssm").get_parameters_by_path(Path=CONNECTIONS_PATH)["Parameters"]
    found = {
        "signing secrets": stack.kept_secret("SigningSecrets"),
        "endpoint secrets": stack.kept_secret("EndpointSecrets"),
        "credentials": stack.kept_secret("ApiCredentials"),
        "subscriptions": subscriptions,
        "connections": {one["Name"]: one["Value"] for one in settings},
        "polls": _schedules(stack.resources["PollSchedules"]),
        "planned": [
            _schedules(stack.resources["ActionSchedules"]),
            # What comes twice under one idempotency key is done once.
            sorted(
                {
                    f"{method} {url} {key}"
                    for method, url, key in world.calls.seen.requests
                    if method != "GET" and "spirii" in url
                }
            ),
        ],
        "timelines": _timelines(world),
        "suppressed": sorted(one["pk"] for one in notices if one["pk"].startswith("suppress")),
        "tracking": sorted(one["pk"] for one in notices if one["pk"].startswith("tracking#")),
        "views": sorted(str(sorted(one.items())) for one in world.items("ViewsTable")),
        "batches": sorted(
            str(one["state"]) for one in world.items("BatchesTable") if "state" in one
        ),
    }
    return {name: plain(one) for name, one in found.items()}


def _timelines(world: World) -> dict[str, list[str]]:
    """What was reported of each order, whichever way it came first, and what people did with it."""
    orders = [tracked_order(item) for item in world.items("OrdersTable")]
    return {
        str(one.order.key): sorted(
            {
                f"{entry.report.raw_status} {entry.report.details.get('action', '')}"
                for entry in one.order.timeline
                if one.erased_at is None
            }
        )
        for one in orders
    }


_OF_CALLS: Final = ("failing_since", "not_before", "switching_off_until", "version")


def _schedules(group: str) -> list[str]:
    return sorted(
        one["Name"] for one in aws("scheduler").list_schedules(GroupName=group)["Schedules"]
    )
