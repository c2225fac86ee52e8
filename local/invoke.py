"""`make invoke FUNCTION=announce EVENT=accepted`: invokes a function of the running stack."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any, Final

from local.errors import CannotStart
from local.files import ROOT, Places
from local.sandboxes.signing import sign_headers
from local.stack import Stack, read_stack

SIGN_ME: Final = "sign-me"
"""In place of a signature in events/: it is made just before use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """The result: the response, the end of the log, and whether the function failed."""

    answer: Any
    log: str
    failed: bool


def invoke_function(places: Places, *, function: str, event: str) -> Invocation:
    """Invoke the function with its folder's name, with events/<function>/<event>.json.

    :raises CannotStart: when no stack runs, or there is no such function or event
    """
    stack = read_stack(places)
    if stack is None:
        raise CannotStart("No stack is running: start one with `make run` (or DETACH=1 make run).")
    payload = json.dumps(sign_event(json.loads(_read_event(function, event)), stack)).encode()
    logical_id = "".join(word.capitalize() for word in function.split("_")) + "Function"
    try:
        name = stack.resource_id(logical_id)
    except KeyError:
        raise CannotStart(f"template.yaml has no {logical_id}.") from None
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=payload, LogType="Tail")
    return Invocation(
        answer=json.loads(answer["Payload"].read() or b"null"),
        log=base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"),
        failed="FunctionError" in answer,
    )


def sign_event(event: Any, stack: Stack) -> Any:
    """The event, with a valid current signature in place of ``sign-me``. An event for a connection
    that isn't applied has no secret: it is unchanged, and will be refused."""
    headers = event.get("headers", {}) if isinstance(event, dict) else {}
    if SIGN_ME not in headers.values():
        return event
    connection = stack.connections.get(event["pathParameters"]["connection"])
    if connection is None:
        return event
    signed = sign_headers(
        scheme=connection["signing"]["scheme"],
        secrets=[connection["signing"]["secret"]],
        id=headers.get("webhook-id") or headers["spirii-event-id"],
        timestamp=int(time.time()),
        body=event["body"].encode(),
    )
    return {**event, "headers": headers | {name.lower(): one for name, one in signed.items()}}


def _read_event(function: str, event: str) -> bytes:
    folder = ROOT / "events" / function
    if not folder.is_dir():
        known = sorted(path.name for path in (ROOT / "events").iterdir() if path.is_dir())
        raise CannotStart(f"There is no events/{function}/. There are: {', '.join(known)}")
    path = folder / f"{event.removesuffix('.json')}.json"
    if not path.is_file():
        known = sorted(path.stem for path in folder.glob("*.json"))
        raise CannotStart(f"There is no {path.relative_to(ROOT)}. There are: {', '.join(known)}")
    return path.read_bytes()
