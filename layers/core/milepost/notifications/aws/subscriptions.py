"""Subscriptions in NoticesTable."""

import logging
from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.notices_keys import SUBSCRIPTIONS, subscription_key
from milepost.common.email_addresses import address_hash
from milepost.notifications.notice import DEFAULT_KINDS, Channel
from milepost.notifications.subscription import Mode, QuietHours, Subscription

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

LIFT_KNOWN_FOR: Final = timedelta(days=60)
"""How long the time is kept at which a suppression was lifted: events wait in queues for up to 14
days, and as dead letters for 14 more."""
_NOT_SAID: Final = frozenset({"pk", "sk", "ended"})


class SubscriptionsTable:
    """All subscriptions, in one partition, since each announcement reads all of them."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def all(self) -> Sequence[Subscription]:
        """All readable subscriptions, also those that have ended."""
        return self.read_each()[0]

    def read_each(self, *, consistent: bool = False) -> tuple[list[Subscription], list[str]]:
        """All readable subscriptions, and the ids of those that can't be read.

        :param consistent: for a conclusion from what is missing, at twice the price
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": SUBSCRIPTIONS}),
            ConsistentRead=consistent,
        )
        items = [from_item(item) for page in pages for item in page["Items"]]
        found = {item["sk"]: _subscription_or_none(item) for item in items}
        unreadable = [name for name, one in found.items() if one is None]
        for name in unreadable:
            logger.error("the subscription %s can't be read, and nobody is notified by it", name)
        return [one for one in found.values() if one is not None], unreadable

    def get(self, subscription_id: str) -> Subscription | None:
        """The subscription; None only after a consistent read."""
        answer = self._client.get_item(
            TableName=self._table, Key=_key(subscription_id), ConsistentRead=True
        )
        item = answer.get("Item")
        return subscription_of(from_item(item)) if item else None

    def put(self, subscription: Subscription) -> None:
        """Store the settings. The item's end and failures are not changed, since they may have been
        written after the caller's read."""
        self._client.update_item(TableName=self._table, **_saying(subscription))

    def change(self, subscription: Subscription, *, instead_of: Subscription) -> bool:
        """Store the settings in place of the version that was read; False if that was deleted or
        has another recipient now: a deleted subscription isn't created again."""
        update = _saying(subscription)
        of_the_same = "recipient = :read_recipient"
        declared_where = (
            "#source = :read_source" if instead_of.source else "attribute_not_exists(#source)"
        )
        read = {":read_recipient": instead_of.recipient, ":read_source": instead_of.source}
        update["ExpressionAttributeNames"]["#source"] = "source"
        update["ExpressionAttributeValues"] |= to_item(read)
        try:
            self._client.update_item(
                TableName=self._table,
                ConditionExpression=f"{of_the_same} AND {declared_where}",
                **update,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def resume(self, subscription_id: str, *, ended: str | None) -> bool:
        """Reactivate a subscription and reset its failures; False if it is gone or has ended for
        another reason since.

        :param ended: why it had ended when it was read; its recipient may have unsubscribed since
        """
        it_is_there = "attribute_exists(pk)"
        as_it_was_read = "ended = :ended" if ended else "attribute_not_exists(ended)"
        values: dict[str, Any] = (
            {"ExpressionAttributeValues": to_item({":ended": ended})} if ended else {}
        )
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(subscription_id),
                UpdateExpression="REMOVE ended, failing_since, not_before, paused_url,"
                " switching_off_until, switching_off_by",
                ConditionExpression=f"{it_is_there} AND {as_it_was_read}",
                **values,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def delete(self, subscription_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=_key(subscription_id))

    def end_all_of(self, subscription_id: str, *, reason: str) -> None:
        """End this subscription and all others of its recipient: unsubscribing ends all of them."""
        subscription = self.get(subscription_id)
        if subscription is not None:
            self.end_all_at(address_hash(subscription.recipient), reason=reason)

    def end_all_at(self, digest: str, *, reason: str) -> None:
        """End every subscription of the recipient whose address has this hash."""
        for one in self.all():
            if address_hash(one.recipient) == digest:
                self.end(one.id, reason=reason)

    def end(self, subscription_id: str, *, reason: str) -> None:
        """End a subscription with a reason as text; one that is deleted or has ended isn't
        changed."""
        is_active = "attribute_exists(pk) AND attribute_not_exists(ended)"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(subscription_id),
                UpdateExpression="SET ended = :reason",
                ConditionExpression=is_active,
                ExpressionAttributeValues=to_item({":reason": reason}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return


def _saying(subscription: Subscription) -> dict[str, Any]:
    """The update that stores a subscription's settings in its item."""
    item = subscription_item(subscription)
    said = {name: value for name, value in item.items() if name not in _NOT_SAID}
    sets = [f"#{name} = :{name}" for name, value in said.items() if value is not None]
    removes = [f"#{name}" for name, value in said.items() if value is None]
    if subscription.ended is not None:
        said["ended"] = subscription.ended
        sets.append("#ended = :ended")
    return {
        "Key": _key(subscription.id),
        "UpdateExpression": f"SET {', '.join(sets)}"
        + (f" REMOVE {', '.join(removes)}" if removes else ""),
        "ExpressionAttributeNames": {f"#{name}": name for name in said},
        "ExpressionAttributeValues": to_item({f":{name}": v for name, v in said.items()}),
    }


def _key(subscription_id: str) -> dict[str, Any]:
    return to_item(subscription_key(subscription_id))


def subscription_item(subscription: Subscription) -> dict[str, Any]:
    """The item of a subscription."""
    quiet = subscription.quiet_hours
    return {
        **subscription_key(subscription.id),
        "channel": str(subscription.channel),
        "recipient": subscription.recipient,
        "kinds": sorted(subscription.kinds),
        "connections": sorted(subscription.connections) or None,
        "service_types": sorted(subscription.service_types) or None,
        "language": subscription.language,
        "time_zone": subscription.time_zone,
        "mode": str(subscription.mode),
        "daily_at": f"{subscription.daily_at:%H:%M}",
        "quiet_hours": {
            "start": f"{quiet.start:%H:%M}",
            "end": f"{quiet.end:%H:%M}",
            "passing": sorted(quiet.passing),
        }
        if quiet
        else None,
        "owner": subscription.owner,
        "customer_names": subscription.customer_names or None,
        "source": subscription.source,
        "ended": subscription.ended,
    }


def _subscription_or_none(item: Mapping[str, Any]) -> Subscription | None:
    try:
        found = subscription_of(item)
        ZoneInfo(found.time_zone)
    except (ValueError, TypeError, LookupError, AttributeError, OSError):
        return None
    return found


def _texts(value: object) -> frozenset[str]:
    """:raises TypeError: when the value isn't a list of texts, for example a single text"""
    if not isinstance(value, list | tuple | frozenset) or not all(
        isinstance(one, str) for one in value
    ):
        raise TypeError
    return frozenset(value)


def subscription_of(item: Mapping[str, Any]) -> Subscription:
    """The subscription of an item."""
    quiet = item.get("quiet_hours")
    return Subscription(
        id=item["sk"],
        channel=Channel(item.get("channel", Channel.EMAIL)),
        recipient=item["recipient"],
        # An earlier version stored an empty list, and then sent nothing.
        kinds=_texts(item.get("kinds") or DEFAULT_KINDS),
        connections=_texts(item.get("connections", ())),
        service_types=_texts(item.get("service_types", ())),
        language=item.get("language", "en"),
        time_zone=item.get("time_zone", "Europe/Berlin"),
        mode=Mode(item.get("mode", Mode.AT_ONCE)),
        daily_at=time.fromisoformat(item.get("daily_at", "08:00")),
        quiet_hours=QuietHours(
            start=time.fromisoformat(quiet["start"]),
            end=time.fromisoformat(quiet["end"]),
            passing=_texts(quiet["passing"]),
        )
        if quiet
        else None,
        owner=item.get("owner"),
        customer_names=item.get("customer_names") is True,
        source=item.get("source"),
        ended=item.get("ended"),
    )
