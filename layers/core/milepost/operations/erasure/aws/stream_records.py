"""Places of an erasure: stream records that could not be announced or indexed."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item
from milepost.aws.errors import AWS_FAILED, name_of
from milepost.operations.dead_letters import read_payload
from milepost.operations.erasure.aws.sweep import Sweep
from milepost.operations.erasure.erase import began
from milepost.operations.erasure.judged_text import judge_raw
from milepost.operations.erasure.place import Left, PlaceNotRead, Swept
from milepost.operations.erasure.subject import (
    BESIDE_OTHERS,
    NOTHING,
    THEIRS,
    Judgement,
    Subject,
    Verdict,
    judge_details,
)
from milepost.orders.aws.orders_keys import order_of
from milepost.orders.aws.table import tracked_order

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class UnannouncedOfCustomers:
    """Implements ``place.Place``: records of the stream that could not be announced."""

    name = "unannounced"

    def __init__(self, make_client: "Callable[[], S3Client]", *, bucket: str) -> None:
        self._open_client = cache(make_client)
        self._bucket = bucket

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        swept = Sweep(self.name)
        try:
            pages = (
                self._open_client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
            )
            for key in [one["Key"] for page in pages for one in page.get("Contents", [])]:
                self._sweep_one(key, subject, swept, dry_run=dry_run)
        except AWS_FAILED as error:
            raise PlaceNotRead(
                f"changes that were not announced can't be read now ({name_of(error)})"
            ) from None
        return swept.result()

    def _sweep_one(self, key: str, subject: Subject, swept: "Sweep", *, dry_run: bool) -> None:
        raw = self._read(key)
        if raw is None:
            return
        try:
            kept = json.loads(raw)
            records = read_payload(kept)["Records"]
        except (ValueError, KeyError, TypeError):
            # It can't be redriven, so it can be discarded after it was checked.
            found = judge_raw(raw, subject, connection=None)
            if found.verdict is not Verdict.OTHERS:
                swept.is_theirs(BESIDE_OTHERS, key)
            return
        others = [
            one
            for place, one in enumerate(records)
            if not swept.is_theirs(_judge_record(one, subject), f"{key}/{place}")
        ]
        if dry_run or len(others) == len(records):
            return
        if others:
            payload = {"Records": others}
            as_it_was = json.dumps(payload) if isinstance(kept["payload"], str) else payload
            body = json.dumps({**kept, "payload": as_it_was}).encode()
            self._open_client().put_object(Bucket=self._bucket, Key=key, Body=body)
        else:
            self._open_client().delete_object(Bucket=self._bucket, Key=key)

    def _read(self, key: str) -> bytes | None:
        """None if it was redriven or has expired meanwhile."""
        try:
            answer = self._open_client().get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        raw: bytes = answer["Body"].read()
        return raw


def _judge_record(record: Mapping[str, Any], subject: Subject) -> Judgement:
    """Whether the order of a stream record belongs to the customer, by its key and its images.

    A record that can't be read as an order is searched as bytes, and only a person deletes it.
    """
    try:
        return _judge_images(record, subject)
    except (LookupError, TypeError, ValueError, AttributeError):
        found = judge_raw(json.dumps(record).encode(), subject, connection=None)
        return NOTHING if found.verdict is Verdict.OTHERS else BESIDE_OTHERS


def _judge_images(record: Mapping[str, Any], subject: Subject) -> Judgement:
    order = order_of(from_item(record["dynamodb"]["Keys"]))
    if subject.owns_order(order.connection, order.order_id):
        return THEIRS
    for name in ("NewImage", "OldImage"):
        if image := record["dynamodb"].get(name):
            tracked = tracked_order(from_item(image))
            details, key = tracked.order.details, tracked.order.key
            return judge_details(details, key, subject.as_of(began(tracked)))
    return NOTHING


class SearchIndexBehind:
    """Implements ``place.Place``: changes that are missing in the search index, which is used to
    find a customer's orders. They contain no personal data, but some of the customer's orders may
    not be found."""

    name = "search_index"

    def __init__(self, client: "SQSClient", *, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:  # noqa: ARG002 - as every place
        try:
            answer = self._client.get_queue_attributes(
                QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        except AWS_FAILED as error:
            raise PlaceNotRead(
                f"the queue MeasureFailures can't be read now ({name_of(error)})"
            ) from None
        number = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        if number == 0:
            return Swept()
        why = (
            f"{number} batches of changes are missing in it, so some of their "
            'orders may not be found: see docs/runbook.md, "A change was not '
            'counted", then erase again'
        )
        return Swept(left=[Left(place=self.name, where="MeasureFailures", why=why)])
