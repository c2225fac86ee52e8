"""Places of an erasure in NoticesTable: the delivery log, held notices, subscriptions."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import AWS_FAILED, item_in_the_way, name_of
from milepost.aws.notices_keys import (
    DUE,
    batch_partition,
    is_held_or_due,
    is_of_delivery_log,
    is_suppression,
    order_partition,
)
from milepost.common.errors import BadPayload
from milepost.common.timestamps import format_instant, parse_instant
from milepost.notifications.aws.list_keys import notice_listing
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.notice import (
    BROADCAST,
    ERASED_RECIPIENT,
    Audience,
    Channel,
    NoticeId,
    State,
)
from milepost.notifications.subscription import FROM_FILE
from milepost.operations.erasure.judged_text import judge_raw
from milepost.operations.erasure.place import Budget, Left, PlaceNotRead, Swept
from milepost.operations.erasure.subject import BESIDE_OTHERS, Subject, Verdict
from milepost.orders.order import OrderKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ORDER_ERASED: Final = "the order was erased"
RECIPIENT_ERASED: Final = "the recipient was erased"
_REASON_ERASED: Final = "its reason was erased"
_TIMES: Final = tuple(f"{state}_at" for state in State)

Item = Mapping[str, Any]


class NoticesOfCustomers:
    """Implements ``place.Place``: addresses in the delivery log, and mails that are held.

    Notices to the team stay, since they name nobody else. First the entries of the customer's
    orders are read by key, then the whole table, since a notice of any order may have been sent to
    one of the customer's addresses.
    """

    name = "notices"

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table_name: str,
        clock: Callable[[], datetime],
        budget: Budget,
    ) -> None:
        self._client = client
        self._table = table_name
        self._clock = clock
        self._budget = budget

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        removed: dict[str, None] = {}
        is_whole = True
        try:
            for item in self._items(subject):
                if item is None:
                    is_whole = False
                elif self._is_to_erase(item, subject):
                    removed[item.get("id") or f"{item['pk']} {item['sk']}"] = None
                    if not dry_run:
                        self._erase(item, subject)
        except AWS_FAILED as error:
            raise PlaceNotRead(f"the delivery log can't be read now ({name_of(error)})") from None
        return Swept(removed=list(removed), is_whole=is_whole)

    def _items(self, subject: Subject) -> Iterator[Item | None]:
        """The entries of the customer's orders and their held notices, then all entries; None at
        the end if there was not enough time."""
        hashes = set[str]()
        for connection, order_id in sorted(subject.groups):
            for entry in self._query(order_partition(connection, order_id)):
                hashes |= {NoticeId.parse(entry["id"]).recipient_hash} if "id" in entry else set()
                yield entry
        for due in self._query(DUE):
            yield due
            batch = _message(due).get("batch") or {"recipient_digest": ""}
            if batch["recipient_digest"].partition("-")[0] in hashes:
                yield from self._query(batch_partition(batch["recipient_digest"], batch["due_at"]))
        pages = self._client.get_paginator("scan").paginate(TableName=self._table)
        for page in pages:
            yield from map(from_item, page["Items"])
            if "LastEvaluatedKey" in page and not self._budget.has_time():
                yield None
                return

    def _is_to_erase(self, item: Item, subject: Subject) -> bool:
        who = subject.as_of(_time_of(item))
        if is_of_delivery_log(item) and "id" in item:
            return _names_recipient(item, subject, who) or _quotes(item, who)
        if is_held_or_due(item):
            message = _message(item)
            return bool(message) and _is_for(message, subject, who)
        return is_suppression(item) and (_is_suppressed(item, subject) or _quotes(item, subject))

    def _erase(self, item: Item, subject: Subject) -> None:
        if is_of_delivery_log(item):
            self._erase_entry(item, subject)
        elif is_suppression(item):
            self._erase_suppression(item, subject)
        else:
            key = to_item({"pk": item["pk"], "sk": item["sk"]})
            self._client.delete_item(TableName=self._table, Key=key)

    def _erase_entry(self, entry: Item, subject: Subject) -> None:
        """Remove the recipient, if it is the customer, and the mail server's message."""
        sets, removes, values = list[str](), list[str](), dict[str, Any]()
        reason = None
        if _names_recipient(entry, subject, subject.as_of(_time_of(entry))):
            sets.append("recipient = :erased")
            removes += ["claimed_until", "claimed_by"]
            values[":erased"] = ERASED_RECIPIENT
            if entry["state"] == State.QUEUED:
                # The mail is not rendered yet: the sender then finds no queued notice.
                sets += ["#state = :skipped", "skipped_at = :at"]
                is_theirs = _group_of(entry) in subject.groups
                reason = ORDER_ERASED if is_theirs else RECIPIENT_ERASED
                values |= {":skipped": str(State.SKIPPED), ":at": format_instant(self._clock())}
                digest = NoticeId.parse(entry["id"]).recipient_hash
                listed = notice_listing(State.SKIPPED, digest, at=self._clock())
                sets += [f"{name} = :{name}" for name in listed]
                values |= {f":{name}": value for name, value in listed.items()}
        if reason:
            sets.append("reason = :reason")
            values[":reason"] = reason
        elif entry["state"] != State.SKIPPED or _quotes(entry, subject):
            # A mail server's message may quote the address.
            removes.append("reason")
        update = f"SET {', '.join(sets)} " if sets else ""
        update += f"REMOVE {', '.join(removes)}" if removes else ""
        it_is_as_we_read_it = "#state = :state"
        try:
            self._update(
                entry,
                update,
                {**values, ":state": entry["state"]},
                condition=it_is_as_we_read_it,
                names={"#state": "state"},
            )
        except ClientError as error:
            there = from_item(item_in_the_way(error))
            if there and self._is_to_erase(there, subject):
                self._erase_entry(there, subject)

    def _erase_suppression(self, item: Item, subject: Subject) -> None:
        """Remove the address; the suppression stays in effect, by the hash of the address."""
        reason = _REASON_ERASED if _quotes(item, subject) else item.get("reason")
        self._update(item, "SET reason = :reason REMOVE address", {":reason": reason})

    def _update(self, item: Item, update: str, values: Item, **more: Any) -> None:
        options = {}
        if "condition" in more:
            options = {
                "ConditionExpression": more["condition"],
                "ExpressionAttributeNames": more["names"],
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        self._client.update_item(
            TableName=self._table,
            Key=to_item({"pk": item["pk"], "sk": item["sk"]}),
            UpdateExpression=update,
            ExpressionAttributeValues=to_item(values),
            **options,
        )

    def _query(self, pk: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": pk}),
        )
        return [from_item(item) for page in pages for item in page["Items"]]


class SubscriptionsOfCustomers:
    """Implements ``place.Place``: subscriptions made for the customer's own address."""

    name = "subscriptions"

    def __init__(self, subscriptions: SubscriptionsTable) -> None:
        self._subscriptions = subscriptions

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        if subject.until is not None:
            # Subscriptions are never in transit: a new one was made by a customer who came back.
            return Swept()
        removed, left = list[str](), list[Left]()
        try:
            for one in self._subscriptions.all():
                is_theirs = one.channel is Channel.EMAIL and subject.owns_email(one.recipient)
                owner_is_theirs = one.owner is not None and subject.owns_email(one.owner)
                if is_theirs or owner_is_theirs:
                    removed.append(one.id)
                    left += _in_the_file(one.id, one.source)
                elif _names_them(one.recipient, subject):
                    why = "its endpoint's URL names them"
                    left.append(Left(place=self.name, where=one.id, why=why))
                if is_theirs and not dry_run:
                    self._subscriptions.delete(one.id)
                elif owner_is_theirs and not dry_run:
                    self._subscriptions.change(replace(one, owner=None), instead_of=one)
        except AWS_FAILED as error:
            raise PlaceNotRead(f"the subscriptions can't be read now ({name_of(error)})") from None
        return Swept(removed=removed, left=left)


def _in_the_file(subscription_id: str, source: str | None) -> Iterable[Left]:
    if source == FROM_FILE:
        why = "it is in connections.yaml: remove it there, or the next apply restores it"
        yield Left(place=SubscriptionsOfCustomers.name, where=subscription_id, why=why)


def _names_recipient(entry: Item, subject: Subject, who: Subject) -> bool:
    """Whether an entry of the log contains one of the customer's addresses."""
    recipient = entry.get("recipient")
    if recipient in (None, ERASED_RECIPIENT):
        return False
    if entry.get("channel") in BROADCAST:
        return False
    is_their_order = _group_of(entry) in subject.groups
    if entry.get("audience") == Audience.CUSTOMER and is_their_order:
        return True
    return who.owns_email(recipient)


def _is_suppressed(item: Item, subject: Subject) -> bool:
    """Whether a suppression contains one of the customer's addresses."""
    return "address" in item and subject.owns_email(item["address"])


def _is_for(message: Item, subject: Subject, who: Subject) -> bool:
    """Whether a held message goes to the customer."""
    group = (message.get("connection", ""), message.get("order_id", ""))
    if message.get("audience") == Audience.CUSTOMER and group in subject.groups:
        return True
    return who.owns_email(message.get("recipient", ""))


def _quotes(item: Item, subject: Subject) -> bool:
    """Whether the reason of an entry quotes one of the customer's addresses, as mail servers often
    do.
    """
    is_their_order = "id" in item and _group_of(item) in subject.groups
    return _names_them(item.get("reason") or "", subject, hints=is_their_order)


def _names_them(text: str, subject: Subject, *, hints: bool = False) -> bool:
    if text in (ORDER_ERASED, RECIPIENT_ERASED, _REASON_ERASED):
        return False
    if not (hints or any(sign in text for sign in "@%=&\\")):
        return False
    found = judge_raw(text.encode(), subject, connection=None)
    return (
        found.verdict is Verdict.THEIRS
        or found is BESIDE_OTHERS
        or (hints and found.verdict is Verdict.UNSURE)
    )


def _group_of(entry: Item) -> tuple[str, str]:
    key: OrderKey = NoticeId.parse(entry["id"]).key
    return key.connection, key.order_id


def _message(item: Item) -> dict[str, Any]:
    try:
        found = json.loads(item.get("message", "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _time_of(item: Item) -> datetime | None:
    """When the entry was made; None if it has no time."""
    times = [item[name] for name in _TIMES if name in item]
    try:
        return min(map(parse_instant, times)) if times else None
    except BadPayload:
        return None
