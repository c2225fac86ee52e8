"""Digests of the orders of the last poll: one object a connection, 16 bytes an order."""

from typing import Any

from botocore.exceptions import ClientError

from milepost.pages import DIGEST_BYTES


class DigestsBucket:
    """Implements ``polling.Digests``."""

    def __init__(self, client: Any, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def load(self, name: str) -> frozenset[bytes]:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=_key(name))
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return frozenset()
            raise
        blob = answer["Body"].read()
        return frozenset(
            blob[start : start + DIGEST_BYTES] for start in range(0, len(blob), DIGEST_BYTES)
        )

    def save(self, name: str, digests: set[bytes]) -> None:
        self._client.put_object(Bucket=self._bucket, Key=_key(name), Body=b"".join(sorted(digests)))


def _key(name: str) -> str:
    return f"digests/{name}"
