"""The quarantine: what is authentic but can't be read, kept byte for byte."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from milepost.report import format_instant

_LONGEST_REASON: Final = 500


class Quarantine:
    """Objects ``quarantine/<connection>/<day>/<digest>``; the bucket lets them expire.

    The key follows from connection, day and bytes: a redelivery overwrites with the same.
    """

    def __init__(self, make_client: Callable[[], Any], *, bucket: str) -> None:
        # Seldom needed, so the client is made when it is: S3's is the slowest of all to make.
        self._make_client = make_client
        self._bucket = bucket

    def keep(
        self, body: bytes, *, connection_id: str, source: str, reason: str, at: datetime
    ) -> str:
        """Keep it and return its key. ``source`` is ``webhook`` or ``poll``."""
        digest = hashlib.sha256(body).hexdigest()[:32]
        key = f"quarantine/{connection_id}/{at.date().isoformat()}/{digest}"
        self._make_client().put_object(
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
