"""ExportsBucket: the files of exports, each with an index of the orders and addresses in it.

``exports/<id>.csv`` is the file, ``index/<id>`` the index: ids of orders and addresses, one a line,
compressed. The index is written before the file, so an erasure finds every file by its index.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from milepost.aws.errors import AWS_FAILED
from milepost.exports.export import LINK_HOLDS, Export

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PART: Final = 8 * 1024 * 1024
"""Bytes of a part of a large file. S3 requires at least 5 MB, and allows 10,000 parts."""
_FILES: Final = "exports/"
_INDEXES: Final = "index/"


class ExportFiles:
    """Implements ``export.Files``."""

    def __init__(self, make_client: "Callable[[], S3Client]", *, bucket: str) -> None:
        self._make_client = make_client
        self._bucket = bucket

    def open(self, export: Export) -> "ExportFile":
        return ExportFile(self._make_client(), self._bucket, export)

    def link(self, export: Export) -> str:
        link: str = self._make_client().generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": _file_key(export),
                "ResponseContentDisposition": f'attachment; filename="{export.file_name}"',
                "ResponseContentType": f"{export.file_format}; charset=utf-8",
                "ResponseCacheControl": "no-store",
            },
            ExpiresIn=int(LINK_HOLDS.total_seconds()),
        )
        return link

    def indexed(self) -> Iterator[str]:
        """The ids of all exports that have a file, or will have one soon."""
        pages = (
            self._make_client()
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self._bucket, Prefix=_INDEXES)
        )
        for page in pages:
            yield from (one["Key"].removeprefix(_INDEXES) for one in page.get("Contents", []))

    def named(self, export_id: str) -> list[str]:
        """The orders and addresses in a file; empty if it was deleted in the meantime."""
        try:
            answer = self._make_client().get_object(
                Bucket=self._bucket, Key=f"{_INDEXES}{export_id}"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return []
            raise
        return gzip.decompress(answer["Body"].read()).decode().split("\n")

    def delete(self, export_id: str) -> None:
        """Delete a file in any format, and then its index."""
        client = self._make_client()
        for suffix in (".csv", ".jsonl"):
            client.delete_object(Bucket=self._bucket, Key=f"{_FILES}{export_id}{suffix}")
        client.delete_object(Bucket=self._bucket, Key=f"{_INDEXES}{export_id}")


class ExportFile:
    """Implements ``export.Writing``: a multipart upload, or one object if the file is small."""

    def __init__(self, client: "S3Client", bucket: str, export: Export) -> None:
        self._client = client
        self._place: Any = {"Bucket": bucket, "Key": _file_key(export)}
        self._index: Any = {"Bucket": bucket, "Key": f"{_INDEXES}{export.id}"}
        self._content_type = f"{export.file_format}; charset=utf-8"
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._waiting = bytearray()
        self._size = 0

    def write(self, text: str) -> None:
        said = text.encode()
        self._size += len(said)
        self._waiting += said
        if len(self._waiting) >= _PART:
            self._send()

    def finish(self, named: Iterable[str]) -> int:
        body = gzip.compress("\n".join(named).encode(), compresslevel=5)
        self._client.put_object(**self._index, Body=body)
        if self._upload is None:
            self._client.put_object(
                **self._place, Body=bytes(self._waiting), ContentType=self._content_type
            )
            return self._size
        if self._waiting:
            self._send()
        self._client.complete_multipart_upload(
            **self._place,
            UploadId=self._upload,
            MultipartUpload={"Parts": self._parts},  # type: ignore[typeddict-item]
        )
        return self._size

    def abort(self) -> None:
        """Remove the parts that were uploaded. If that fails, a lifecycle rule of the bucket
        removes them.
        """
        if self._upload is None:
            return
        try:
            self._client.abort_multipart_upload(**self._place, UploadId=self._upload)
        except AWS_FAILED:
            return

    def _send(self) -> None:
        if self._upload is None:
            answer = self._client.create_multipart_upload(
                **self._place, ContentType=self._content_type
            )
            self._upload = answer["UploadId"]
        number = len(self._parts) + 1
        sent = self._client.upload_part(
            **self._place,
            UploadId=self._upload,
            PartNumber=number,
            Body=bytes(self._waiting),
        )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        self._waiting.clear()


def _file_key(export: Export) -> str:
    return f"{_FILES}{export.id}{export.file_format.suffix}"
