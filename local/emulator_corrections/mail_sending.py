"""Sending mail by SES, where the emulator differs from AWS.

ministack 1.5.33 takes any request, and drops the headers and the reply addresses of SESv2's
`SendEmail`.
"""

import importlib
import json
from contextvars import ContextVar
from email import message_from_string, policy
from typing import Any, Final

from local.emulator_corrections.mail_rules import why_refused

_SEND: Final = "/v2/email/outbound-emails"
_body: ContextVar[bytes] = ContextVar("send_email_body", default=b"")


def correct_ministack() -> None:
    """Refuse what SES refuses, and relay other mails with all requested headers."""
    ses: Any = importlib.import_module("ministack.services.ses_v2")
    handle, build_message = ses.handle_request, ses._build_mime_message

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        is_mail = method == "POST" and path.rstrip("/") == _SEND
        _body.set(body if is_mail else b"")
        if is_mail:
            refusal = why_refused(read_request(body), has_configuration_set=has_configuration_set)
            if refusal is not None:
                return ses._json_err(refusal.code, refusal.message)
        return await handle(method, path, headers, body, query_params)

    def has_configuration_set(name: str) -> bool:
        return name in ses._config_sets or name in ses._v1_config_sets

    def build_mime_message(*fields: Any) -> str:
        return add_headers(build_message(*fields), json.loads(_body.get() or b"{}"))

    ses.handle_request, ses._build_mime_message = handle_request, build_mime_message


def read_request(body: bytes) -> dict[str, Any]:
    """The request in a body; empty if it is not a JSON object."""
    try:
        request = json.loads(body)
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def add_headers(message: str, request: dict[str, Any]) -> str:
    """The message with the headers and reply addresses of a SendEmail request."""
    # Other policies fold the subject again, with two spaces before a word beyond ASCII.
    parsed = message_from_string(message, policy=policy.compat32)
    simple = request.get("Content", {}).get("Simple", {})
    for header in simple.get("Headers", []):
        parsed[header["Name"]] = header["Value"]
    if request.get("ReplyToAddresses"):
        parsed["Reply-To"] = ", ".join(request["ReplyToAddresses"])
    return parsed.as_string()
