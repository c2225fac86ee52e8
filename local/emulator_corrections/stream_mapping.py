"""Lambda's mappings of DynamoDB streams, where the emulator differs from AWS.

ministack 1.5.33 ignores ReportBatchItemFailures (records that failed count as done), bisecting
and the retry limit of a stream's mapping, and calls the function on the thread that also polls
every queue. This module's rules are those of the Lambda developer guide, "Using Lambda with
DynamoDB": stop at the first failed record, go on from it, halve a failing batch, send what is
given up to the failure destination, and run as many batches of a shard at once as its factor says,
each item's records in order. Of destinations the emulator knows queues and topics; a
bucket gets the invocation record with its payload, as "Retain discarded records" there describes.
"""

import importlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from uuid import uuid4
from zlib import crc32

RETRY_SECONDS: Final = 0.5

Record = dict[str, Any]


class Invoke(Protocol):
    """Calls the function with records; returns its response, or None if it failed."""

    def __call__(self, records: Sequence[Record], /) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A mapping's settings; ``None`` means without limit."""

    partial_failures: bool
    bisects: bool
    max_retries: int | None
    max_age_seconds: int | None
    batches_at_once: int = 1


def read_rules(mapping: dict[str, Any]) -> Rules:
    """The settings of an event source mapping as the Lambda API names them (-1: no limit)."""
    retries = mapping.get("MaximumRetryAttempts", -1)
    age = mapping.get("MaximumRecordAgeInSeconds", -1)
    return Rules(
        partial_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
        bisects=bool(mapping.get("BisectBatchOnFunctionError")),
        max_retries=None if retries in (None, -1) else int(retries),
        max_age_seconds=None if age in (None, -1) else int(age),
        batches_at_once=int(mapping.get("ParallelizationFactor") or 1),
    )


def split_by_item(records: Sequence[Record], *, parts: int) -> list[list[Record]]:
    """The records of up to ``parts`` batches that run in parallel; records of one item stay in
    order.
    """
    found: dict[int, list[Record]] = {}
    for record in records:
        key = json.dumps(record["dynamodb"]["Keys"], sort_keys=True)
        found.setdefault(crc32(key.encode()) % parts, []).append(record)
    return list(found.values())


