"""Responses to the browser, with the headers of each."""

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from milepost.exports.column_reading import ListColumns, Row
from milepost.exports.files import Format, header_of, lines_of

HTML: Final = "text/html; charset=utf-8"
_WORTH_COMPRESSING: Final = 1_000
_COMPRESSIBLE: Final = ("text/", "application/json", "image/svg")
_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "strict-transport-security": "max-age=31536000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response to the browser. It is not cached unless the headers say so."""

    status: int = 200
    body: bytes = b""
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()

    def with_cookie(self, cookie: str) -> "Answer":
        """The same response with one more cookie."""
        return replace(self, cookies=(*self.cookies, cookie))


def go_to(address: str, *, status: int = 303) -> Answer:
    """Redirect the browser to another address."""
    return Answer(status=status, headers={"location": address})


def download(text: str, *, name: str, content_type: str = "text/csv; charset=utf-8") -> Answer:
    """A file to download. ``name`` is its name, in ASCII."""
    return Answer(
        body=text.encode(),
        content_type=content_type,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def csv_download(rows: Sequence[Row], columns: ListColumns, *, name: str) -> Answer:
    """Rows of a list of the API as a CSV file to download, with the same columns."""
    text = header_of(columns, file_format=Format.CSV)
    return download(text + lines_of(rows, columns, file_format=Format.CSV), name=name)


def content_policy(login: str) -> str:
    """The Content-Security-Policy of every page.

    :param login: the origin of the sign-in pages, to which signing out leads
    """
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'; form-action 'self' {login}; base-uri 'none'; frame-ancestors 'none'"
    )


def proxy_answer(answer: Answer, *, policy: str, accepts: str) -> dict[str, Any]:
    """The response in the form of a Lambda integration (payload format 2.0).

    :param accepts: the request's ``Accept-Encoding``; an HTTP API doesn't compress
    """
    headers = {
        "content-type": answer.content_type,
        "cache-control": "no-store",
        "content-security-policy": policy,
        **_ALWAYS,
        **answer.headers,
    }
    body = answer.body
    is_text = answer.content_type.startswith(_COMPRESSIBLE)
    if is_text and "gzip" in accepts and len(body) >= _WORTH_COMPRESSING:
        body = gzip.compress(body, compresslevel=5, mtime=0)
        headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
        is_text = False
    return {
        "statusCode": answer.status,
        "headers": headers,
        "cookies": list(answer.cookies),
        "body": body.decode() if is_text else base64.b64encode(body).decode(),
        "isBase64Encoded": not is_text,
    }
