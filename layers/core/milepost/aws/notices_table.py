"""NoticesTable: the delivery log and the subscriptions."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from milepost.aws.items import from_item, to_item
from milepost.notices import DEFAULT_KINDS, Channel, Notice, State, Subscription
from milepost.order import OrderKey
from milepost.report import format_instant
from milepost.sending import AlreadyClaimed

KEEP: Final = timedelta(days=400)
"""How long the log keeps a notice: over a year, so that a complaint can be answered."""
SUBSCRIPTIONS: Final = "subscriptions"


class NoticesTable:
    """Implements ``notices.DeliveryLog``, ``notices.Subscriptions`` and ``sending.Claims``."""

    def __init__(self, client: Any, *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def all(self) -> Iterable[Subscription]:
        """Every subscription."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": SUBSCRIPTIONS}),
        )
        return [subscription_of(from_item(item)) for page in pages for item in page["Items"]]

    def enter(self, notice: Notice, *, at: datetime) -> State:
        it_is_not_there = "attribute_not_exists(pk)"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(notice_item(notice, at=at)),
                ConditionExpression=it_is_not_there,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return State(from_item(_item_in_the_way(error))["state"])
        return State.QUEUED

    def claim(self, notice: Notice, *, at: datetime, until: datetime) -> bool:
        it_waits_to_be_sent = "#state = :queued"
        nobody_claims_it = "(attribute_not_exists(claimed_until) OR claimed_until < :now)"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(notice_key(notice)),
                UpdateExpression="SET claimed_until = :until",
                ConditionExpression=f"{it_waits_to_be_sent} AND {nobody_claims_it}",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_item(
                    {
                        ":queued": str(State.QUEUED),
                        ":now": format_instant(at),
                        ":until": format_instant(until),
                    }
                ),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            old = from_item(_item_in_the_way(error))
            if old.get("state") == State.QUEUED:
                raise AlreadyClaimed(notice.id) from None
            return False
        return True

    def release(self, notice: Notice) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=to_item(notice_key(notice)),
            UpdateExpression="REMOVE claimed_until",
        )

    def mark_sent(self, notice: Notice, *, message_id: str, at: datetime) -> None:
        self._set(notice, state=State.SENT, at=at, message_id=message_id)

    def close(self, notice: Notice, *, state: State, reason: str, at: datetime) -> None:
        self._set(notice, state=state, at=at, reason=reason)

    def _set(self, notice: Notice, *, state: State, at: datetime, **more: str) -> None:
        values = {f"{state}_at": format_instant(at), **more}
        sets = ", ".join(f"{name} = :{name}" for name in values)
        self._client.update_item(
            TableName=self._table,
            Key=to_item(notice_key(notice)),
            UpdateExpression=f"SET #state = :state, {sets} REMOVE claimed_until",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=to_item(
                {":state": str(state), **{f":{name}": value for name, value in values.items()}}
            ),
        )


def _item_in_the_way(error: ClientError) -> Mapping[str, Any]:
    """The item that a condition met; an error of any other kind goes on."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    item: Mapping[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
    return item


def notice_key(notice: Notice) -> dict[str, str]:
    """Notices of one provider order stand together, in the order in which they were announced."""
    return {
        "pk": notices_of(notice.key),
        "sk": f"notice#{notice.key.item_id}#{notice.announcement.sequence:06d}"
        f"#{notice.channel}#{notice.recipient_digest}",
    }


def notices_of(key: OrderKey) -> str:
    """The partition of an order's notices."""
    return f"order#{key.connection}#{key.order_id}"


def notice_item(notice: Notice, *, at: datetime) -> dict[str, Any]:
    """A notice as it enters the log."""
    return {
        **notice_key(notice),
        "id": notice.id,
        "kind": str(notice.announcement.kind),
        "channel": str(notice.channel),
        "recipient": notice.recipient,
        "language": notice.language if notice.channel is Channel.EMAIL else None,
        "subscription": notice.subscription,
        "state": str(State.QUEUED),
        "queued_at": format_instant(at),
        "occurred_at": format_instant(notice.announcement.occurred_at),
        "expires_at": int((at + KEEP).timestamp()),
    }


def subscription_item(subscription: Subscription) -> dict[str, Any]:
    """A subscription as the table keeps it."""
    return {
        "pk": SUBSCRIPTIONS,
        "sk": subscription.id,
        "email": subscription.email,
        "kinds": sorted(subscription.kinds),
        "connections": sorted(subscription.connections) or None,
        "service_types": sorted(subscription.service_types) or None,
        "language": subscription.language,
    }


def subscription_of(item: Mapping[str, Any]) -> Subscription:
    """The subscription of an item."""
    return Subscription(
        id=item["sk"],
        email=item["email"],
        kinds=frozenset(item.get("kinds", DEFAULT_KINDS)),
        connections=frozenset(item.get("connections", ())),
        service_types=frozenset(item.get("service_types", ())),
        language=item.get("language", "en"),
    )
