"""Mentions: what a text says, however it is encoded."""

import base64
import gzip
import html
import json
import quopri
import zlib
from urllib.parse import quote

import pytest

from milepost.operations.erasure.encoded_text import emails_in, leaves, readings, text_of, value_of

EMAIL = "jürgen.groß@example.com"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


LINES = base64.encodebytes(" ".join([EMAIL] * 3).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        EMAIL,
        json.dumps(EMAIL),
        json.dumps(json.dumps(EMAIL)),
        quote(EMAIL, safe=""),
        quote(quote(EMAIL, safe=""), safe=""),
        quote(EMAIL, safe="", encoding="latin-1"),
        f"to={quote(EMAIL, safe='')}&x=1",
        html.escape(EMAIL.replace("@", "&#64;")),
        EMAIL.replace("ü", "&uuml;").replace("ß", "&szlig;"),
        quopri.encodestring(EMAIL.encode()).decode(),
        quopri.encodestring(("x" * 70 + " " + EMAIL).encode()).decode(),
        b64(EMAIL),
        b64(b64(EMAIL)),
        base64.urlsafe_b64encode(EMAIL.encode()).decode().rstrip("="),
        f"To: =?utf-8?B?{b64(EMAIL)}?=",
        "=?utf-8?Q?j=C3=BCrgen=2Egro=C3=9F?=@example.com",
        "ju\u0308rgen.groß@example.com",
        EMAIL.replace("@", "\uff20"),
        b64(quote(EMAIL, safe="")),
        "".join(f"\\x{byte:02x}" for byte in EMAIL.encode()),
        EMAIL.replace("@", "\\u{40}"),
        EMAIL.encode().hex(),
        f"id=0x{EMAIL.encode().hex().upper()};",
        base64.b64encode(zlib.compress(EMAIL.encode())).decode(),
        f"--part\r\n\r\n{LINES}\r\n--part--",
    ],
)
def test_an_address_is_found_in_every_encoding(text: str) -> None:
    found = {one for reading in readings(text) for several in emails_in(reading) for one in several}
    assert EMAIL in found


@pytest.mark.parametrize(
    "raw",
    [
        EMAIL.encode(),
        EMAIL.encode("latin-1"),
        EMAIL.encode("utf-16"),
        EMAIL.encode("utf-16-le"),
        zlib.compress(EMAIL.encode()),
        gzip.compress(EMAIL.encode(), mtime=0),  # a time in it would name the test differently
    ],
)
def test_bytes_are_read_in_every_charset(raw: bytes) -> None:
    assert EMAIL in text_of(raw)


def test_leaves_are_every_text_number_and_name_also_of_repeated_members() -> None:
    value = value_of('{"a": "one", "a": ["two", {"b": 3}], "c": null, "d": true, "e": NaN}')
    assert set(leaves(value)) == {"a", "one", "two", "b", "3", "c", "d", "e", "nan"}


@pytest.mark.parametrize("text", ["", "12", '"x"', "{broken", "[" * 100_000, "text"])
def test_what_is_no_json_document_is_none(text: str) -> None:
    assert value_of(text) is None


@pytest.mark.parametrize("text", ["%" * 1000, "=?" * 1000, "&" * 1000, "\\u" * 1000, "A" * 5000])
def test_hostile_texts_have_few_readings(text: str) -> None:
    assert len(readings(text)) < 20
