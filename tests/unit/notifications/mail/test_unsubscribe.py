"""Links that end mails: what they hold, who can make them, and what a request does."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.email_addresses import address_hash
from milepost.notifications.mail.rendering.compose import unsubscribe_headers
from milepost.notifications.mail.unsubscribe import (
    BadLink,
    Ending,
    NoLinkKey,
    UnsubscribeLinks,
    UnsubscribeOutcome,
    answer,
    ending_of,
    read_token,
    token_of,
)
from milepost.notifications.notice import Audience
from tests.builders import NOON, notice

KEY, OLD_KEY = b"key of today", b"key of yesterday"
TEAM = Ending(recipient=address_hash("sales@example.org"))
OLD = Ending(subscriptions=("sales",))
CUSTOMER = Ending(customer=address_hash("lena@example.de"))


@dataclass
class Keys:
    found: tuple[bytes, ...] = (KEY, OLD_KEY)

    def keys(self) -> Sequence[bytes]:
        if not self.found:
            raise NoLinkKey
        return self.found


@dataclass
class MemoryEndings:
    ended: list[tuple[str, str]] = field(default_factory=list)

    def end_subscription(self, subscription_id: str, *, reason: str) -> None:
        self.ended.append((subscription_id, reason))

    def end_recipient(self, digest: str, *, reason: str) -> None:
        self.ended.append((digest, reason))

    def suppress_customer(self, digest: str, *, reason: str, at: datetime) -> None:
        self.ended.append((digest, reason))


def ask(
    method: str, token: str, keys: Keys | None = None
) -> tuple[UnsubscribeOutcome, MemoryEndings]:
    endings = MemoryEndings()
    answered = answer(method, token, keys=keys or Keys(), endings=endings, now=NOON)
    return answered.outcome, endings


@given(
    st.lists(st.text(max_size=40), max_size=5).map(lambda ids: tuple(sorted(set(ids)))),
    st.none() | st.just("cd" * 16),
    st.none() | st.just("ab" * 16),
)
def test_a_link_says_what_it_ends(
    subscriptions: tuple[str, ...], recipient: str | None, customer: str | None
) -> None:
    ending = Ending(subscriptions=subscriptions, recipient=recipient, customer=customer)
    token = token_of(ending, KEY)
    assert read_token(token, [KEY]) == ending
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()


def test_a_link_of_the_key_before_still_works() -> None:
    assert read_token(token_of(TEAM, OLD_KEY), [KEY, OLD_KEY]) == TEAM


@pytest.mark.parametrize("ending", [TEAM, OLD, CUSTOMER])
def test_every_link_with_one_character_changed_is_bad(ending: Ending) -> None:
    token = token_of(ending, KEY)
    for place, character in enumerate(token):
        other = "A" if character != "A" else "B"
        with pytest.raises(BadLink):
            read_token(token[:place] + other + token[place + 1 :], [KEY])


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "1", "1.e30", "1.e30.", "ä.ö.ü", "A" * 5000, "1." + "A" * 100_000, "1.\n.x"],
)
def test_a_malformed_link_is_bad_and_nothing_else(token: str) -> None:
    with pytest.raises(BadLink):
        read_token(token, [KEY])


@given(st.text())
def test_no_text_opens_anything(token: str) -> None:
    with pytest.raises(BadLink):
        read_token(token, [KEY])


def test_a_link_signed_by_another_key_is_bad() -> None:
    with pytest.raises(BadLink):
        read_token(token_of(TEAM, b"another"), [KEY, OLD_KEY])


def test_a_link_holds_no_address() -> None:
    one = notice(recipient="lena@example.de", audience=Audience.CUSTOMER)
    url = UnsubscribeLinks(Keys(), "https://api.example.org/").url_for([one])
    assert url is not None
    assert url.startswith("https://api.example.org/unsubscribe/1.")
    _, content, _ = url.rpartition("/")[2].split(".")
    shown = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
    assert b"lena" not in shown


def test_a_digests_link_ends_every_subscription_that_it_answers_to() -> None:
    notices = [notice(subscription=name) for name in ("sales", "board", "sales")]
    customer = notice(audience=Audience.CUSTOMER, recipient=" Sales@Example.org")
    ending = ending_of([*notices, customer])
    assert ending.recipient == address_hash("sales@example.org")
    assert ending.customer == address_hash("sales@example.org")


@pytest.mark.parametrize("count", [1, 2, 50, 1000])
def test_a_link_fits_into_a_header_whatever_the_number_of_subscriptions(count: int) -> None:
    notices = [notice(subscription=f"sub-{number:016x}") for number in range(count)]
    notices.append(notice(audience=Audience.CUSTOMER))
    longest = f"https://{'a' * 63}.execute-api.ap-southeast-2.amazonaws.com.cn/{'b' * 200}"
    url = UnsubscribeLinks(Keys(), longest).url_for(notices)
    assert url is not None
    # Source: Amazon SES API v2, MessageHeader: a value has at most 870 characters.
    assert len(unsubscribe_headers(url)["List-Unsubscribe"]) <= 870


@pytest.mark.parametrize("ids", [("sales",), ("board", "sales")])
def test_a_link_of_an_earlier_version_ends_what_it_names(ids: tuple[str, ...]) -> None:
    outcome, endings = ask("POST", token_of(Ending(subscriptions=ids), KEY))
    assert outcome is UnsubscribeOutcome.ENDED
    assert [name for name, _ in endings.ended] == list(ids)


def test_a_mail_without_a_subscription_has_no_link() -> None:
    assert UnsubscribeLinks(Keys(), "https://api.example.org").url_for([notice()]) is None


def test_following_the_link_ends_nothing() -> None:
    outcome, endings = ask("GET", token_of(TEAM, KEY))
    assert (outcome, endings.ended) == (UnsubscribeOutcome.ASKED, [])


def test_one_click_ends_the_subscription_and_says_when() -> None:
    outcome, endings = ask("POST", token_of(TEAM, KEY))
    assert outcome is UnsubscribeOutcome.ENDED
    assert endings.ended == [(TEAM.recipient, "unsubscribed on 2026-03-02")]


def test_one_click_ends_the_customers_mails() -> None:
    outcome, endings = ask("POST", token_of(CUSTOMER, KEY))
    assert outcome is UnsubscribeOutcome.ENDED
    assert endings.ended == [(CUSTOMER.customer, "unsubscribed on 2026-03-02")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bad_link_ends_nothing(method: str) -> None:
    outcome, endings = ask(method, token_of(TEAM, b"another"))
    assert (outcome, endings.ended) == (UnsubscribeOutcome.BAD_LINK, [])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_key_nothing_is_believed(method: str) -> None:
    outcome, endings = ask(method, token_of(TEAM, KEY), Keys(()))
    assert (outcome, endings.ended) == (UnsubscribeOutcome.UNAVAILABLE, [])
