"""What a call to AWS reads or writes, so that calls which can't affect each other are known.

Two calls of two workers may change places without any effect unless both touch one thing and one
of them writes it. So the second worker starts only after calls of the first one that touch what
the second touches: after any other call it would find, and leave, what it does one call earlier.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Touch:
    """A place, the key in it (None for any), and whether it is written."""

    place: str
    key: str | None = None
    """In a table, the partition."""
    writes: bool = False
    may_be_stale: bool = False
    """Whether it is a read that may answer with an earlier version."""
    sort_key: str | None = None
    """In a table, the item of the partition; None for any."""

    def meets(self, other: "Touch") -> bool:
        """Whether the two may not change places."""
        return (
            self.place == other.place
            and (self.writes or other.writes)
            and _may_be_same(self.key, other.key)
            and _may_be_same(self.sort_key, other.sort_key)
        )


def _may_be_same(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def meet(some: Iterable[Touch], others: Iterable[Touch]) -> bool:
    """Whether any of the ones meets any of the others."""
    others = list(others)
    return any(one.meets(other) for one in some for other in others)


def why_apart(some: Iterable[Touch], others: Iterable[Touch]) -> str:
    """Why two that don't meet can't notice each other."""
    some, others = list(some), list(others)
    in_common = sorted({one.place for one in some} & {one.place for one in others})
    if not in_common:
        return "they use no place in common"
    written = {one.place for one in (*some, *others) if one.writes}
    reasons = [
        f"{'other items of' if place in written else 'only reads of'} {place}"
        for place in in_common
    ]
    return f"in common they have {', '.join(reasons)}"


_ADDS: Final = frozenset({"SendMessage", "Publish", "SendEmail", "Invoke"})
"""What adds something to what nobody has seen yet: two of them may change places."""
_READS: Final = ("Get", "List", "Describe", "Head", "Query", "Scan", "BatchGet")


def touches_of(service: str, operation: str, parameters: Mapping[str, Any]) -> list[Touch]:
    """What a call touches."""
    if service == "dynamodb":
        return list(_of_dynamodb(operation, parameters))
    writes = not operation.startswith(_READS) and operation not in _ADDS
    match parameters:
        case {"Bucket": bucket, **more}:
            return [Touch(f"s3/{bucket}", more.get("Key"), writes)]
        case {"SecretId": secret}:
            return [Touch("secret", secret, writes)]
        case {"QueueUrl": place} | {"TopicArn": place}:
            return [Touch(place, None, writes)]
        case {"GroupName": group, **more}:
            return [Touch(f"schedules/{group}", more.get("Name"), writes)]
    return [Touch(service, None, writes)]


def of_provider(method: str, url: str) -> Touch:
    """What a request to somebody else than AWS touches."""
    path, *_ = url.split("?", maxsplit=1)
    return Touch("elsewhere", path.rsplit("/", 1)[0], method not in ("GET", "HEAD"))


def _of_dynamodb(  # noqa: PLR0912 - one case an operation
    operation: str, parameters: Mapping[str, Any]
) -> Iterator[Touch]:
    stale = not parameters.get("ConsistentRead", False)
    match operation, parameters:
        case "GetItem", {"TableName": table, "Key": key}:
            yield _item(table, key, may_be_stale=stale)
        case "PutItem", {"TableName": table, "Item": key}:
            yield _item(table, key, writes=True)
        case (("UpdateItem" | "DeleteItem"), {"TableName": table, "Key": key}):
            yield _item(table, key, writes=True)
        case "Query", {"TableName": table, **more} if "IndexName" not in more:
            values = more.get("ExpressionAttributeValues", {})
            yield Touch(table, _text(values.get(":pk")), may_be_stale=stale)
        case (("Query" | "Scan"), {"TableName": table}):
            yield Touch(table, may_be_stale=stale)
        case "BatchGetItem", {"RequestItems": tables}:
            for table, asked in tables.items():
                stale = not asked.get("ConsistentRead", False)
                yield from (_item(table, one, may_be_stale=stale) for one in asked["Keys"])
        case "BatchWriteItem", {"RequestItems": tables}:
            for table, requests in tables.items():
                for one in requests:
                    (inner,) = one.values()
                    yield _item(table, inner.get("Key") or inner["Item"], writes=True)
        case "TransactWriteItems", {"TransactItems": actions}:
            for action in actions:
                ((kind, inner),) = action.items()
                key = inner.get("Key") or inner["Item"]
                yield _item(inner["TableName"], key, writes=kind != "ConditionCheck")
        case _:
            yield Touch(str(parameters.get("TableName")), writes=True)


def _item(
    table: str, key: Mapping[str, Any], *, writes: bool = False, may_be_stale: bool = False
) -> Touch:
    partition, sort_key = _text(key.get("pk")), _text(key.get("sk"))
    return Touch(table, partition, writes, may_be_stale, sort_key)


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)
