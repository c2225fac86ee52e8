"""The inbox in a browser: a list, and each mail as HTML, as text and with its raw headers."""

import json
from collections.abc import Sequence
from html import escape
from typing import Final

from local.inbox.mailbox import Mail, Mailbox
from local.page_server import NOT_FOUND, Answer, render_page

_REFRESH_SECONDS: Final = 3
# The mail's own HTML is a stranger's: no script, no network, no access to the page around it.
_MAIL_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def answer_inbox(mailbox: Mailbox, path: str) -> Answer:
    """The response to a path of the inbox's page."""
    if path == "/":
        return _render_list(mailbox.list())
    if path == "/messages.json":
        mails = [mail.as_json() for mail in mailbox.list()]
        return Answer(body=json.dumps(mails), content_type="application/json")
    match path.strip("/").split("/"):
        case ["mails", mail_id]:
            mail, view = mailbox.find(mail_id), "view"
        case ["mails", mail_id, ("html" | "text" | "headers") as view]:
            mail = mailbox.find(mail_id)
        case _:
            return NOT_FOUND
    return NOT_FOUND if mail is None else _render_mail(mail, view)


def _render_list(mails: Sequence[Mail]) -> Answer:
    rows = "".join(
        f'<li><a href="/mails/{escape(mail.id)}"><b>{escape(mail.subject or "(none)")}</b></a>'
        f'<div class="soft">to {escape(", ".join(mail.to))} · {escape(mail.received_at)}</div></li>'
        for mail in mails
    )
    content = f"<h1>Inbox <span class=badge>{len(mails)}</span></h1>"
    content += f"<ul>{rows}</ul>" if mails else "<p>No mail yet.</p>"
    return render_page(
        title=f"Inbox ({len(mails)})", content=content, refresh_seconds=_REFRESH_SECONDS
    )


def _render_mail(mail: Mail, view: str) -> Answer:
    if view == "html":
        policy = {"Content-Security-Policy": _MAIL_POLICY}
        return Answer(body=mail.html or f"<pre>{escape(mail.text)}</pre>", headers=policy)
    base = f"/mails/{escape(mail.id)}"
    shown = {
        "text": f"<pre>{escape(mail.text)}</pre>",
        "headers": f"<pre>{escape(_raw_headers(mail))}</pre>",
        "view": f'<iframe sandbox="" title="The mail as HTML" src="{base}/html"></iframe>',
    }[view]
    content = (
        f'<nav><a href="/">Inbox</a><a href="{base}">HTML</a><a href="{base}/text">Text</a>'
        f'<a href="{base}/headers">Headers</a></nav>'
        f"<h1>{escape(mail.subject or '(no subject)')}</h1>"
        f'<p class="soft">from {escape(mail.sender)}<br>to {escape(", ".join(mail.to))}<br>'
        f"{escape(mail.received_at)}</p>{shown}"
    )
    return render_page(title=mail.subject or "Mail", content=content)


def _raw_headers(mail: Mail) -> str:
    head = mail.raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    return head.decode("utf-8", "replace")
