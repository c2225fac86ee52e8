"""Mails as SES sends them, by SMTP, read over HTTP."""

import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from local.inbox import Inbox, read_mail
from local.processes import find_free_port


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    running = Inbox(smtp_port=find_free_port(), page_port=0)
    yield running
    running.close()


def send(inbox: Inbox, *, subject: str = "Order accepted", html: str = "<p>Hello</p>") -> None:
    message = EmailMessage()
    message["From"] = "Milepost <milepost@example.org>"
    message["To"] = "kim@example.org"
    message["Subject"] = subject
    message["X-Notice"] = "n1"
    message.set_content("Grüße")
    message.add_alternative(html, subtype="html")
    host, _, port = inbox.smtp_address.partition(":")
    with smtplib.SMTP(host, int(port)) as connection:
        connection.send_message(message)


def get(url: str, **headers: str) -> tuple[str, Any]:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode(), answer.headers


def list_mails(inbox: Inbox) -> list[dict[str, Any]]:
    mails: list[dict[str, Any]] = json.loads(get(f"{inbox.url}/messages.json")[0])
    return mails


def test_a_mail_is_listed_with_its_text_html_and_headers(inbox: Inbox) -> None:
    send(inbox)
    [mail] = list_mails(inbox)
    assert mail["to"] == ["kim@example.org"]
    assert mail["from"] == "Milepost <milepost@example.org>"
    assert mail["subject"] == "Order accepted"
    assert mail["text"].strip() == "Grüße"
    assert mail["html"].strip() == "<p>Hello</p>"
    assert mail["headers"]["X-Notice"] == "n1"


def test_the_newest_mail_comes_first(inbox: Inbox) -> None:
    send(inbox, subject="first")
    send(inbox, subject="second")
    assert [mail["subject"] for mail in list_mails(inbox)] == ["second", "first"]


def test_markup_in_a_subject_is_shown_as_text(inbox: Inbox) -> None:
    send(inbox, subject="<script>alert(1)</script>")
    page, _ = get(inbox.url)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_html_of_a_mail_is_framed_without_any_rights(inbox: Inbox) -> None:
    send(inbox, html="<script>alert(1)</script>")
    [mail] = list_mails(inbox)
    page, _ = get(f"{inbox.url}/mails/{mail['id']}")
    assert f'<iframe sandbox="" title="The mail as HTML" src="/mails/{mail["id"]}/html">' in page
    _, headers = get(f"{inbox.url}/mails/{mail['id']}/html")
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_text_and_raw_headers_have_pages_of_their_own(inbox: Inbox) -> None:
    send(inbox)
    [mail] = list_mails(inbox)
    assert "Grüße" in get(f"{inbox.url}/mails/{mail['id']}/text")[0]
    assert "X-Notice: n1" in get(f"{inbox.url}/mails/{mail['id']}/headers")[0]


@pytest.mark.parametrize("path", ["/mails/unknown", "/mails/unknown/html", "/nothing"])
def test_what_is_not_there_is_not_found(inbox: Inbox, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(inbox.url + path)


def test_another_sites_name_for_this_machine_reads_nothing(inbox: Inbox) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(inbox.url, Host="evil.example:80")


def test_bytes_that_are_no_mail_are_kept_without_an_error() -> None:
    mail = read_mail(
        b"\xff\xfe\x00 no header", sender="a@example.org", recipients=["b@example.org"]
    )
    assert (mail.sender, list(mail.to)) == ("a@example.org", ["b@example.org"])


def test_an_unknown_charset_does_not_lose_the_mail() -> None:
    content = b"Content-Type: text/plain; charset=nonsense\r\n\r\nhello"
    assert read_mail(content, sender="a@example.org", recipients=[]).text == "hello"
