"""Responds to one request, or fails as requested by tests."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from local.sandboxes.account import Account, Refused, UnknownOrder
from local.sandboxes.fault_injection import PAGE_FAULTS, Fault
from local.sandboxes.json_format import format_time
from local.sandboxes.rabot import make_failure
from local.sandboxes.request import Answer, BadRequest, Request
from local.sandboxes.routes import NoRoute

_LONGEST_WAIT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The response as bytes, created while no other thread could change the orders."""

    status: int
    headers: dict[str, str]
    body: bytes
    hang_up: bool = False


def respond(account: Account, request: Request, *, elsewhere: str) -> Reply:
    """Responds like the provider, or with the faults that are set.

    ``elsewhere`` is a URL on another host, for faults that lead there.
    """
    started = time.monotonic()
    with account.lock:
        account.tick()
        page = _page_number(account, request)
        path = request.path
        fault = account.faults.take_for_request(method=request.method, path=path, page=page)
    if fault and fault.kind == "slow":
        time.sleep(min(float(fault.settings.get("seconds", 5)), _LONGEST_WAIT_SECONDS))
    with account.lock:
        answer = (fault and _answer_badly(account, fault, elsewhere)) or answer_request(
            account, _shifted(account, request, fault)
        )
        if fault:
            _spoil(account, request, answer, fault=fault, elsewhere=elsewhere)
        reply = _render(answer)
        _log(account, request, reply, fault=fault, started=started)
    return reply


def answer_request(account: Account, request: Request) -> Answer:
    """The provider's response without faults; errors in its own format."""
    refusal = account.authorize(request)
    if refusal:
        return refusal
    refusal, headers = account.limit(request)
    if refusal is None or not account.connection.rate_limits:
        refusal = _guard(account, lambda: account.handle(request))
    refusal.headers |= headers
    return refusal


def _guard(account: Account, act: Callable[[], Answer]) -> Answer:
    try:
        return act()
    except BadRequest as error:
        return account.refuse(status=400, message=str(error))
    except UnknownOrder as error:
        return account.refuse(status=404, message=str(error.args[0]))
    except Refused as error:
        return account.refuse(status=409, message=str(error))
    except NoRoute as error:
        return account.refuse(status=error.status, message=str(error))


def _page_number(account: Account, request: Request) -> int | None:
    try:
        return account.page_number(request) if request.method == "GET" else None
    except BadRequest:
        return None


def _shifted(account: Account, request: Request, fault: Fault | None) -> Request:
    if fault is None or fault.kind != "drift":
        return request
    return account.shift(request, int(fault.settings.get("by", 1)))


def _answer_badly(account: Account, fault: Fault, elsewhere: str) -> Answer | None:
    settings = fault.settings
    if fault.kind in {"500", "401"}:
        status = int(settings.get("status", fault.kind))
        return account.refuse(status=status, message="Sandbox fault")
    if fault.kind == "429":
        answer = account.refuse(status=429, message="Sandbox fault: too many requests")
        wait = settings.get("retry_after", 1)
        answer.headers |= {} if wait is None else {"Retry-After": str(wait)}
        return answer
    if fault.kind == "redirect":
        location = str(settings.get("location", elsewhere))
        return Answer(status=int(settings.get("status", 302)), headers={"Location": location})
    if fault.kind == "is_success_false":
        return Answer(content=make_failure(code="ORDERS_UNAVAILABLE", message="Backend timeout"))
    return Answer(hang_up=True) if fault.kind == "drop" else None


def _spoil(
    account: Account, request: Request, answer: Answer, *, fault: Fault, elsewhere: str
) -> None:
    if answer.status != 200 or not isinstance(answer.content, dict):
        return
    entries = account.entries(answer.content)
    if fault.kind == "broken_page":
        answer.cut = True
    elif fault.kind == "duplicate" and entries is not None:
        entries[:] = [order for order in entries for _ in range(2)]
    elif fault.kind == "reorder" and entries is not None:
        entries.reverse()
    elif fault.kind in PAGE_FAULTS - {"drift"}:
        location = str(fault.settings.get("location", elsewhere))
        account.point_next(
            content=answer.content, request=request, kind=fault.kind, location=location
        )


def _render(answer: Answer) -> Reply:
    headers = dict(answer.headers)
    if answer.content is not None:
        headers.setdefault("Content-Type", "application/json; charset=utf-8")
    return Reply(status=answer.status, headers=headers, body=answer.body(), hang_up=answer.hang_up)


def _log(
    account: Account, request: Request, reply: Reply, *, fault: Fault | None, started: float
) -> None:
    account.request_count += 1
    account.requests.append(
        {
            "at": format_time(account.clock.now()),
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "headers": request.shown_headers(),
            "has_credentials": request.has_credentials,
            "status": None if reply.hang_up else reply.status,
            "bytes": len(reply.body),
            "fault": fault.kind if fault else None,
            "milliseconds": round((time.monotonic() - started) * 1000, 1),
        }
    )
