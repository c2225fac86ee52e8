"""Subscriptions as endpoints: how long one has been failing, its secret, and its owner's mail."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

from botocore.exceptions import ClientError

from milepost.aws.cached_reader import CachedReader
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.aws.notices_keys import subscription_key
from milepost.aws.ses_mails import send_mail
from milepost.aws.shared_secret import read_entries
from milepost.common.email_addresses import BadAddress, ascii_address
from milepost.common.timestamps import format_instant, parse_instant, sortable
from milepost.notifications.aws.subscriptions import subscription_of
from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.endpoints.owner_mail import switched_off_mail
from milepost.notifications.endpoints.secret_rotation import live_secrets
from milepost.notifications.notice import Audience

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client

REFRESH_SECONDS: Final = 30
"""How soon the secrets are read again for an unknown subscription."""

_IS_ACTIVE: Final = "attribute_exists(pk) AND attribute_not_exists(ended)"
_IT_HAS_THIS_URL: Final = "recipient = :url"
"""A call takes seconds, in which the subscription may get another URL: what the call shows is about
the URL that was called."""


class EndpointsTable:
    """Implements ``switching_off.Endpoints`` on the subscriptions of NoticesTable."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def get(self, subscription_id: str) -> Endpoint | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key=to_item(subscription_key(subscription_id)),
            ConsistentRead=True,
        )
        if "Item" not in answer:
            return None
        item = from_item(answer["Item"])
        subscription = subscription_of(item)
        since = item.get("failing_since")
        # What the URL before it has asked for doesn't hold for another one.
        not_before = item.get("not_before") if item.get("paused_url") == item["recipient"] else None
        return Endpoint(
            subscription=subscription.id,
            url=subscription.recipient,
            owner=subscription.owner,
            ended=subscription.ended,
            failing_since=parse_instant(since) if since else None,
            not_before=parse_instant(not_before) if not_before else None,
        )

    def failed(
        self, endpoint: Endpoint, *, at: datetime, not_before: datetime | None = None
    ) -> datetime | None:
        update = "SET failing_since = if_not_exists(failing_since, :at)"
        values = {":at": format_instant(at), ":url": endpoint.url}
        if not_before is not None:
            update += ", not_before = :not_before, paused_url = :url"
            values[":not_before"] = format_instant(not_before)
        answer = self._update(endpoint, update, f"{_IS_ACTIVE} AND {_IT_HAS_THIS_URL}", values)
        return parse_instant(answer["failing_since"]) if answer else None

    def worked(self, endpoint: Endpoint) -> None:
        since = endpoint.failing_since
        if since is None:
            # Another call may have failed while this one was under way. A read costs a tenth of a
            # write, and nearly always there is nothing to write.
            now_there = self.get(endpoint.subscription)
            since = None if now_there is None else now_there.failing_since
        if since is None:
            return
        it_has_failed_since_then = "failing_since = :since"
        self._update(
            endpoint,
            "REMOVE failing_since, not_before, paused_url, switching_off_until, switching_off_by",
            f"{it_has_failed_since_then} AND {_IT_HAS_THIS_URL}",
            {":since": format_instant(since), ":url": endpoint.url},
        )

    def claim_switching_off(
        self, endpoint: Endpoint, *, failing_since: datetime, at: datetime, until: datetime
    ) -> str | None:
        token = uuid4().hex
        it_has_not_worked_since = "failing_since = :since"
        nobody_claims_it = (
            "(attribute_not_exists(switching_off_until) OR switching_off_until < :now)"
        )
        answer = self._update(
            endpoint,
            "SET switching_off_until = :until, switching_off_by = :token",
            f"{_IS_ACTIVE} AND {_IT_HAS_THIS_URL}"
            f" AND {it_has_not_worked_since} AND {nobody_claims_it}",
            {
                ":since": format_instant(failing_since),
                ":now": sortable(at),
                ":until": sortable(until),
                ":token": token,
                ":url": endpoint.url,
            },
        )
        return token if answer is not None else None

    def switch_off(self, endpoint: Endpoint, *, reason: str, claim: str) -> bool:
        # A recorded success, or a person who resumes it, removes the claim.
        the_claim_holds = "switching_off_by = :claim"
        answer = self._update(
            endpoint,
            "SET ended = :reason REMOVE switching_off_until, switching_off_by",
            f"{_IS_ACTIVE} AND {_IT_HAS_THIS_URL} AND {the_claim_holds}",
            {":reason": reason, ":claim": claim, ":url": endpoint.url},
        )
        return answer is not None

    def _update(
        self, endpoint: Endpoint, update: str, condition: str, values: Mapping[str, str]
    ) -> dict[str, Any] | None:
        """The updated item; None if the condition isn't met."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=to_item(subscription_key(endpoint.subscription)),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            item_in_the_way(error)
            return None
        return from_item(answer["Attributes"])


class EndpointSecretsStore:
    """Implements ``delivery.EndpointSecrets``: one secret that holds each subscription's entry."""

    def __init__(
        self, client: "SecretsManagerClient", *, secret_id: str, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._entries = CachedReader(self._read, clock=clock)

    def active(self, subscription_id: str, *, now: datetime) -> Sequence[str]:
        """The subscription's secrets, as they were at most 5 minutes ago; none if it has none."""
        entries = self._entries.get()
        if subscription_id not in entries:
            # An unknown subscription may have been made a moment ago.
            entries = self._entries.get(keep_seconds=REFRESH_SECONDS)
        return live_secrets(entries.get(subscription_id), now=now)

    def _read(self) -> Mapping[str, object]:
        answer = self._client.get_secret_value(SecretId=self._secret_id)
        return read_entries(answer.get("SecretString", ""))


class Suppressions(Protocol):
    def reason(self, address: str, *, audience: Audience) -> str | None: ...


class EndpointOwners:
    """Implements ``switching_off.Owners`` by SES.

    What becomes of the mail is published through the configuration set, as of every other one, so
    that an owner's address that bounces is known from then on.
    """

    def __init__(
        self,
        make_client: "Callable[[], SESV2Client]",
        *,
        sender: str,
        configuration_set: str,
        suppressions: Suppressions,
    ) -> None:
        # Needed only after an endpoint has failed for days, so it is created then.
        self._open_client = cache(make_client)
        self._sender = sender
        self._configuration_set = configuration_set
        self._suppressions = suppressions

    def notify_switched_off(
        self, endpoint: Endpoint, *, failure: str, since: datetime | None
    ) -> None:
        if endpoint.owner is None or self._is_suppressed(endpoint.owner):
            return
        try:
            to = ascii_address(endpoint.owner)
        except BadAddress:
            # As with an address that SES refuses.
            return
        mail = switched_off_mail(endpoint, to=to, failure=failure, since=since)
        # SES may refuse it: an address that takes no mail is no reason to go on calling.
        send_mail(
            self._open_client(),
            sender=self._sender,
            to=mail.to,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            configuration_set=self._configuration_set,
        )

    def _is_suppressed(self, address: str) -> bool:
        return self._suppressions.reason(address, audience=Audience.TEAM) is not None
