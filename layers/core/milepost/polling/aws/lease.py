"""PollsTable: the lease on each connection, and the state and result of its last poll."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.polls_keys import poll_key
from milepost.common.timestamps import format_instant, parse_instant, sortable
from milepost.connections.aws.poll_requests import attribute_of, has_requests, read_requests
from milepost.polling.aws.named_orders import has_named
from milepost.polling.lease import LeaseHeld
from milepost.polling.page_shift import PreviousPage
from milepost.polling.state import LookAgain, PollState, Progress, Validator
from milepost.providers.base import PageRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NOBODY: Final = "-"
_ENDED_BY_SUCCESS: Final = "progress, not_before, last_error"


class PollsTable:
    """Leases on connections."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def lease(self, connection_id: str, *, now: datetime, duration: timedelta) -> "PollLease":
        """Take the lease on a connection; it expires by itself if its holder is killed.

        :raises LeaseHeld: when another poll holds it
        """
        holder = uuid4().hex
        nobody_holds_it = "attribute_not_exists(lease_until) OR lease_until < :now"
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(connection_id),
                # A poll that ended properly has removed itself as holder. If a holder is left, it
                # was killed
                # and may have recorded orders that the page cache doesn't know.
                UpdateExpression="SET taken_over = if_not_exists(lease_holder, :nobody),"
                " lease_until = :until, lease_holder = :holder",
                ConditionExpression=nobody_holds_it,
                ExpressionAttributeValues=to_item(
                    {
                        ":now": sortable(now),
                        ":until": sortable(now + duration),
                        ":holder": holder,
                        ":nobody": _NOBODY,
                    }
                ),
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise LeaseHeld(f"connection {connection_id} is being polled") from None
            raise
        state = _state(from_item(answer["Attributes"]))
        return PollLease(self._client, self._table, connection_id, holder, state)


class PollLease:
    """Implements ``lease.Lease``: every write requires the lease and releases it."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        connection_id: str,
        holder: str,
        state: PollState,
    ) -> None:
        self._client = client
        self._table = table
        self._connection_id = connection_id
        self._holder = holder
        self.state = state
        self.is_memory_sound = state.is_memory_sound
        self.requested_meanwhile = False
        self.has_named = False
        """Whether webhooks named orders that are still to be fetched."""

    def pause(self, progress: Progress) -> None:
        self._finish("SET progress = :progress", {":progress": _progress_text(progress)})

    def succeed(
        self,
        *,
        cursor: datetime | None,
        validator: Validator | None,
        at: datetime,
        done: Sequence[str] = (),
    ) -> None:
        values: dict[str, Any] = {":at": format_instant(at), ":zero": 0}
        sets, removing = "SET last_success_at = :at, failures = :zero", _ENDED_BY_SUCCESS
        if cursor:
            sets += ", poll_cursor = :cursor"
            values[":cursor"] = format_instant(cursor)
        if validator:
            sets += ", validator = :validator"
            values[":validator"] = {"url": validator.url, "etag": validator.etag}
        else:
            # An older validator would give 304 for a list that has changed since and changed back.
            removing = f"{removing}, validator"
        names = {f"#done{index}": attribute_of(one) for index, one in enumerate(done)}
        self._finish(sets, values, removing=", ".join([removing, *names]), names=names)

    def fail(
        self, *, error: str, at: datetime, not_before: datetime | None, starts_over: bool = False
    ) -> None:
        values = {
            ":at": format_instant(at),
            ":error": error,
            ":zero": 0,
            ":one": 1,
            ":not_before": format_instant(not_before or at),
        }
        names = {
            f"#request{index}": attribute_of(one.id)
            for index, one in enumerate(self.state.requests)
        }
        tried = "".join(f", {name}.failed_at = :at" for name in names)
        self._finish(
            "SET last_failure_at = :at, last_error = :error, not_before = :not_before,"
            f" failures = if_not_exists(failures, :zero) + :one{tried}",
            values,
            removing="progress" if starts_over else "",
            names=names,
        )

    def give_back(self) -> None:
        self._finish("", {})

    def _finish(
        self,
        sets: str,
        values: dict[str, Any],
        *,
        removing: str = "",
        names: dict[str, str] | None = None,
    ) -> None:
        held = "lease_until, lease_holder, taken_over" if self.is_memory_sound else "lease_until"
        removed = ", ".join(filter(None, (held, removing)))
        we_still_hold_it = "lease_holder = :holder"
        named: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(self._connection_id),
                UpdateExpression=f"{sets} REMOVE {removed}",
                ConditionExpression=we_still_hold_it,
                ExpressionAttributeValues=to_item({**values, ":holder": self._holder}),
                ReturnValues="ALL_NEW",
                **named,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                # It took so long that another poll has started, whose result is newer.
                raise LeaseHeld(f"the lease on {self._connection_id} had ended") from None
            raise
        # A poll that is refused the lease has stored its request before: it is among these.
        attributes = answer.get("Attributes", {})
        self.requested_meanwhile = has_requests(attributes)
        self.has_named = has_named(attributes)


def _key(connection_id: str) -> dict[str, Any]:
    return to_item(poll_key(connection_id))


def _state(item: dict[str, Any]) -> PollState:
    """The stored state; if it can't be read, that of a connection that was never polled."""
    try:
        return _read_state(item)
    except Exception:
        # The lease is taken by now, so an error would keep every other poll waiting for its end.
        return PollState(is_memory_sound=False)


