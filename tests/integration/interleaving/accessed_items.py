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
    writes: bool = False
    may_be_stale: bool = False
    """Whether it is a read that may answer with an earlier version."""

    def meets(self, other: "Touch") -> bool:
        """Whether the two may not change places."""
        is_same = self.key is None or other.key is None or self.key == other.key
        return self.place == other.place and is_same and (self.writes or other.writes)


def meet(some: Iterable[Touch], others: Iterable[Touch]) -> bool:
    """Whether any of the ones meets any of the others."""
    others = list(others)
    return any(one.meets(other) for one in some for other in others)


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
            yield Touch(table, _key(key), may_be_stale=stale)
        case "PutItem", {"TableName": table, "Item": key}:
            yield Touch(table, _key(key), writes=True)
        case (("UpdateItem" | "DeleteItem"), {"TableName": table, "Key": key}):
            yield Touch(table, _key(key), writes=True)
        case "Query", {"TableName": table, **more} if "IndexName" not in more:
            values = more.get("ExpressionAttributeValues", {})
            yield Touch(table, _text(values.get(":pk")), may_be_stale=stale)
        case (("Query" | "Scan"), {"TableName": table}):
            yield Touch(table, may_be_stale=stale)
        case "BatchGetItem", {"RequestItems": tables}:
            for table, asked in tables.items():
                stale = not asked.get("ConsistentRead", False)
                yield from (Touch(table, _key(one), may_be_stale=stale) for one in asked["Keys"])
        case "BatchWriteItem", {"RequestItems": tables}:
            for table, requests in tables.items():
                for one in requests:
                    (inner,) = one.values()
                    yield Touch(table, _key(inner.get("Key") or inner["Item"]), writes=True)
        case "TransactWriteItems", {"TransactItems": actions}:
            for action in actions:
                ((kind, inner),) = action.items()
                key = inner.get("Key") or inner["Item"]
                yield Touch(inner["TableName"], _key(key), writes=kind != "ConditionCheck")
        case _:
            yield Touch(str(parameters.get("TableName")), writes=True)


def _key(attributes: Mapping[str, Any]) -> str | None:
    """The partition: items of one partition may be read together."""
    return _text(attributes.get("pk"))


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)
