"""Reading untrusted JSON: a value, or BadPayload."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.errors import BadPayload
from milepost.common.strict_json import (
    MOST_DIGITS,
    canonical_json,
    read_json,
    read_object,
    write_json,
)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b'{"a": 1',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": "\xff"}',
        b'\xff\xfe{\x00"\x00',
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b'{"a": 1}{"b": 2}',
        b'{"a": 01}',
        b"{'a': 1}",
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": 0.' + b"1" * 5_000 + b"}",
        b'{"a": 1e9999999999999999999}',
        b'{"a": 1e999999999}',
        b'{"a": -1e-999999999}',
        b'{"a": "\\u0041", "b": 1e999999999}',
    ],
    ids=lambda raw: raw[:24].decode("latin-1"),
)
def test_what_is_not_plain_json_is_a_bad_payload(raw: bytes) -> None:
    with pytest.raises(BadPayload):
        read_json(raw)


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"text"', b"null", b"true"])
def test_what_is_no_object_is_a_bad_payload(raw: bytes) -> None:
    with pytest.raises(BadPayload):
        read_object(raw)


def test_amounts_are_exact() -> None:
    raw = b'{"a": 149.90, "b": 0.1000000000000000055511151231257827, "c": 12345678901234567890}'
    assert read_object(raw) == {
        "a": Decimal("149.90"),
        "b": Decimal("0.1000000000000000055511151231257827"),
        "c": 12345678901234567890,
    }


def test_a_byte_order_mark_is_skipped() -> None:
    assert read_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_what_is_nested_deeper_than_the_stack_is_written() -> None:
    deep: object = Decimal("1.50")
    for _ in range(50_000):
        deep = [deep]
    written = write_json({"a": deep, "b": []})
    assert written == '{"a":' + "[" * 50_000 + "1.50" + "]" * 50_000 + ',"b":[]}'


def test_half_a_character_is_written_so_that_it_can_be_encoded() -> None:
    assert write_json({"a": "\ud800"}).encode() == b'{"a":"\\ud800"}'


def test_an_escaped_pair_of_surrogates_is_a_character() -> None:
    assert read_object(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_a_refusal_names_none_of_the_data() -> None:
    with pytest.raises(BadPayload) as refusal:
        read_object(b'{"email": "charlotte@example.com", "x": }')
    assert "charlotte" not in str(refusal.value)


def test_the_largest_number_that_is_read_can_be_written() -> None:
    value = read_json(f"[1e{MOST_DIGITS}, 1e-{MOST_DIGITS}]".encode())
    assert len(canonical_json(value)) < 3 * MOST_DIGITS


@given(st.binary(max_size=200))
def test_no_bytes_give_anything_but_a_value_or_a_bad_payload(raw: bytes) -> None:
    try:
        canonical_json(read_json(raw)).encode()
    except BadPayload as refusal:
        assert str(refusal)  # noqa: PT017 - either way out is right


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    )
)
def test_all_json_is_read_as_it_was_written(value: object) -> None:
    raw = canonical_json(value)
    assert read_json(raw.encode()) == value


@pytest.mark.parametrize(
    "text", ['{"a": 75.50, "b": [1, true, null, "\\u00e9\\n"], "c": {"d": 1E+3}}', "[]", "0.10"]
)
def test_what_is_written_is_read_as_the_same(text: str) -> None:
    value = read_json(text.encode())
    assert read_json(write_json(value).encode()) == value
