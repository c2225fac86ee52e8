"""Links to the tracking page: only what was signed here counts, and only as what it is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.connections.connection import TrackingPage
from milepost.notifications.mail import unsubscribe
from milepost.orders.order import OrderKey
from milepost.tracking_page.link import (
    BadTrackingLink,
    TrackingIsOff,
    TrackingLink,
    TrackingLinks,
    read_token,
    token_of,
)
from tests.builders import KEY, NOON, OFFERGRID
from tests.unit.tracking_page.fake_tracking import FixedKeys, Versions, with_tracking

KEYS = [b"k" * 32]
LINK = TrackingLink(key=KEY, version=3, expires=datetime(2026, 9, 1, tzinfo=UTC))


@given(ids=st.tuples(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1)))
def test_a_link_says_what_it_was_made_for_whatever_the_ids_are(ids: tuple[str, str, str]) -> None:
    link = TrackingLink(key=OrderKey(*ids), version=1, expires=LINK.expires)
    try:
        token = token_of(link, KEYS[0])
    except UnicodeEncodeError:
        return  # a lone surrogate, which no stored id can have
    if len(token) <= 2048:
        assert read_token(token, KEYS) == link


@pytest.mark.parametrize("place", range(0, len(token_of(LINK, KEYS[0])), 7))
def test_a_link_with_one_changed_character_is_none(place: int) -> None:
    token = token_of(LINK, KEYS[0])
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    with pytest.raises(BadTrackingLink):
        read_token(changed, KEYS)


@pytest.mark.parametrize("text", ["", ".", "..", "1..", "é", "1." + "A" * 5_000, "1.e30.e30"])
def test_no_other_text_is_a_link(text: str) -> None:
    with pytest.raises(BadTrackingLink):
        read_token(text, KEYS)


def test_an_unsubscribe_link_is_no_tracking_link_and_the_other_way_round() -> None:
    ending = unsubscribe.token_of(unsubscribe.Ending(customer="a" * 64), KEYS[0])
    with pytest.raises(BadTrackingLink):
        read_token(ending, KEYS)
    with pytest.raises(unsubscribe.BadLink):
        unsubscribe.read_token(token_of(LINK, KEYS[0]), KEYS)


def test_a_link_counts_with_the_key_before_the_current_one_and_no_longer_after_that() -> None:
    token = token_of(LINK, b"old")
    assert read_token(token, [b"new", b"old"]) == LINK
    with pytest.raises(BadTrackingLink):
        read_token(token, [b"newest", b"new"])


def test_a_link_is_valid_for_the_days_of_its_connection_and_has_the_current_version() -> None:
    links = TrackingLinks(
        keys=FixedKeys(KEYS), versions=Versions({KEY: 4}), public_url="https://api.example/"
    )
    made = links.make(KEY, with_tracking(OFFERGRID, TrackingPage(days=30)), now=NOON)
    address, _, token = made.url.rpartition("/")
    assert address == "https://api.example/track"
    assert made.expires == NOON + timedelta(days=30)
    assert read_token(token, KEYS) == TrackingLink(key=KEY, version=4, expires=made.expires)


def test_no_link_is_made_where_the_connection_has_no_tracking_page() -> None:
    links = TrackingLinks(keys=FixedKeys(KEYS), versions=Versions(), public_url="https://a.example")
    with pytest.raises(TrackingIsOff, match="offergrid-home has no tracking page"):
        links.make(KEY, OFFERGRID, now=NOON)
