"""NoticesTable's record of mails: which notices each mail contained, and their outcomes."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_items import as_int, from_item, to_item
from milepost.aws.notices_keys import DUE, due_sort_key, mail_part_key
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.delivery_log_items import expiry, notice_key
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.list_keys import state_listing
from milepost.notifications.aws.topic_and_queues import notice_message, notice_of
from milepost.notifications.mail.bounces_and_complaints import Logged, Step
from milepost.notifications.notice import ERASED_RECIPIENT, Channel, Notice, State

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP: Final = timedelta(days=60)
"""How long a mail is stored: complaints arrive within weeks, and bounces within days."""
_OF_A_TRY: Final = ("reason", "attempts", "retry_at")
_A_PART: Final = 200
"""Maximum number of notices in one item, well below the limit of 400 KB."""


class MailsTable:
    """Implements ``ses.MailRecords`` and ``bounces_and_complaints.Mails``.

    An event of SES names its mail by a message tag, which holds at most 256 characters of a small
    alphabet: too few for the ids of providers, and of a digest's hundred notices. So the tag is a
    hash, and the item with this key names the notices. A header of our own would be shown to the
    recipient, and events leave headers out if there are many (``headersTruncated``).

    The item has no address: it is read from the log, where an erasure finds it.
    """

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def keep(self, notices: Sequence[Notice], *, at: datetime) -> str:
        mail_id = mail_id_of(notices)
        parts = [notices[i : i + _A_PART] for i in range(0, len(notices), _A_PART)]
        for number, part in enumerate(parts):
            self._client.update_item(
                TableName=self._table,
                Key=to_item(mail_part_key(mail_id, number)),
                UpdateExpression="SET notices = :notices, parts = :parts, expires_at = :expires_at",
                ExpressionAttributeValues=to_item(
                    {
                        ":notices": json.dumps([_without_address(notice) for notice in part]),
                        ":parts": len(parts),
                        ":expires_at": int((at + KEEP).timestamp()),
                    }
                ),
            )
        return mail_id

    def find(self, mail_id: str) -> Sequence[Logged]:
        kept = list(self._kept(mail_id))
        found = (self._logged(one["key"], one["message"]) for one in kept)
        return [logged for logged in found if logged]

    def move(self, logged: Logged, step: Step, *, starts: frozenset[State], at: datetime) -> bool:
        may_change_state = " OR ".join(f"#state = :{state}" for state in sorted(starts))
        it_was_not_sent_again = (
            "message_id = :message_id" if logged.message_id else "attribute_not_exists(message_id)"
        )
        listed = state_listing(step.state, logged.notice.recipient_hash, at=at)
        values = {
            ":state": str(step.state),
            ":at": format_instant(at),
            ":reason": step.reason,
            ":attempts": step.attempts or None,
            ":retry_at": format_instant(step.retry_at) if step.retry_at else None,
            ":message_id": logged.message_id,
            **{f":{state}": str(state) for state in starts},
            **{f":{name}": value for name, value in listed.items()},
        }
        sets = ["#state = :state", "#at = :at"]
        sets += [f"{name} = :{name}" for name in _OF_A_TRY if values[f":{name}"]]
        sets += [f"{name} = :{name}" for name in listed]
        # Attributes of a failed attempt don't apply to a mail that arrived in the end.
        gone = [name for name in ("reason", "retry_at") if not values[f":{name}"]]
        removed = ["claimed_until", "claimed_by", "due_at", *gone]
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(notice_key(logged.notice)),
                UpdateExpression=f"SET {', '.join(sets)} REMOVE {', '.join(removed)}",
                ConditionExpression=f"({may_change_state}) AND {it_was_not_sent_again}",
                ExpressionAttributeNames={"#state": "state", "#at": f"{step.state}_at"},
                ExpressionAttributeValues=to_item(values),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def try_again(self, notices: Sequence[Notice], *, at: datetime) -> None:
        if len(notices) > 1:
            for notice in notices:
                HoldsTable(self._client, table_name=self._table).hold(notice, due_at=at)
            return
        # As a single notice and not as a digest of one, so that it is claimed, and not sent if the
        # mail
        # turns out to have been delivered by then.
        (notice,) = notices
        item = {
            "pk": DUE,
            "sk": due_sort_key(at, channel=Channel.EMAIL, name=notice.id),
            "message": json.dumps(notice_message(notice)),
            "expires_at": expiry(at),
        }
        self._client.put_item(TableName=self._table, Item=to_item(item))

    def _kept(self, mail_id: str) -> Iterator[Mapping[str, Any]]:
        number = parts = 0
        while number == 0 or number < parts:
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_item(mail_part_key(mail_id, number)),
                ConsistentRead=True,
            )
            if "Item" not in answer:
                return
            item = from_item(answer["Item"])
            yield from json.loads(item["notices"])
            parts, number = as_int(item["parts"]), number + 1

    def _logged(self, key: Mapping[str, str], message: Mapping[str, Any]) -> Logged | None:
        answer = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        entry = from_item(answer.get("Item", {}))
        if entry.get("recipient") in (None, ERASED_RECIPIENT):
            # The recipient was erased: there is nobody to send a mail to.
            return None
        return Logged(
            notice=notice_of({**message, "recipient": entry["recipient"]}),
            state=State(entry["state"]),
            message_id=entry.get("message_id"),
            attempts=as_int(entry.get("attempts", 0)),
        )


def mail_id_of(notices: Sequence[Notice]) -> str:
    """A mail's id: 32 hexadecimal digits, the same whenever it contains the same notices."""
    ids = "\n".join(notice.id for notice in notices)
    return hashlib.sha256(ids.encode()).hexdigest()[:32]


def _without_address(notice: Notice) -> dict[str, Any]:
    message = notice_message(notice)
    del message["recipient"]
    return {"key": notice_key(notice), "message": message}
