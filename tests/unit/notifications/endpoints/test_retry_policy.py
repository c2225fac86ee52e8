"""What follows from an endpoint's answer: wait, give up, switch off; and what is signed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.endpoints.owner_mail import switched_off_mail
from milepost.notifications.endpoints.retry_policy import (
    RETRY_AFTER,
    Answer,
    Failure,
    failure_of,
    is_to_switch_off,
    next_wait,
    rest_of_pause,
    wait_asked,
)
from milepost.notifications.endpoints.signed_message import (
    message_body,
    message_headers,
    message_id,
)
from milepost.notifications.notice import Channel
from milepost.orders.order import Kind
from milepost.webhooks.signatures import NoSecret, sign, verify
from tests.builders import NOON, announced, notice
from tests.signing import OTHER_SECRET, SECRET, standard_signature

ENDPOINT = Endpoint(
    subscription="crm", url="https://crm.example.com/hooks?key=hidden", owner="ops@example.org"
)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    assert failure_of(Answer(status), now=NOON) is None


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308])
def test_a_redirect_is_a_failure(status: int) -> None:
    failure = failure_of(Answer(status), now=NOON)
    assert failure == Failure(f"answered {status}: redirects are not followed")


@pytest.mark.parametrize(
    "status", [100, 101, 103, 199, 400, 401, 404, 409, 411, 429, 500, 503, 600]
)
def test_everything_else_is_a_failure_that_says_what_was_answered(status: int) -> None:
    assert failure_of(Answer(status), now=NOON) == Failure(f"answered {status}")


def test_410_says_that_the_endpoint_wants_no_more_whatever_else_it_says() -> None:
    gone = failure_of(Answer(410, "60"), now=NOON)
    assert gone == Failure("answered 410 Gone", is_gone=True)


def test_attempts_are_spread_over_three_days_and_then_end() -> None:
    failure = Failure("answered 500")
    waits = [next_wait(failure, attempt=attempt, chance=0) for attempt in range(10)]
    minutes = [wait.total_seconds() / 60 if wait else None for wait in waits]
    assert minutes == [5 / 60, 5, 30, 120, 300, 600, 840, 1200, 1440, None]


@pytest.mark.parametrize(
    ("chance", "seconds"), [(0, [5, 300, 1800]), (0.5, [6, 330, 1980]), (1, [6, 360, 2160])]
)
def test_retries_are_spread_so_that_what_failed_together_is_not_retried_together(
    chance: float, seconds: list[int]
) -> None:
    failure = Failure("answered 500")
    waits = [next_wait(failure, attempt=attempt, chance=chance) for attempt in range(3)]
    assert waits == [timedelta(seconds=one) for one in seconds]


def test_jitter_never_makes_an_endpoint_wait_less_than_it_asked_for() -> None:
    busy = Failure("answered 503", wait=timedelta(hours=1))
    assert next_wait(busy, attempt=0, chance=0) == timedelta(hours=1)
    assert next_wait(busy, attempt=0, chance=1) == timedelta(minutes=72)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("86401", 86400),
        ("9" * 5000, 86400),
        ("Mon, 02 Mar 2026 12:10:00 GMT", 600),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0),
        ("Wed, 04 Mar 2026 12:00:00 GMT", 86400),
        ("-5", 0),
        ("1.5", 0),
        ("\u00b2", 0),
        ("soon", 0),
        ("", 0),
        (None, 0),
        ("Mon, 02 Mar 99999 12:10:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86400),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
        ("Mon, 02 Mar 2026 12:10:00 -0000", 600),
        ("Mon, 02 Mar 2026 14:10:00 +0200", 600),
        ("Mon, 02 Mar 2026 12:10:00 +9999", 0),
        ("Monday, 02-Mar-26 12:10:00 GMT", 600),
        ("Mon Mar  2 12:10:00 2026", 600),
        ("Mon, 32 Mar 2026 12:10:00 GMT", 0),
        ("Mon, 02 Mar 2026 25:10:00 GMT", 0),
        ("999999999999", 86400),
        ("1e9", 0),
        ("+120", 0),
        ("120, 240", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(
    asked: str | None, seconds: int
) -> None:
    assert wait_asked(asked, now=NOON) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("status", "asked", "minutes"),
    [
        (429, "600", 10),
        (503, "600", 10),
        (503, "Mon, 02 Mar 2026 12:10:00 GMT", 10),
        (429, "86400", 60),
        (429, "0", 0),
        (429, None, 0),
        (503, "soon", 0),
        (500, "600", 0),
        (302, "600", 0),
        (410, "600", 0),
    ],
)
def test_who_says_that_it_is_busy_is_not_called_for_at_most_an_hour(
    status: int, asked: str | None, minutes: int
) -> None:
    failure = failure_of(Answer(status, asked), now=NOON)
    assert failure is not None
    assert failure.pause == timedelta(minutes=minutes)


def test_the_rest_of_a_pause_is_in_whole_seconds_and_never_too_short() -> None:
    paused = replace(ENDPOINT, not_before=NOON + timedelta(seconds=100))
    assert rest_of_pause(ENDPOINT, now=NOON, chance=1.0) is None
    assert rest_of_pause(paused, now=NOON, chance=0.0) == timedelta(seconds=100)
    assert rest_of_pause(paused, now=NOON, chance=1.0) == timedelta(seconds=120)
    a_moment_before = NOON + timedelta(seconds=99.999)
    assert rest_of_pause(paused, now=a_moment_before, chance=0.0) == timedelta(seconds=1)
    assert rest_of_pause(paused, now=NOON + timedelta(seconds=100), chance=1.0) is None


def test_a_longer_retry_after_is_honoured_and_a_shorter_one_is_not() -> None:
    longer = failure_of(Answer(503, "3600"), now=NOON)
    shorter = failure_of(Answer(503, "1"), now=NOON)
    assert longer is not None
    assert shorter is not None
    assert next_wait(longer, attempt=0, chance=0) == timedelta(hours=1)
    assert next_wait(shorter, attempt=0, chance=0) == RETRY_AFTER[0]


def test_an_endpoint_is_switched_off_after_more_than_five_days() -> None:
    five_days = NOON + timedelta(days=5)
    assert not is_to_switch_off(failing_since=NOON, now=five_days)
    assert is_to_switch_off(failing_since=NOON, now=five_days + timedelta(seconds=1))


def test_the_id_is_the_same_for_every_attempt_and_another_for_every_notice() -> None:
    to_us = notice(channel=Channel.HTTPS, recipient="https://a.example.com/")
    to_them = notice(channel=Channel.HTTPS, recipient="https://b.example.com/")
    assert message_id(to_us) == message_id(to_us) != message_id(to_them)
    assert "." not in message_id(to_us)


def test_a_message_is_signed_so_that_a_receiver_can_verify_it() -> None:
    told, one = announced(Kind.REJECTED, reference="Gr\u00fcnde 7"), notice(Kind.REJECTED)
    body = message_body(told)
    headers = message_headers(one, body, secrets=[SECRET], now=NOON)
    at = int(NOON.timestamp())
    expected = standard_signature(body, delivery_id=message_id(one), timestamp=at)
    assert headers["webhook-signature"] == expected
    given = {name: text for name, text in headers.items() if name.startswith("webhook-")}
    known = verify("standard-webhooks", headers=given, body=body, secrets=[SECRET], now=at)
    assert known == message_id(one)
    assert json.loads(body)["reference"] == "Gr\u00fcnde 7"


def test_the_example_in_the_documentation_verifies_our_messages() -> None:
    text = (Path(__file__).parents[4] / "docs" / "endpoints.md").read_text()
    example = text.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102 - our own documentation
    body = message_body(announced())
    headers = message_headers(notice(), body, secrets=[SECRET], now=datetime.now(UTC))
    assert names["is_authentic"](headers, body, SECRET)
    assert not names["is_authentic"](headers, body + b" ", SECRET)
    assert not names["is_authentic"](headers, body, OTHER_SECRET)
    old = message_headers(notice(), body, secrets=[SECRET], now=NOON)
    assert not names["is_authentic"](old, body, SECRET)


def test_a_message_is_signed_as_the_specifications_test_vector_is() -> None:
    # Source: standard-webhooks/standard-webhooks, the "sign function works" test of its libraries.
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        delivery_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_vectors_signature_verifies_also_among_others() -> None:
    # Source: the same libraries, "multi sig payload is valid".
    signatures = (
        "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= "
        "v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= "
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= "
        "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
    )
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": signatures,
    }
    known = verify(
        "standard-webhooks",
        headers=headers,
        body=b'{"test": 2432232314}',
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        now=1614265330,
    )
    assert known == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_during_a_rotation_a_message_verifies_by_either_secret_alone() -> None:
    body = message_body(announced())
    headers = message_headers(notice(), body, secrets=[SECRET, OTHER_SECRET], now=NOON)
    first, second = headers["webhook-signature"].split(" ")
    assert (first[:3], second[:3], first != second) == ("v1,", "v1,", True)
    given = {name: text for name, text in headers.items() if name.startswith("webhook-")}
    for secret in (SECRET, OTHER_SECRET):
        assert verify(
            "standard-webhooks",
            headers=given,
            body=body,
            secrets=[secret],
            now=NOON.timestamp(),
        ) == message_id(notice())


def test_without_any_secret_nothing_is_signed() -> None:
    with pytest.raises(NoSecret):
        message_headers(notice(), b"{}", secrets=[], now=NOON)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64"])
def test_nothing_is_signed_without_a_secret(secret: str) -> None:
    with pytest.raises(NoSecret):
        message_headers(notice(), b"{}", secrets=[secret], now=NOON)


def test_the_owner_learns_what_failed_but_no_key_of_the_url() -> None:
    mail = switched_off_mail(ENDPOINT, to="ops@example.org", failure="answered 500", since=NOON)
    for part in (mail.text, mail.html):
        assert "https://crm.example.com/hooks" in part
        assert "answered 500" in part
        assert "2026-03-02 12:00 UTC" in part
        assert "hidden" not in part
    assert mail.subject == "Switched off: crm.example.com"


def test_the_owner_of_an_endpoint_that_is_gone_learns_that_it_said_so() -> None:
    mail = switched_off_mail(ENDPOINT, to="o@example.org", failure="answered 410 Gone", since=None)
    assert "It answered 410 Gone, which says that it wants no more messages." in mail.text
    assert "has failed" not in mail.text


def test_markup_in_an_endpoints_mail_is_inert() -> None:
    failure = "its certificate is not valid: <b>evil</b>"
    mail = switched_off_mail(ENDPOINT, to="ops@example.org", failure=failure, since=NOON)
    assert "&lt;b&gt;evil" in mail.html
