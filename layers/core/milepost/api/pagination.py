"""Pages of lists: how many entries a page has, and cursors, which say where the next page begins.

Cursors are signed, so that clients can't make up positions.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Protocol

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.api.problems import Problem
from milepost.api.text_patterns import CURSOR

_DIGEST: Final = hashlib.sha256
_SIZE: Final = 32
_PURPOSE: Final = b"milepost cursor 1"

MOST_IN_A_PAGE: Final = 100
"""Maximum number of entries of a page, in every list whose entries cost little to read."""
MOST_IN_A_SMALL_PAGE: Final = 50
"""The same for lists whose entries cost more to read: orders with commissions, dead letters."""

Limit = Annotated[int, Query(ge=1, le=MOST_IN_A_PAGE)]
"""A query parameter: how many entries a page may have."""
Cursor = Annotated[str, Field(max_length=4_000, pattern=CURSOR)]
"""A query parameter: the ``next`` of a page."""


class BadCursor(Problem):
    """Not a cursor of this list: truncated, changed, or of a list with other filters."""

    def __init__(self) -> None:
        super().__init__(
            400, "This is not a cursor of this list: start without a cursor, with the same filters."
        )


class CursorKeys(Protocol):
    """The keys of cursors: the first one signs, and all of them verify."""

    def keys(self) -> Sequence[bytes]: ...


def write_cursor(place: Any, *, of_list: str, keys: Sequence[bytes]) -> str:
    """Sign a position as a cursor: text that is safe in a URL.

    :param place: any JSON value
    :param of_list: the identity of the list, such as its filters
    """
    said = json.dumps(place, separators=(",", ":"), ensure_ascii=False).encode()
    return _text(_sign(said, of_list, keys[0]) + said)


def read_cursor(cursor: str, *, of_list: str, keys: Sequence[bytes]) -> Any:
    """The position in a cursor.

    :raises BadCursor: for anything that ``write_cursor`` did not write for this list
    """
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except (binascii.Error, UnicodeEncodeError):
        raise BadCursor from None
    signature, said = raw[:_SIZE], raw[_SIZE:]
    # Each position has exactly one cursor: base64 alone allows several spellings.
    is_ours = _text(raw) == cursor and any(
        hmac.compare_digest(signature, _sign(said, of_list, key)) for key in keys
    )
    if not is_ours:
        raise BadCursor
    return json.loads(said)


def _sign(said: bytes, of_list: str, key: bytes) -> bytes:
    name = of_list.encode("utf-8", "surrogatepass")
    message = b"".join([_PURPOSE, len(name).to_bytes(8, "big"), name, said])
    return hmac.digest(key, message, _DIGEST)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
