"""Handles one request of a browser: finds the session and the page, and adds common headers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from aws_lambda_powertools import Logger

from milepost.api.app import Api
from milepost.api.auth import check_operator
from milepost.api.dependencies import Services
from milepost.api.problems import Problem
from milepost.common.exception_summary import places
from milepost.connections.connection import Connections, UnknownConnection, UnusableConnection
from milepost.console.api_calls import Changes
from milepost.console.chat_pages import ChatRenderer
from milepost.console.csrf import form_token, is_own_form, origin_of
from milepost.console.flash import FLASH_COOKIE, flash_of, removed_flash
from milepost.console.mail_pages import MailWriter
from milepost.console.page_context import Visit
from milepost.console.recent_values import RecentValues
from milepost.console.rendering import Renderer
from milepost.console.request import BadRequest, Request, Values, read_request
from milepost.console.responses import Answer, content_policy, go_to, proxy_answer
from milepost.console.routing import FOR_VIEWERS, Route, is_reading, routes_at
from milepost.console.sessions import PoolDown, Session
from milepost.console.settings import Settings
from milepost.console.sign_in import START, SignIn
from milepost.console.static_files import serve_file
from milepost.notifications.notice import BadNoticeId
from milepost.orders.order import BadOrderId

_STATIC: Final = "/console/static/"
_DOWN: Final = "A dependency of the console is unavailable. Try again later."
_FAILED: Final = "Internal error of the console. It is logged and raises an alarm."


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The console over these services.

    ``failed`` is called after an internal error; ``is_outage`` says whether an error means that a
    dependency is unavailable (503), or an internal error (500).
    """

    sign_in: SignIn
    settings: Settings
    services: Services
    api: Api
    log: Logger
    is_outage: Callable[[Exception], bool]
    failed: Callable[[], None]
    open_renderer: Callable[[Connections], MailWriter]
    """What writes mails for previews."""
    open_chat_renderer: Callable[[Connections], ChatRenderer]
    """What renders messages to chats for previews."""
    recent: RecentValues = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "recent", RecentValues(self.services.clock))

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The response to one request of an HTTP API (payload format 2.0)."""
        accepts = (event.get("headers") or {}).get("accept-encoding", "")
        try:
            request = read_request(event)
        except BadRequest as error:
            return proxy_answer(_plain(400, f"Bad request: {error}."), policy="", accepts="")
        answer, subject = self._answer(request)
        found = routes_at(request.path)
        self.log.info(
            "answered",
            method=request.method,
            route=found[0][0].address if found else None,
            status=answer.status,
            request=request.request_id,
            caller=subject,
        )
        return proxy_answer(answer, policy=self._policy(), accepts=accepts)

    def _policy(self) -> str:
        try:
            return content_policy(origin_of(self.settings.addresses().login))
        except Exception as error:
            if not self.is_outage(error):
                raise
            return content_policy("")

    def _answer(self, request: Request) -> tuple[Answer, str | None]:
        """The response, and the subject of the caller."""
        if request.path.startswith(_STATIC):
            return self._static(request), None
        render = Renderer(request=request, now=self.services.clock())
        session = None
        try:
            if is_reading(request.method) and (answer := self._of_signing_in(request, render)):
                return answer, None
            if to := _tidy_address(request):
                return go_to(to), None
            session = self.sign_in.session_of(request)
            if session is None:
                return self._ask_to_sign_in(request, render), None
            return self._visited(request, session), session.person.subject
        except Exception as error:
            subject = session.person.subject if session else None
            return self._error_page(request, render, session, error), subject

    def _static(self, request: Request) -> Answer:
        digest, _, name = request.path.removeprefix(_STATIC).partition("/")
        return serve_file(digest, name) or _plain(404, "There is no such file.")

    def _of_signing_in(self, request: Request, render: Renderer) -> Answer | None:
        match request.path:
            case "/console/sign-in":
                return self.sign_in.begin(request)
            case "/console/signed-in":
                return self.sign_in.finish(request)
            case "/console/signed-out":
                return _page(render, "signed_out.html")
        return None

    def _ask_to_sign_in(self, request: Request, render: Renderer) -> Answer:
        to = request.address if is_reading(request.method) and not request.is_part else START
        query = Values([("to", to)]).text
        address = f"/console/sign-in?{query}"
        if request.is_part:
            return Answer(status=401, headers={"hx-redirect": "/console/sign-in"})
        if not is_reading(request.method):
            return _page(render, "session_ended.html", status=401, address=address)
        return go_to(address)

    def _visited(self, request: Request, session: Session) -> Answer:
        caller = session.person.caller()
        if not is_reading(request.method):
            origin = origin_of(self.settings.addresses().url)
            if not is_own_form(request, session_id=session.id, origin=origin):
                raise Problem(
                    403,
                    ("This form was not sent from a page of this session. Open the page again."),
                )
            if request.path == "/console/sign-out":
                return self.sign_in.end(session)
            if request.path not in FOR_VIEWERS:
                check_operator(caller)
        route, named = _route_of(request)
        done = flash_of(request)
        visit = Visit(
            request=request,
            session=session,
            caller=caller,
            services=self.api.services_for(caller, request.method),
            changes=Changes(api=self.api, person=session.person, request=request),
            render=Renderer(
                request=request,
                now=self.services.clock(),
                caller=caller,
                token=lambda: form_token(session.id),
                done=done,
            ),
            failing=self._failing,
            open_renderer=self.open_renderer,
            open_chat_renderer=self.open_chat_renderer,
            recent=self.recent,
            path=named,
        )
        answer = route.show(visit)
        is_said = FLASH_COOKIE in request.cookies and answer.status == 200 and not request.is_part
        return answer.with_cookie(removed_flash()) if is_said else answer

    def _failing(self, error: Exception) -> str:
        if self.is_outage(error):
            self.log.error("unavailable", error=type(error).__name__)
            return _DOWN
        self.log.error("failed", error=type(error).__name__, where=places(error)[-3:])
        self.failed()
        return _FAILED

    def _error_page(
        self, request: Request, render: Renderer, session: Session | None, error: Exception
    ) -> Answer:
        """The page for an error."""
        status, detail, faults = self._problem_of(error)
        signed_in = None
        if session:
            signed_in = Renderer(
                request=request,
                now=self.services.clock(),
                caller=session.person.caller(),
                token=lambda: form_token(session.id),
            )
        template = "problem_part.html" if request.is_part else "problem.html"
        return _page(
            signed_in or render, template, status=status, code=status, detail=detail, faults=faults
        )

    def _problem_of(self, error: Exception) -> tuple[int, str, list[str]]:
        match error:
            case Problem():
                return error.status, error.detail, [f"{f.where}: {f.what}" for f in error.errors]
            case UnknownConnection() | BadOrderId() | BadNoticeId():
                return 404, f"{error}.", []
            case UnusableConnection():
                return 409, f"Nothing can be done for this connection: {error}.", []
            case PoolDown():
                self.log.error("unavailable", error=type(error).__name__)
                return 503, _DOWN, []
        down = self.is_outage(error)
        return (503 if down else 500), self._failing(error), []


def _tidy_address(request: Request) -> str | None:
    """The address to which a page moves, since its own has a query that says nothing; None if it
    has none.

    A browser sends every field of a form, also those that were left empty.
    """
    if request.method != "GET" or request.is_part:
        return None
    for route, _ in routes_at(request.path):
        tidied = route.tidy(request.query)
        if route.method == "GET" and len(tidied.pairs) != len(request.query.pairs):
            return replace(request, query=tidied).address
    return None


def _route_of(request: Request) -> tuple[Route, Mapping[str, str]]:
    """:raises Problem: 404, or 405 when the address allows other methods"""
    found = routes_at(request.path)
    method = "GET" if request.method == "HEAD" else request.method
    for route, named in found:
        if route.method == method:
            return route, named
    if found:
        raise Problem(405, "This address doesn't allow this method.")
    raise Problem(404, "There is no page at this address.")


def _page(render: Renderer, template: str, *, status: int = 200, **shown: Any) -> Answer:
    return Answer(status=status, body=render(template, **shown).encode())


def _plain(status: int, text: str) -> Answer:
    return Answer(status=status, body=text.encode(), content_type="text/plain; charset=utf-8")
