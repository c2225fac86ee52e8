"""What stands behind unsubscribe links: the key that signs them, and where mails are ended."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from milepost.aws.items import to_item
from milepost.aws.subscriptions_table import SubscriptionsTable
from milepost.notices import Audience
from milepost.report import format_instant
from milepost.unsubscribing import NoLinkKey

KEEP_SECONDS: Final = 300
_VERSIONS: Final = ("AWSCURRENT", "AWSPREVIOUS")


class LinkKeysStore:
    """Implements ``unsubscribing.LinkKeys`` by one secret, read at most every 5 minutes.

    The version before the current one counts too, so that a rotation breaks no link in mails
    that were sent shortly before.
    """

    def __init__(self, client: Any, *, secret_id: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._known: tuple[bytes, ...] = ()
        self._read_at = float("-inf")

    def keys(self) -> Sequence[bytes]:
        if self._clock() - self._read_at > KEEP_SECONDS:
            found = [self._read(version) for version in _VERSIONS]
            self._known = tuple(key for key in found if key)
            self._read_at = self._clock()
        return self._known

    def _read(self, version: str) -> bytes | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=version)
            key: bytes = answer["SecretString"].encode()
        except (BotoCoreError, ClientError, KeyError) as error:
            if version == "AWSPREVIOUS" and _is_missing(error):
                return None
            # What was read before may have been revoked since: fail closed.
            self._known = ()
            self._read_at = float("-inf")
            raise NoLinkKey("the secret that signs unsubscribe links can't be read") from None
        if not key:
            raise NoLinkKey("the secret that signs unsubscribe links is empty")
        return key


def _is_missing(error: Exception) -> bool:
    return (
        isinstance(error, ClientError)
        and error.response["Error"]["Code"] == "ResourceNotFoundException"
    )


class EndingsTable:
    """Implements ``unsubscribing.Endings`` by NoticesTable."""

    def __init__(self, client: Any, *, table_name: str) -> None:
        self._client = client
        self._table = table_name
        self._subscriptions = SubscriptionsTable(client, table_name=table_name)

    def end_subscription(self, subscription_id: str, *, reason: str) -> None:
        self._subscriptions.end_all_of(subscription_id, reason=reason)

    def suppress_customer(self, digest: str, *, reason: str, at: datetime) -> None:
        """Suppress an address for its customer; it stays with the reason of the first time."""
        it_is_not_there = "attribute_not_exists(pk)"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        "pk": f"address#{digest}",
                        "sk": f"suppressed#{Audience.CUSTOMER}",
                        "reason": reason,
                        "suppressed_at": format_instant(at),
                    }
                ),
                ConditionExpression=it_is_not_there,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return
