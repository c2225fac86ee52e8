"""The quarantine's bucket: authentic payloads that can't be read, kept byte for byte."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from milepost.common.timestamps import format_instant, parse_instant
from milepost.orders.report import Source
from milepost.quarantine.replay import Kept, KeptId, NotKept

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LONGEST_REASON: Final = 500
_ROOT: Final = "quarantine/"


class Quarantine:
    """Objects ``quarantine/<connection>/<day>/<digest>``; a lifecycle rule of the bucket deletes
    them.

    The key is derived from connection, day and bytes: a redelivery writes the same object again.
    Implements ``replay.Quarantine``.
    """

    def __init__(self, make_client: "Callable[[], S3Client]", *, bucket: str) -> None:
        # Created at its first use: it is seldom needed, and S3's client is the slowest to create.
        self._open_client = cache(make_client)
        self._bucket = bucket

    def keep(
        self, body: bytes, *, connection_id: str, source: str, reason: str, at: datetime
    ) -> str:
        """Store a payload and return its key. ``source`` is ``webhook`` or ``poll``."""
        digest = hashlib.sha256(body).hexdigest()[:32]
        key = _key(KeptId(connection_id, at.date().isoformat(), digest))
        self._open_client().put_object(
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ContentType="application/octet-stream",
            Metadata={
                "reason": reason.encode("ascii", "replace").decode()[:_LONGEST_REASON],
                "source": source,
                "received-at": format_instant(at),
            },
        )
        return key

    def get(self, kept_id: KeptId) -> tuple[Kept, bytes]:
        answer = self._read("get_object", kept_id)
        return _kept(kept_id, answer), answer["Body"].read()

    def walk(
        self,
        *,
        connection_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: KeptId | None = None,
    ) -> Iterator[Kept]:
        days = since and since.date().isoformat(), until and until.date().isoformat()
        for kept_id in self._ids(connection_id, after):
            if (days[0] and kept_id.day < days[0]) or (days[1] and kept_id.day > days[1]):
                continue
            try:
                kept = _kept(kept_id, self._read("head_object", kept_id))
            except NotKept:
                continue
            if (since is None or kept.received_at >= since) and (
                until is None or kept.received_at < until
            ):
                yield kept

    def remove(self, kept_id: KeptId) -> None:
        """Delete a payload; a missing one is not an error."""
        self._open_client().delete_object(Bucket=self._bucket, Key=_key(kept_id))

    def _ids(self, connection_id: str | None, after: KeptId | None) -> Iterator[KeptId]:
        prefix = f"{_ROOT}{connection_id}/" if connection_id else _ROOT
        start: dict[str, Any] = {"StartAfter": _key(after)} if after else {}
        pages = (
            self._open_client()
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self._bucket, Prefix=prefix, **start)
        )
        for page in pages:
            for one in page.get("Contents", []):
                yield KeptId(*one["Key"].removeprefix(_ROOT).split("/"))

    def _read(self, operation: str, kept_id: KeptId) -> Any:
        read = getattr(self._open_client(), operation)
        try:
            return read(Bucket=self._bucket, Key=_key(kept_id))
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                raise NotKept(f"There is nothing {kept_id.path_id} in the quarantine") from None
            raise


_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
"""Errors of S3 for a GET, and for a HEAD, whose response has no body."""


def _key(kept_id: KeptId) -> str:
    return f"{_ROOT}{kept_id.connection}/{kept_id.day}/{kept_id.digest}"


def _kept(kept_id: KeptId, answer: Mapping[str, Any]) -> Kept:
    said = answer["Metadata"]
    return Kept(
        id=kept_id,
        source=Source(said["source"]),
        reason=said["reason"],
        received_at=parse_instant(said["received-at"]),
        size=answer["ContentLength"],
    )
