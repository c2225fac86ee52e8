"""Suppressions in NoticesTable: addresses to which no mail may be sent."""

from datetime import datetime
from typing import TYPE_CHECKING

from milepost.aws.dynamodb_items import to_item
from milepost.aws.notices_keys import address_partition, suppression_key, suppression_sort_key
from milepost.common.email_addresses import address_hash, former_hashes
from milepost.common.timestamps import format_instant, sortable
from milepost.notifications.aws.list_keys import suppression_listing
from milepost.notifications.aws.subscriptions import LIFT_KNOWN_FOR, logger
from milepost.notifications.notice import Audience

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class SuppressionsTable:
    """Implements ``eligibility_facts.Suppressions``. The key is a hash, so that no key contains an
    address."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def reason(self, address: str, *, audience: Audience) -> str | None:
        """Why no mail may be sent to this address, for all audiences or for this one; None if it
        may."""
        reasons = dict[str, str]()
        for key in all_suppressions_of(address):
            answer = self._client.query(
                TableName=self._table,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_item({":pk": key}),
            )
            for item in answer["Items"]:
                if "reason" not in item:
                    continue  # It was lifted.
                reasons.setdefault(item["sk"]["S"], item["reason"]["S"])
        return reasons.get(suppression_sort_key(None)) or reasons.get(
            suppression_sort_key(audience)
        )

    def suppress(
        self, address: str, *, reason: str, at: datetime, audience: Audience | None = None
    ) -> None:
        """Stop mails to an address: for one audience, or for all if none is named.

        :param at: the time of the reason. A time before a person lifted the suppression changes
            nothing, since events may be late or repeated
        """
        nobody_lifted_it_since = "attribute_not_exists(lifted_at) OR lifted_at < :at"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        **suppression_key(address_hash(address), audience),
                        "reason": reason,
                        "suppressed_at": format_instant(at),
                        "address": address,
                        **suppression_listing(address_hash(address), at=at),
                    }
                ),
                ConditionExpression=nobody_lifted_it_since,
                ExpressionAttributeValues=to_item({":at": sortable(at)}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            logger.info("a reason from before the suppression was lifted is ignored")

    def lift(self, address: str, *, at: datetime, audience: Audience = Audience.TEAM) -> None:
        """Allow mails to this audience again, because a person says that the address works.

        Suppressions of other audiences, which may have unsubscribed, are not changed. The time is
        stored, so that late events from before it are ignored.
        """
        for suppressed_for in (None, audience):
            for former in former_hashes(address):
                key = to_item(suppression_key(former, suppressed_for))
                self._client.delete_item(TableName=self._table, Key=key)
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        **suppression_key(address_hash(address), suppressed_for),
                        "lifted_at": sortable(at),
                        "expires_at": int((at + LIFT_KNOWN_FOR).timestamp()),
                    }
                ),
            )


def all_suppressions_of(address: str) -> tuple[str, ...]:
    """All partitions of an address, including those of earlier versions; nearly always one."""
    return tuple(map(address_partition, (address_hash(address), *former_hashes(address))))
