"""Stand-ins for the incoming webhooks of Slack and Microsoft Teams.

They answer as the platforms document it, and refuse a message that the platform would refuse. They
keep what they took, so that it can be looked at.

Sources: Slack, "Sending messages using incoming webhooks", "Block Kit"; Microsoft Learn, "Create
incoming webhooks with Workflows for Microsoft Teams", "Adaptive Card schema", "Limits and
specifications".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_SLACK_ANSWERS: Final[Mapping[str, tuple[int, str]]] = {
    "action_prohibited": (403, "action_prohibited"),
    "channel_is_archived": (410, "channel_is_archived"),
    "channel_not_found": (404, "channel_not_found"),
    "invalid_payload": (400, "invalid_payload"),
    "invalid_token": (403, "invalid_token"),
    "no_active_hooks": (404, "no_active_hooks"),
    "no_service": (404, "no_service"),
    "no_team": (404, "no_team"),
    "rate_limited": (429, "rate_limited"),
    "rollup_error": (500, "rollup_error"),
}
_TEAMS_ANSWERS: Final[Mapping[str, int]] = {
    "DirectApiAuthorizationRequired": 401,
    "InvalidRequestContent": 400,
    "RequestEntityTooLarge": 413,
    "TriggerInputSchemaMismatch": 400,
    "WorkflowNotFound": 404,
    "WorkflowTriggerIsNotEnabled": 400,
    "WorkflowTriggerRateLimited": 429,
    "InternalServerError": 500,
}
_MOST_BLOCKS: Final = 50
_LONGEST_HEADER: Final = 150
_MOST_BYTES_OF_TEAMS: Final = 28 * 1024
_BLOCKS: Final = frozenset({"header", "rich_text", "actions"})
_CARD: Final = "application/vnd.microsoft.card.adaptive"


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """A response of a platform."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ChatPlatform:
    """One webhook. ``trouble`` is the error with which it responds to every request; None for
    none.
    """

    platform: str
    """``slack`` or ``teams``."""
    trouble: str | None = None
    retry_after: int = 30
    """The seconds of ``Retry-After`` when it is called too often."""
    taken: list[dict[str, Any]] = field(default_factory=list)

    def post(self, body: bytes) -> PlatformAnswer:
        """The response to a message; a message that is accepted is stored."""
        if self.trouble is not None:
            return self._refusal(self.trouble)
        try:
            message = json.loads(body)
        except ValueError:
            return self._refusal(self._malformed)
        is_slack = self.platform == "slack"
        fits = is_slack or len(body) <= _MOST_BYTES_OF_TEAMS
        if not fits:
            return self._refusal("RequestEntityTooLarge")
        if not (_is_for_slack(message) if is_slack else _is_for_teams(message)):
            return self._refusal(self._malformed)
        self.taken.append(message)
        return PlatformAnswer(200, b"ok") if is_slack else PlatformAnswer(202)

    @property
    def _malformed(self) -> str:
        return "invalid_payload" if self.platform == "slack" else "TriggerInputSchemaMismatch"

    def _refusal(self, code: str) -> PlatformAnswer:
        if self.platform == "slack":
            status, text = _SLACK_ANSWERS[code]
            body = text.encode()
        else:
            status = _TEAMS_ANSWERS[code]
            error = {"code": code, "message": f"The request was refused: {code}."}
            body = json.dumps({"error": error}).encode()
        headers = {"retry-after": str(self.retry_after)} if status == 429 else {}
        return PlatformAnswer(status, body, headers)


def _is_for_slack(message: Any) -> bool:
    if not isinstance(message, dict) or not message.get("text"):
        return False
    blocks = message.get("blocks", [])
    if not 0 < len(blocks) <= _MOST_BLOCKS:
        return False
    return all(block.get("type") in _BLOCKS and _is_block(block) for block in blocks)


def _is_block(block: Mapping[str, Any]) -> bool:
    if block["type"] == "header":
        text = block["text"]
        return text["type"] == "plain_text" and 0 < len(text["text"]) <= _LONGEST_HEADER
    elements = block.get("elements", [])
    if block["type"] == "actions":
        return all(one["type"] == "button" and len(one["url"]) <= 3000 for one in elements)
    return bool(elements) and all(_is_rich(one) for one in elements)


def _is_rich(element: Mapping[str, Any]) -> bool:
    parts = element.get("elements", [])
    if element["type"] == "rich_text_list":
        return bool(parts) and all(_is_rich(one) for one in parts)
    if element["type"] != "rich_text_section" or not parts:
        return False
    return all(one["type"] in ("text", "link") and one["text"] for one in parts)


def _is_for_teams(message: Any) -> bool:
    if not isinstance(message, dict) or message.get("type") != "message":
        return False
    attachments = message.get("attachments", [])
    if len(attachments) != 1 or attachments[0].get("contentType") != _CARD:
        return False
    card = attachments[0].get("content", {})
    if card.get("type") != "AdaptiveCard" or not card.get("body"):
        return False
    return all(
        block["type"] == "RichTextBlock"
        and block["inlines"]
        and all(run["type"] == "TextRun" and run["text"] for run in block["inlines"])
        for block in card["body"]
    )
