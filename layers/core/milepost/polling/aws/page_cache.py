"""The page cache in S3. Short: one object for each connection."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from milepost.polling.page_cache import Seen

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class PageCacheBucket:
    """Implements ``remembered_pages.PageHashes``."""

    def __init__(self, client: "S3Client", *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def load(self, name: str) -> Seen:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=_key(name))
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return Seen()
            raise
        return Seen.from_bytes(answer["Body"].read())

    def save(self, name: str, seen: Seen) -> None:
        self._client.put_object(Bucket=self._bucket, Key=_key(name), Body=bytes(seen))


def _key(name: str) -> str:
    return f"digests/{name}"
