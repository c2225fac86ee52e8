"""NoticesTable's suppressions: addresses that no mail may be sent to."""

from datetime import datetime
from typing import TYPE_CHECKING

from milepost.aws.dynamodb_items import to_item
from milepost.common.email_addresses import address_hash, former_digests
from milepost.common.timestamps import format_instant, sortable
from milepost.notifications.aws.list_keys import suppression_listing
from milepost.notifications.aws.subscriptions import LIFT_KNOWN_FOR, logger
from milepost.notifications.notice import Audience

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class SuppressionsTable:
    """Implements ``eligibility_check.Suppressions``; keyed by a digest, so that no key holds an
    address."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def reason(self, address: str, *, audience: Audience) -> str | None:
        """Why nothing may be sent to this address, for everybody or for this audience."""
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
        return reasons.get("suppressed") or reasons.get(f"suppressed#{audience}")

    def suppress(
        self, address: str, *, reason: str, at: datetime, audience: Audience | None = None
    ) -> None:
        """Send nothing more there: for one audience, or for all when none is named.

        :param at: when the reason for it came about. One of before a person lifted the suppression
            changes nothing: events come again, and late
        """
        nobody_lifted_it_since = "attribute_not_exists(lifted_at) OR lifted_at < :at"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        "pk": _suppressions_of(address),
                        "sk": f"suppressed#{audience}" if audience else "suppressed",
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
            logger.info("a reason of before the suppression was lifted suppresses nothing")

    def lift(self, address: str, *, at: datetime, audience: Audience = Audience.TEAM) -> None:
        """Let mails go there again to this audience, because a person says that the address works.

        Whoever unsubscribed there as another audience has not been asked. When it was lifted stays
        known, for events of before that come later.
        """
        for sk in ("suppressed", f"suppressed#{audience}"):
            for former in all_suppressions_of(address)[1:]:
                key = to_item({"pk": former, "sk": sk})
                self._client.delete_item(TableName=self._table, Key=key)
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        "pk": _suppressions_of(address),
                        "sk": sk,
                        "lifted_at": sortable(at),
                        "expires_at": int((at + LIFT_KNOWN_FOR).timestamp()),
                    }
                ),
            )


def _suppressions_of(address: str) -> str:
    return f"address#{address_hash(address)}"


def all_suppressions_of(address: str) -> tuple[str, ...]:
    """With those keys under which earlier versions may have written; nearly always one key."""
    former = (f"address#{digest}" for digest in former_digests(address))
    return (_suppressions_of(address), *former)
