"""Secrets of endpoints: which sign when, during a rotation and after it."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from milepost.notifications.endpoints.secret_rotation import (
    KEEP_PREVIOUS,
    MOST_PREVIOUS,
    current_secret,
    has_right_length,
    live_secrets,
    previous_until,
    rotate,
)
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from milepost.webhooks.signatures import make_signing_secret
from tests.builders import NOON
from tests.signing import OTHER_SECRET, SECRET

HOUR = timedelta(hours=1)


def rotated(entry: Any = SECRET, *, new: str = OTHER_SECRET, **changes: Any) -> Any:
    return rotate(entry, new=new, **{"now": NOON, "keep_for": KEEP_PREVIOUS, **changes})


def test_a_secret_that_was_never_rotated_signs_alone() -> None:
    assert live_secrets(SECRET, now=NOON) == (SECRET,)
    assert current_secret(SECRET) == SECRET
    assert previous_until(SECRET, now=NOON) is None


def test_the_new_secret_signs_first_and_the_old_one_until_its_time_is_over() -> None:
    entry = rotated()
    ends = NOON + KEEP_PREVIOUS
    assert live_secrets(entry, now=NOON) == (OTHER_SECRET, SECRET)
    assert live_secrets(entry, now=ends - timedelta(seconds=1)) == (OTHER_SECRET, SECRET)
    assert live_secrets(entry, now=ends) == (OTHER_SECRET,)
    assert previous_until(entry, now=NOON) == ends
    assert previous_until(entry, now=ends) is None


def test_a_secret_that_others_may_know_ends_at_once_and_so_do_those_before_it() -> None:
    twice = rotated(rotated(), new="whsec_third", keep_for=timedelta(0))
    assert live_secrets(twice, now=NOON) == ("whsec_third",)


def test_a_second_rotation_ends_no_earlier_one_before_its_time() -> None:
    entry = rotated(rotated(), new="whsec_third", now=NOON + HOUR)
    assert live_secrets(entry, now=NOON + HOUR) == ("whsec_third", OTHER_SECRET, SECRET)
    after = NOON + KEEP_PREVIOUS
    assert live_secrets(entry, now=after) == ("whsec_third", OTHER_SECRET)


def test_however_often_it_is_rotated_a_few_secrets_sign() -> None:
    entry: Any = SECRET
    for number in range(20):
        entry = rotated(entry, new=f"whsec_{number}")
    assert len(live_secrets(entry, now=NOON)) == 1 + MOST_PREVIOUS
    assert current_secret(entry) == "whsec_19"


def test_a_request_that_is_repeated_makes_no_other_secret() -> None:
    first = rotated(request="r1")
    assert rotated(first, new="whsec_third", request="r1") == first
    assert current_secret(rotated(first, new="whsec_third", request="r2")) == "whsec_third"


def test_the_same_secret_again_changes_nothing() -> None:
    entry = rotated()
    assert rotated(entry, new=OTHER_SECRET, now=NOON + HOUR) == entry


@pytest.mark.parametrize("entry", [None, "", {}, {"current": ""}, {"current": 7}])
def test_what_is_no_secret_signs_nothing(entry: Any) -> None:
    assert live_secrets(entry, now=NOON) == ()


def test_a_previous_one_that_can_not_be_read_leaves_the_current_one() -> None:
    broken = [{"secret": "a", "until": "soon"}, {"secret": "b"}, "c"]
    assert live_secrets({"current": SECRET, "previous": broken}, now=NOON) == (SECRET,)


@pytest.mark.parametrize(
    ("size", "is_right"), [(23, False), (24, True), (32, True), (64, True), (65, False)]
)
def test_a_secret_has_24_to_64_bytes(size: int, is_right: bool) -> None:
    secret = "whsec_" + base64.b64encode(b"x" * size).decode()
    assert has_right_length(secret) is is_right


def test_a_secret_that_we_make_has_the_right_length() -> None:
    assert has_right_length(make_signing_secret(STANDARD_WEBHOOKS))
