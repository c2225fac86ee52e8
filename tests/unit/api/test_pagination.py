"""Cursors: what was written is read back, and nothing else is."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.api.pagination import BadCursor, read_cursor, write_cursor

KEYS = (b"the present key", b"the key before")
PLACES = st.lists(st.text() | st.integers() | st.lists(st.text()), max_size=5)
NAMES = st.text(max_size=40)


@given(place=PLACES, name=NAMES)
def test_a_place_is_read_back_as_it_was(place: object, name: str) -> None:
    cursor = write_cursor(place, of_list=name, keys=KEYS)
    assert read_cursor(cursor, of_list=name, keys=KEYS) == place


def test_a_cursor_signed_before_the_key_was_rotated_still_counts() -> None:
    cursor = write_cursor([1], of_list="list", keys=KEYS[1:])
    assert read_cursor(cursor, of_list="list", keys=KEYS) == [1]
    with pytest.raises(BadCursor):
        read_cursor(cursor, of_list="list", keys=KEYS[:1])


@given(place=PLACES, name=NAMES, other=NAMES)
def test_a_cursor_of_another_list_is_refused(place: object, name: str, other: str) -> None:
    cursor = write_cursor(place, of_list=name, keys=KEYS)
    if other != name:
        with pytest.raises(BadCursor):
            read_cursor(cursor, of_list=other, keys=KEYS)


@given(place=PLACES, at=st.integers(min_value=0), letter=st.characters())
def test_a_cursor_with_any_letter_changed_is_refused(place: object, at: int, letter: str) -> None:
    cursor = write_cursor(place, of_list="list", keys=KEYS)
    at %= len(cursor)
    changed = cursor[:at] + letter + cursor[at + 1 :]
    if changed != cursor:
        with pytest.raises(BadCursor):
            read_cursor(changed, of_list="list", keys=KEYS)


@given(place=PLACES, end=st.integers(min_value=0))
def test_a_cursor_that_is_cut_off_is_refused(place: object, end: int) -> None:
    cursor = write_cursor(place, of_list="list", keys=KEYS)
    with pytest.raises(BadCursor):
        read_cursor(cursor[: end % len(cursor)], of_list="list", keys=KEYS)


@given(text=st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        read_cursor(text, of_list="list", keys=KEYS)


@given(said=st.binary(), signature=st.binary(min_size=32, max_size=32))
def test_a_signature_that_is_made_up_is_refused(said: bytes, signature: bytes) -> None:
    cursor = base64.urlsafe_b64encode(signature + said).rstrip(b"=").decode()
    with pytest.raises(BadCursor):
        read_cursor(cursor, of_list="list", keys=KEYS)
