"""Microsoft Teams: a message as an Adaptive Card, and the meaning of a workflow's responses.

This is the platform's form alone. ``shown_facts`` says which facts a chat may show, and
``rendering`` what a message says of them.

Texts from outside are put only into text runs, in which Teams reads no Markdown: a link or an image
in a customer's name is text. ``{{`` begins a function of dates in any text of a card, and is
parted.

A workflow answers before it has posted the card: 202 says that Teams has taken the message.

Sources: Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams", "Format
cards in Microsoft Teams", "Adaptive Card schema: RichTextBlock, TextRun, Action.OpenUrl", "Limits
and specifications" (28 KB), "Workflow triggers: error codes".
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from milepost.notifications.chat.message import ChatMessage, Line, Section
from milepost.notifications.endpoints.retry_policy import Answer, Failure, failure_of

MOST_BYTES: Final = 26_000
"""Below the 28 KB that Teams takes, with what the workflow adds."""
_SCHEMA: Final = "http://adaptivecards.io/schemas/adaptive-card.json"
_CARD: Final = "application/vnd.microsoft.card.adaptive"
_DISABLED: Final = {
    "AuthorizationFailed": "the workflow's address is no longer valid",
    "DirectApiAuthorizationRequired": "the workflow's address has no valid signature any more",
    "WorkflowNotFound": "the workflow was deleted",
    "WorkflowDisabled": "the workflow is turned off",
    "WorkflowTriggerIsNotEnabled": "the workflow is turned off",
    "WorkflowTriggerNotFound": "the workflow has no trigger for webhooks any more",
}
"""Errors after which the workflow takes no message any more, until a person does something."""
_OF_MESSAGE: Final = frozenset(
    {"InvalidRequestContent", "RequestEntityTooLarge", "TriggerInputSchemaMismatch"}
)
"""Errors of one message, which would be the same at the next attempt."""


def teams_body(message: ChatMessage) -> dict[str, Any]:
    """The JSON body of a message: one card."""
    body = [
        _block([_run(message.title, size="Large", weight="Bolder")]),
        *(_block([_run(text)]) for text in message.paragraphs),
    ]
    for section in message.sections:
        body.extend(_section(section))
    card: dict[str, Any] = {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": inert(message.title),
        "body": body,
    }
    if message.button:
        title = inert(message.button.text)
        card["actions"] = [{"type": "Action.OpenUrl", "title": title, "url": message.button.url}]
    attachment = {"contentType": _CARD, "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def inert(text: str) -> str:
    """Text in which Teams finds no date functions."""
    return text.replace("{{", "{ {")


def teams_failure(answer: Answer, *, now: datetime) -> Failure | None:
    """Why a workflow did not accept a message; None if it did."""
    failure = failure_of(answer, now=now)
    if failure is None:
        return None
    code = _code_of(answer.text)
    if code in _DISABLED:
        return Failure(f"answered {answer.status} {code}: {_DISABLED[code]}", is_gone=True)
    if code in _OF_MESSAGE or answer.status == 413:
        named = f" {code}" if code else ""
        return Failure(f"answered {answer.status}{named}: Teams can't show it", is_final=True)
    return failure


def _code_of(text: str) -> str:
    """The code of an error; empty without one. A gateway may have sent any other response."""
    try:
        error = json.loads(text)["error"]
        code = error["code"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return code if isinstance(code, str) and code.isalnum() and len(code) <= 60 else ""


def _section(section: Section) -> list[dict[str, Any]]:
    head = [_block([_run(section.heading, weight="Bolder")])] if section.heading else []
    lines = [_block(_runs(line, section), spacing="Small") for line in section.lines]
    return [*head, *lines]


def _runs(line: Line, section: Section) -> list[dict[str, Any]]:
    runs = [_run("• ")] if section.is_list else []
    if line.head and line.url:
        runs.append(_run(line.head, selectAction={"type": "Action.OpenUrl", "url": line.url}))
    elif line.head:
        runs.append(_run(line.head, weight="Bolder"))
    if line.text:
        runs.append(_run(f" {line.text}" if line.head else line.text))
    return runs


def _block(runs: list[dict[str, Any]], **more: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": runs, **more}


def _run(text: str, **more: str | Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "TextRun", "text": inert(text), **more}
