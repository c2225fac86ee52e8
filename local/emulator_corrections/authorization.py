"""Resources and condition keys of authorization, where the emulator differs from AWS.

ministack 1.5.33 checks SESv2 `SendEmail`, SSM `GetParametersByPath` and `DeleteParameters`, and the
schedules of a group on `*` or on a wrong name, so that policies without wildcards, right on AWS,
would be refused. It doesn't know the condition key `ses:FromAddress` either. The resources and the
key are those of AWS's Service Authorization Reference.
"""

import importlib
import json
from collections.abc import Mapping
from contextvars import ContextVar
from email.utils import parseaddr
from functools import lru_cache
from typing import Any, Final

_FROM_ADDRESS: Final = "ses:fromaddress"
_sender: Final[ContextVar[str | None]] = ContextVar("sender", default=None)
"""The address that the request at hand sends a mail from."""


def correct_ministack() -> None:
    """Replace the emulator's resource with AWS's if they differ."""
    _count_loopback_as_secure()
    _read_policies_once()
    _know_senders()
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    find_other = actions.extract_resource_arn

    def extract_resource_arn(  # noqa: PLR0917 - the emulator's own signature
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query_params: Mapping[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        _sender.set(find_sender(service, method=method, path=path, body=body))
        name = find_resource(service, method=method, path=path, body=body, query=query_params)
        if name:
            return f"arn:aws:{service}:{region}:{account_id}:{name}"
        found: str = find_other(
            service, method, path, headers, body, query_params, region, account_id
        )
        return found

    actions.extract_resource_arn = extract_resource_arn


def _count_loopback_as_secure() -> None:
    # Bucket policies rightly refuse what did not come by TLS; the emulator's requests never leave
    # this machine, so they pass as if they had.
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    pin = evaluator.pin_request_origin
    evaluator.pin_request_origin = lambda address, _secure: pin(address, True)


def _know_senders() -> None:
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    resolve = evaluator._resolve_condition_key
    evaluator._resolve_condition_key = lambda key, context: (
        _sender.get() if key.lower() == _FROM_ADDRESS else resolve(key, context)
    )


def _read_policies_once() -> None:
    # The emulator parses all policies of a role again, twice for each request.
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    parse = evaluator.parse_policy_document
    parse_once = lru_cache(maxsize=1_000)(parse)
    evaluator.parse_policy_document = lambda document: (
        parse_once(document) if isinstance(document, str) else parse(document)
    )


def find_resource(
    service: str, *, method: str, path: str, body: bytes, query: Mapping[str, Any]
) -> str | None:
    """The last part of the resource's ARN; None if the emulator's own value is correct."""
    parts = path.strip("/").split("/")
    content = _read_json(body)
    if sender := find_sender(service, method=method, path=path, body=body):
        return f"identity/{sender}"
    if service == "ssm" and "Path" in content and "Name" not in content:
        return f"parameter/{str(content['Path']).lstrip('/')}"
    if service == "ssm" and content.get("Names"):
        # All of them are checked on AWS; those of one request are one connection's here.
        return f"parameter/{str(content['Names'][0]).lstrip('/')}"
    if service == "scheduler" and parts[0] == "schedules" and len(parts) == 2:
        group = content.get("GroupName") or _first(query.get("groupName")) or "default"
        return f"schedule/{group}/{parts[1]}"
    return None


def find_sender(service: str, *, method: str, path: str, body: bytes) -> str | None:
    """The address from which a mail is sent, without its display name; None for other requests."""
    if service != "ses" or method != "POST" or path.strip("/") != "v2/email/outbound-emails":
        return None
    return parseaddr(_read_json(body).get("FromEmailAddress") or "")[1] or None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body or b"{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
