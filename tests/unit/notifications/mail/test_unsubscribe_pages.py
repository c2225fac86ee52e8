"""The pages behind the link: in the reader's language, safe, and with one button at most."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from milepost.notifications.mail.unsubscribe import UnsubscribeOutcome
from milepost.notifications.mail.unsubscribe_pages import choose_language, page_for

LANGUAGES = ["en", "de", "da"]


class Tags(HTMLParser):
    """The names of a page's tags, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)

    @classmethod
    def of(cls, html: str) -> list[str]:
        tags = cls()
        tags.feed(html)
        return tags.found


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("da-DK,da;q=0.9,en;q=0.8", "da"),
        ("fr-FR, de;q=0.5, da;q=0.7", "da"),
        ("de;q=0, en", "en"),
        ("fr", "en"),
        ("de;q=x", "en"),
        (",,;;=,", "en"),
        ("DE-at", "de"),
        ("de;q=nan", "en"),
    ],
)
def test_the_reader_is_answered_in_a_language_that_they_asked_for(
    header: str, language: str
) -> None:
    assert choose_language(header) == language


@pytest.mark.parametrize(
    ("outcome", "status", "buttons"),
    [
        (UnsubscribeOutcome.ASKED, 200, 1),
        (UnsubscribeOutcome.ENDED, 200, 0),
        (UnsubscribeOutcome.BAD_LINK, 404, 0),
        (UnsubscribeOutcome.UNAVAILABLE, 503, 0),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_is_whole(
    language: str, outcome: UnsubscribeOutcome, status: int, buttons: int
) -> None:
    page = page_for(outcome, accept_language=language)
    tags = Tags.of(page.html)
    assert page.status == status
    assert f'<html lang="{language}">' in page.html
    assert tags.count("button") == tags.count("form") == buttons
    assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
    assert "$" not in page.html


def test_pages_differ_by_language() -> None:
    assert (
        len({page_for(UnsubscribeOutcome.ASKED, accept_language=one).html for one in LANGUAGES})
        == 3
    )


def test_a_page_is_kept_by_nobody_and_runs_nothing() -> None:
    page = page_for(UnsubscribeOutcome.ASKED)
    policy = page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in page.html


def test_the_policy_lets_the_pages_own_style_through() -> None:
    page = page_for(UnsubscribeOutcome.ASKED)
    style = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL)
    assert style is not None
    digest = b64encode(sha256(style.group(1).encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["content-security-policy"]


def test_a_reader_who_came_at_a_bad_moment_is_told_when_to_come_back() -> None:
    assert page_for(UnsubscribeOutcome.UNAVAILABLE).headers["retry-after"] == "60"