def _read_state(item: dict[str, Any]) -> PollState:
    return PollState(
        cursor=_instant(item.get("poll_cursor")),
        validator=Validator(**item["validator"]) if "validator" in item else None,
        not_before=_instant(item.get("not_before")),
        progress=_progress(item.get("progress")),
        requests=read_requests(item),
        is_memory_sound=item.get("taken_over", _NOBODY) == _NOBODY,
    )


def _progress_text(progress: Progress) -> str:
    return json.dumps(
        {
            "path": progress.next.path,
            "query": dict(progress.next.query),
            "pages": progress.pages,
            "orders": progress.orders,
            "empty_pages": progress.empty_pages,
            "repeated_pages": progress.repeated_pages,
            "newest_change": _text(progress.newest_change),
            "started_at": _text(progress.started_at),
            "again": _again_value(progress.again),
            "unrecorded_change": _text(progress.unrecorded_change),
            "previous": _previous_value(progress.previous),
            "requests": list(progress.requests),
        }
    )


def _progress(text: str | None) -> Progress | None:
    if text is None:
        return None
    value = json.loads(text)
    return Progress(
        next=PageRequest(value["path"], value["query"]),
        pages=value["pages"],
        orders=value.get("orders", 0),
        empty_pages=value.get("empty_pages", 0),
        repeated_pages=value.get("repeated_pages", 0),
        newest_change=_instant(value["newest_change"]),
        started_at=_instant(value.get("started_at")),
        again=_again(value.get("again")),
        unrecorded_change=_instant(value.get("unrecorded_change")),
        previous=_previous(value.get("previous")),
        requests=tuple(value.get("requests", ())),
    )


def _again_value(again: LookAgain | None) -> dict[str, Any] | None:
    if again is None:
        return None
    return {"since": format_instant(again.since), "announce": again.announce}


def _again(value: dict[str, Any] | None) -> LookAgain | None:
    if value is None:
        return None
    return LookAgain(since=parse_instant(value["since"]), announce=value["announce"])


def _previous_value(page: PreviousPage | None) -> dict[str, Any] | None:
    if page is None:
        return None
    return {
        "path": page.request.path,
        "query": dict(page.request.query),
        "digest": page.digest.hex(),
        "orders": [one.hex() for one in page.orders],
        "is_first": page.is_first,
    }


def _previous(value: dict[str, Any] | None) -> PreviousPage | None:
    if value is None:
        return None
    return PreviousPage(
        PageRequest(value["path"], value["query"]),
        bytes.fromhex(value["digest"]),
        tuple(bytes.fromhex(one) for one in value["orders"]),
        value["is_first"],
    )


def _text(instant: datetime | None) -> str | None:
    return format_instant(instant) if instant else None


def _instant(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None
