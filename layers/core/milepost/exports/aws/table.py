"""ExportsTable: exports of the last days, in one partition, sorted by time."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from milepost.aws.dynamodb_items import as_int, from_item, to_item
from milepost.common.idempotency import KeyReused, fingerprint
from milepost.common.strict_json import canonical_json
from milepost.common.timestamps import format_instant, parse_instant, sortable
from milepost.exports.export import CLAIM, KEPT_FOR, KNOWN_FOR, SILENCE, Export, ExportState
from milepost.exports.files import Format

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LIST: Final = "exports"
_UNCLAIMED: Final = (
    "(attribute_not_exists(claimed_until) OR claimed_until < :now"
    " OR (claimed_for = :invocation AND claimed_until < :silent))"
)
_TO_DO: Final = "(export_state IN (:waiting, :running) OR attribute_exists(mail_to))"


class ExportsTable:
    """Implements ``export.Exports``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def put(self, export: Export, *, request: str | None) -> Export:
        if request is not None:
            first = self._first_of(request, export)
            if (found := self.find(first)) is not None:
                return found
            # The request was interrupted before its export was stored.
            export = replace(export, id=first)
        item = {
            **_key(export.id),
            "list": export.list_name,
            "format": str(export.file_format),
            "person": export.person,
            "subject": export.subject,
            "created_at": format_instant(export.created_at),
            "list_query": canonical_json({k: list(v) for k, v in export.query.items()}),
            "columns": list(export.columns) if export.columns is not None else None,
            "bom": export.bom,
            "narrowed_to": sorted(export.narrowed_to) if export.narrowed_to is not None else None,
            "mail_to": export.mail_to,
            "expected": export.expected,
            "export_state": str(export.state),
            # An export that never ends expires with its filters after a day.
            "expires_at": int((export.created_at + KEPT_FOR).timestamp()),
        }
        self._client.put_item(
            TableName=self._table,
            Item=to_item({name: value for name, value in item.items() if value is not None}),
        )
        return export

    def _first_of(self, request: str, export: Export) -> str:
        """The id of the export that this request created; a repeated request gets the same id."""
        contents = fingerprint(
            {
                "list": export.list_name,
                "query": {name: list(values) for name, values in export.query.items()},
                "columns": list(export.columns or ()),
                "format": str(export.file_format),
                "bom": export.bom,
                "mail": export.mail_to,
                "narrowed": sorted(export.narrowed_to or ()),
            }
        )
        key = {"pk": f"request#{request}", "sk": "request"}
        expires_at = int((export.created_at + KNOWN_FOR).timestamp())
        item = {**key, "export": export.id, "contents": contents, "expires_at": expires_at}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            answer = self._client.get_item(
                TableName=self._table, Key=to_item(key), ConsistentRead=True
            )
            known = from_item(answer.get("Item", {}))
            if known.get("contents") != contents:
                raise KeyReused from None
            return str(known["export"])
        return export.id

    def find(self, export_id: str) -> Export | None:
        answer = self._client.get_item(
            TableName=self._table, Key=to_item(_key(export_id)), ConsistentRead=True
        )
        return _export(from_item(answer["Item"])) if "Item" in answer else None

    def page(self, *, after: str | None, limit: int) -> tuple[list[Export], str | None]:
        start: dict[str, Any] = {"ExclusiveStartKey": to_item(_key(after))} if after else {}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :list",
            ExpressionAttributeValues=to_item({":list": _LIST}),
            ScanIndexForward=False,
            Limit=limit,
            **start,
        )
        found = [_export(from_item(item)) for item in answer["Items"]]
        last = answer.get("LastEvaluatedKey")
        return found, str(from_item(last)["sk"]) if last else None

    def claim(self, export_id: str, *, invocation: str, at: datetime) -> str | None:
        token = uuid4().hex
        is_ours = self._update(
            export_id,
            "SET claimed_until = :until, claimed_by = :token, claimed_for = :invocation,"
            " seen_at = :at,"
            " export_state = if_not_exists(ended_state, :running) ADD attempts :one",
            f"{_TO_DO} AND {_UNCLAIMED}",
            {
                ":until": sortable(at + CLAIM),
                ":token": token,
                ":at": format_instant(at),
                ":now": sortable(at),
                ":invocation": invocation,
                ":silent": sortable(at + CLAIM - SILENCE),
                ":waiting": str(ExportState.WAITING),
                ":running": str(ExportState.RUNNING),
                ":one": 1,
            },
        )
        return token if is_ours else None

    def note(self, export_id: str, *, claim: str, rows: int, at: datetime) -> bool:
        return self._update(
            export_id,
            "SET row_count = :rows, seen_at = :at, claimed_until = :until",
            "claimed_by = :claim",
            {
                ":rows": rows,
                ":at": format_instant(at),
                ":until": sortable(at + CLAIM),
                ":claim": claim,
            },
        )

    def settle(self, export: Export, *, claim: str) -> bool:
        ended_at = export.ended_at or export.created_at
        outcome = {
            "row_count": export.rows,
            "size_bytes": export.size,
            "why": export.why,
            "ended_at": format_instant(ended_at),
            "ended_state": str(export.state),
            "export_state": str(export.state),
            "expires_at": int((ended_at + KNOWN_FOR).timestamp()),
        }
        outcome["claimed_until"] = sortable(ended_at + CLAIM)
        known = {name: value for name, value in outcome.items() if value is not None}
        return self._update(
            export.id,
            f"SET {', '.join(f'{name} = :{name}' for name in known)} REMOVE list_query",
            "claimed_by = :claim",
            {":claim": claim, **{f":{name}": value for name, value in known.items()}},
        )

    def mailed(self, export_id: str, *, claim: str) -> bool:
        return self._update(
            export_id,
            "REMOVE mail_to, claimed_by, claimed_until, claimed_for",
            "claimed_by = :claim",
            {":claim": claim},
        )

    def remove(self, export_id: str, *, why: str) -> None:
        self._update(
            export_id,
            "SET export_state = :removed, ended_state = :removed, why = :why"
            " REMOVE list_query, mail_to, claimed_by, claimed_until, claimed_for",
            "attribute_exists(pk)",
            {":removed": str(ExportState.REMOVED), ":why": why},
        )

    def _update(
        self, export_id: str, update: str, condition: str, values: Mapping[str, Any]
    ) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(_key(export_id)),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _key(export_id: str) -> dict[str, str]:
    return {"pk": _LIST, "sk": export_id}


def _export(item: Mapping[str, Any]) -> Export:
    return Export(
        id=item["sk"],
        list_name=item["list"],
        file_format=Format(item["format"]),
        person=item["person"],
        subject=item["subject"],
        created_at=parse_instant(item["created_at"]),
        query=json.loads(item.get("list_query", "{}")),
        columns=tuple(item["columns"]) if "columns" in item else None,
        bom=item["bom"],
        narrowed_to=frozenset(item["narrowed_to"]) if "narrowed_to" in item else None,
        mail_to=item.get("mail_to"),
        expected=_number(item.get("expected")),
        state=ExportState(item["export_state"]),
        rows=_number(item.get("row_count")) or 0,
        size=_number(item.get("size_bytes")),
        why=item.get("why"),
        ended_at=_instant(item.get("ended_at")),
        attempts=_number(item.get("attempts")) or 0,
        seen_at=_instant(item.get("seen_at")),
    )


def _number(value: Any) -> int | None:
    return None if value is None else as_int(value)


def _instant(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None
