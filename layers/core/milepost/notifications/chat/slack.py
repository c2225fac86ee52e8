"""Slack: a message as Block Kit, and the meaning of an incoming webhook's responses.

This is the platform's form alone. ``shown_facts`` says which facts a chat may show, and
``rendering`` what a message says of them.

Texts from outside are put only where Slack reads no markup: in ``plain_text`` and in ``rich_text``
blocks. There ``<!channel>`` or a link is text. The fallback text of notifications is the one place
where Slack reads markup, and is escaped.

Sources: Slack, "Sending messages using incoming webhooks" (also its errors), "Improving error
conditions for Incoming Webhooks" (changelog of 2016-05-17), "Formatting message text: Escaping
text", "Block Kit: Header, Rich text, Actions", "Rate limits".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from milepost.notifications.chat.message import Button, ChatMessage, Line, Section
from milepost.notifications.endpoints.retry_policy import Answer, Failure, failure_of

LONGEST_HEADER: Final = 150
LONGEST_BUTTON: Final = 75
LONGEST_URL: Final = 3000
MOST_BYTES: Final = 36_000
"""Below the 40,000 characters after which Slack cuts a message."""
_DISABLED: Final = {
    "action_prohibited": "the workspace does not allow it",
    "channel_is_archived": "its channel is archived",
    "channel_not_found": "its channel is gone",
    "invalid_token": "the webhook was revoked",
    "no_active_hooks": "the webhook was disabled",
    "no_service": "the webhook was disabled or removed",
    "no_service_id": "the webhook was disabled or removed",
    "no_team": "its workspace is gone",
    "posting_to_general_channel_denied": "the workspace does not allow posts to this channel",
    "team_disabled": "its workspace is disabled",
}
"""Errors after which the webhook takes no message any more, until a person does something."""
_OF_MESSAGE: Final = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_payload",
        "missing_text_or_fallback_or_attachments",
        "no_text",
        "too_many_attachments",
    }
)
"""Errors of one message, which would be the same at the next attempt."""


def slack_body(message: ChatMessage) -> dict[str, Any]:
    """The JSON body of a message."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(message.title, LONGEST_HEADER)},
        *(_rich([_text_section([_run(text)])]) for text in message.paragraphs),
        *(_section(section) for section in message.sections),
    ]
    if message.button and len(message.button.url) <= LONGEST_URL:
        blocks.append({"type": "actions", "elements": [_button(message.button)]})
    return {
        "text": escaped(message.title),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def escaped(text: str) -> str:
    """Text in which Slack finds no mention and no link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_failure(answer: Answer, *, now: datetime) -> Failure | None:
    """Why Slack did not accept a message; None if it did. The error is the response's body."""
    failure = failure_of(answer, now=now)
    if failure is None:
        return None
    said = answer.text.strip()
    if said in _DISABLED:
        return Failure(f"answered {answer.status} {said}: {_DISABLED[said]}", is_gone=True)
    if said in _OF_MESSAGE:
        return Failure(f"answered {answer.status} {said}: Slack can't show it", is_final=True)
    return failure


def _plain(text: str, longest: int) -> dict[str, Any]:
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return {"type": "plain_text", "text": cut, "emoji": False}


def _button(button: Button) -> dict[str, Any]:
    return {"type": "button", "text": _plain(button.text, LONGEST_BUTTON), "url": button.url}


def _rich(elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": elements}


def _section(section: Section) -> dict[str, Any]:
    """A rich text block. Sections of text follow one another without a line break of their own."""
    head = [_text_section([_run(f"{section.heading}\n", is_bold=True)])] if section.heading else []
    if section.is_list:
        items = [_text_section(_runs(line)) for line in section.lines]
        return _rich([*head, {"type": "rich_text_list", "style": "bullet", "elements": items}])
    lines = [_text_section([*_runs(line), _run("\n")]) for line in section.lines]
    return _rich([*head, *lines])


def _text_section(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": runs}


def _runs(line: Line) -> list[dict[str, Any]]:
    runs = []
    if line.head and line.url:
        runs.append({"type": "link", "url": line.url, "text": line.head})
    elif line.head:
        runs.append(_run(line.head, is_bold=True))
    if line.text:
        runs.append(_run(f" {line.text}" if line.head else line.text))
    return runs


def _run(text: str, *, is_bold: bool = False) -> dict[str, Any]:
    style: Mapping[str, Any] = {"style": {"bold": True}} if is_bold else {}
    return {"type": "text", "text": text, **style}