def process_batch(
    records: Sequence[Record],
    *,
    rules: Rules,
    invoke: Invoke,
    give_up: Callable[[Sequence[Record], str], None],
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Process every record, in order, until it succeeds or is discarded with a condition's name."""
    waiting: list[tuple[Sequence[Record], int]] = [(records, 0)]
    while waiting:
        batch, retries = waiting.pop()
        failed = find_first_failure(batch, invoke(batch), rules=rules)
        rest = batch[failed:]
        if not rest:
            continue
        if failed > 0:
            waiting.append((rest, 0))
        elif rules.bisects and len(rest) > 1:
            middle = len(rest) // 2
            waiting += [(rest[middle:], 0), (rest[:middle], 0)]
        elif _is_too_old(rest, rules):
            give_up(rest, "MaxRecordAgeExceeded")
        elif rules.max_retries is not None and retries >= rules.max_retries:
            give_up(rest, "RetryAttemptsExhausted")
        else:
            wait(RETRY_SECONDS)
            waiting.append((rest, retries + 1))


def find_first_failure(batch: Sequence[Record], answer: Any, *, rules: Rules) -> int:
    """The index of the first record that failed; the batch's length if none failed.

    An answer that names an unknown record fails the whole batch, as on AWS.
    """
    if answer is None:
        return 0
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not rules.partial_failures or not failures:
        return len(batch)
    places = {record["dynamodb"]["SequenceNumber"]: at for at, record in enumerate(batch)}
    return min(places.get(failure.get("itemIdentifier"), 0) for failure in failures)


def _is_too_old(records: Sequence[Record], rules: Rules) -> bool:
    if rules.max_age_seconds is None:
        return False
    created = float(records[0]["dynamodb"]["ApproximateCreationDateTime"])
    return time.time() - created > rules.max_age_seconds


def failure_record(
    records: Sequence[Record],
    *,
    stream_arn: str,
    function_arn: str,
    condition: str,
    now: datetime,
) -> dict[str, Any]:
    """The object that Lambda writes to a bucket for discarded records."""
    first, last = records[0]["dynamodb"], records[-1]["dynamodb"]
    return {
        "requestContext": {
            "requestId": str(uuid4()),
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": 1,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": _instant(now.timestamp()),
        "DDBStreamBatchInfo": {
            "shardId": _SHARD,
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": last["SequenceNumber"],
            "approximateArrivalOfFirstRecord": _instant(first["ApproximateCreationDateTime"]),
            "approximateArrivalOfLastRecord": _instant(last["ApproximateCreationDateTime"]),
            "batchSize": len(records),
            "streamArn": stream_arn,
        },
        "payload": json.dumps({"Records": list(records)}),
    }


def failure_key(mapping_id: str, *, now: datetime) -> str:
    """The key of this object."""
    moment = f"{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}"
    return f"aws/lambda/{mapping_id}/{_SHARD}/{moment}-{uuid4()}"


_SHARD: Final = "shardId-00000000000000000000-00000000"


def _instant(seconds: float) -> str:
    moment = datetime.fromtimestamp(float(seconds), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def correct_ministack() -> None:
    """Replace the emulator's reading of streams with this module."""
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    functions._poll_dynamodb_streams = lambda: any(list(_read_streams(functions)))


def _read_streams(functions: Any) -> Iterator[bool]:
    for account, region, mapping in functions._iter_all_esms():
        account_token = functions._request_account_id.set(account)
        region_token = functions._request_region.set(region)
        try:
            if mapping.get("Enabled", True) and ":dynamodb:" in mapping.get("EventSourceArn", ""):
                yield _start_next_batch(functions, mapping)
        finally:
            functions._request_account_id.reset(account_token)
            functions._request_region.reset(region_token)


def _start_next_batch(functions: Any, mapping: dict[str, Any]) -> bool:
    """Take the next records from the stream, one batch at a time, like a shard."""
    tables = importlib.import_module("ministack.services.dynamodb")
    name = mapping["EventSourceArn"].split("/stream/")[0].split("/")[-1]
    function, _ = functions._get_func_record_for_qualifier(
        mapping["FunctionName"], mapping.get("Qualifier")
    )
    identity = mapping["UUID"]
    if function is None or name not in tables._tables or functions._esm_inflight.get(identity, 0):
        return False
    with functions._dynamodb_stream_positions_lock:
        positions = functions._dynamodb_stream_positions
        horizon = tables.stream_start_position(name)
        if identity not in positions:
            newest = mapping.get("StartingPosition", "LATEST") != "TRIM_HORIZON"
            positions[identity] = tables.stream_end_position(name) if newest else horizon
        position = max(positions[identity], horizon)
        records = tables.stream_records_since(name, position, mapping.get("BatchSize", 100))
        positions[identity] = position + len(records)
    wanted = functions._apply_filter_criteria(records, mapping) if records else []
    if wanted:
        functions._dispatch_esm_batch(identity, _run_batches, functions, mapping, function, wanted)
    return bool(records)


def _run_batches(functions: Any, mapping: dict[str, Any], function: Any, records: Any) -> None:
    parts = split_by_item(records, parts=read_rules(mapping).batches_at_once)
    # The account and the region that a request belongs to are in its context.
    contexts = [copy_context() for _ in parts]
    with ThreadPoolExecutor(len(parts)) as pool:
        running = [
            pool.submit(context.run, _run_batch, functions, mapping, function, part)
            for context, part in zip(contexts, parts, strict=True)
        ]
    for one in running:
        one.result()


def _run_batch(functions: Any, mapping: dict[str, Any], function: Any, records: Any) -> None:
    last: dict[str, Any] = {}

    def invoke(batch: Sequence[Record]) -> Any:
        last.clear()
        last.update(functions._execute_function(function, {"Records": list(batch)}))
        return None if last.get("error") else (last.get("body") or {})

    def give_up(batch: Sequence[Record], condition: str) -> None:
        destination = mapping.get("DestinationConfig", {}).get("OnFailure", {})
        if ":s3:::" in (arn := destination.get("Destination", "")):
            _leave_in_bucket(arn.rpartition(":")[2], batch, mapping, condition)
            return
        functions._send_ddb_stream_failure_record(
            mapping, function, list(batch), mapping["EventSourceArn"], last, condition
        )

    process_batch(records, rules=read_rules(mapping), invoke=invoke, give_up=give_up)


def _leave_in_bucket(
    bucket: str, batch: Sequence[Record], mapping: dict[str, Any], condition: str
) -> None:
    now = datetime.now(UTC)
    record = failure_record(
        batch,
        stream_arn=mapping["EventSourceArn"],
        function_arn=mapping["FunctionArn"],
        condition=condition,
        now=now,
    )
    s3: Any = importlib.import_module("ministack.services.s3")
    body = json.dumps(record).encode()
    s3._put_object(bucket, failure_key(mapping["UUID"], now=now), body, {})
