"""Lists as files: ``Accept: text/csv`` or ``application/jsonl`` instead of JSON.

The file is read page by page from the list's own route, so it has the same rows, filters, order and
permissions as the list.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from milepost.api.listings import BOM, COLUMNS, FILE_PARAMETERS, Listing
from milepost.api.problems import Fault, Problem
from milepost.exports.column_reading import ListColumns, Row, UnknownColumn
from milepost.exports.files import Format, header_of, lines_of

MOST_AT_ONCE: Final = 2_000
"""Maximum number of rows of a file in one response."""
MOST_BYTES: Final = 5_000_000
"""Maximum size of such a file: a Lambda response may have 6 MB."""
MOST_SECONDS: Final = 15.0
"""How long reading the list may take: an HTTP API waits for 30 seconds."""
ROWS_OF_A_PAGE: Final = 1_000
"""Rows of a page that is read for a file; a page of JSON has at most 100."""
_JSON: Final = "application/json"
_ALIASES: Final[Mapping[str, Format]] = {
    **{str(one): one for one in Format},
    "application/x-ndjson": Format.JSON_LINES,
    "application/jsonlines": Format.JSON_LINES,
}
_FOR_FILES: Final = "only with `Accept: text/csv` or `application/jsonl`"
_SWITCH: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}

Answer = Mapping[str, Any]
Ask = Callable[[Mapping[str, str]], Answer]
"""Calls the list's route with these parameters; returns the response of a Lambda integration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedFile:
    """A requested file."""

    listing: Listing
    file_format: Format
    columns: ListColumns
    is_chosen: bool
    bom: bool

    def text(self, rows: Sequence[Row]) -> str:
        """The whole file."""
        header = header_of(self.columns, file_format=self.file_format, bom=self.bom)
        return header + lines_of(
            rows, self.columns, file_format=self.file_format, is_chosen=self.is_chosen
        )


def format_of(accept: str | None) -> Format | None:
    """The file format that a request prefers to JSON; None for JSON.

    :param accept: the header ``Accept`` (RFC 9110, 12.5.1)
    """
    weights: dict[str, float] = {}
    for part in (accept or "").split(","):
        name, *parameters = (one.strip().lower() for one in part.split(";"))
        weights[name] = min((_weight(one) for one in parameters), default=1.0)
    files = [(weight, one) for name, weight in weights.items() if (one := _ALIASES.get(name))]
    best = max(files, default=None, key=lambda one: one[0])
    if best is None or best[0] == 0 or weights.get(_JSON, 0) >= best[0]:
        return None
    return best[1]


def refuse_parameters(query: Mapping[str, str]) -> None:
    """Refuse parameters of files on a list as JSON.

    :raises Problem: 422 for a parameter of files
    """
    if strange := [name for name in FILE_PARAMETERS if name in query]:
        faults = [Fault(where=f"query.{one}", what=_FOR_FILES) for one in strange]
        raise Problem(422, f"`{strange[0]}`: {_FOR_FILES}.", errors=faults)


def page_size(listing: Listing, query: Mapping[str, str]) -> int | None:
    """The number of rows on a page that is read for a file; None for the route's default.

    :raises Problem: 422 for an invalid number
    """
    said = query.get("limit")
    if said is None:
        return ROWS_OF_A_PAGE
    if not listing.has_large_pages:
        return None
    if not (said.isascii() and said.isdecimal() and 1 <= int(said[:9]) <= ROWS_OF_A_PAGE):
        what = f"a whole number from 1 to {ROWS_OF_A_PAGE:,}"
        raise Problem(422, f"`limit`: {what}.", errors=[Fault(where="query.limit", what=what)])
    return int(said)


def file_asked(listing: Listing, file_format: Format, query: Mapping[str, str]) -> RequestedFile:
    """The file that the request's parameters describe.

    :raises Problem: 422 for an unknown column or an invalid switch
    """
    columns, is_chosen = listing.columns, False
    named, fields = query.get(COLUMNS), query.get("fields")
    try:
        if named is not None:
            columns, is_chosen = columns.choose(_names(named)), True
        elif fields is not None and file_format is Format.CSV:
            columns = columns.of_fields(_names(fields))
    except UnknownColumn as error:
        fault = Fault(where=f"query.{COLUMNS}", what=str(error).rstrip("."))
        raise Problem(422, str(error), errors=[fault]) from None
    bom = _SWITCH.get(query.get(BOM, "false").lower())
    if bom is None:
        what = "write true or false"
        raise Problem(422, f"`{BOM}`: {what}.", errors=[Fault(where=f"query.{BOM}", what=what)])
    return RequestedFile(
        listing=listing, file_format=file_format, columns=columns, is_chosen=is_chosen, bom=bom
    )


def without_parameters(query: Mapping[str, str], *, of: RequestedFile) -> dict[str, str]:
    """The parameters of the list itself."""
    left_out = set(FILE_PARAMETERS)
    if of.is_chosen or of.file_format is Format.CSV:
        left_out.add("fields")
    if of.listing.has_large_pages:
        left_out.add("limit")
    return {name: value for name, value in query.items() if name not in left_out}


def answer_file(
    asked: RequestedFile, ask: Ask, *, query: Mapping[str, str], path: str
) -> dict[str, Any]:
    """The list as a file: the whole list, or the page that ``limit`` requests, with the next page
    in the header ``Link``. A response that isn't a list, such as a problem, is returned unchanged.

    :param query: the request's own parameters
    :raises Problem: 413 when the whole list is too long
    """
    listing = asked.listing
    parameters = without_parameters(query, of=asked)
    is_page = "limit" in query or listing.resume_by is None
    rows: list[Row] = []
    headers: dict[str, str] = {}
    ends = time.monotonic() + MOST_SECONDS
    while True:
        answered = ask(parameters)
        if answered["statusCode"] != 200:
            return dict(answered)
        body = json.loads(answered["body"])
        rows += body[listing.rows]
        following = body.get("next")
        if following is None or listing.resume_by is None:
            break
        parameters = {**parameters, listing.resume_by: following}
        if is_page:
            target = urlencode({**query, listing.resume_by: following})
            headers = {"link": f'<{path}?{target}>; rel="next"'}
            break
        if len(rows) > MOST_AT_ONCE or time.monotonic() > ends:
            raise _too_long()
    if len(rows) > MOST_AT_ONCE:
        raise _too_long()
    text = asked.text(rows)
    if len(text.encode()) > MOST_BYTES:
        raise _too_long()
    name = f"{listing.name}{asked.file_format.suffix}"
    return {
        "statusCode": 200,
        "headers": {
            "content-type": f"{asked.file_format}; charset=utf-8",
            "content-disposition": f'attachment; filename="{name}"',
            **headers,
        },
        "body": text,
        "isBase64Encoded": False,
    }


def _too_long() -> Problem:
    return Problem(
        413,
        f"The list has more than {MOST_AT_ONCE:,} rows, or takes too long for one answer: "
        "choose fewer by filters, or get it page by page with `limit` and `cursor`.",
    )


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")]


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
