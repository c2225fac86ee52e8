"""The context of a page: the user, the request, and the services."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from milepost.api.auth import Caller, allowed_connections, check_operator
from milepost.api.dependencies import Services
from milepost.api.problems import Problem
from milepost.connections.connection import Connections
from milepost.console.api_calls import Changes
from milepost.console.chat_pages import ChatRenderer
from milepost.console.flash import flash_cookie
from milepost.console.mail_pages import MailWriter
from milepost.console.recent_values import RecentValues
from milepost.console.request import Request, Values
from milepost.console.responses import Answer, go_to
from milepost.console.sessions import Session

_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page: its value, or why it can't be shown."""

    value: Any = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a person who is signed in."""

    request: Request
    session: Session
    caller: Caller
    services: Services
    changes: Changes
    """Makes changes: ``visit.changes.make("POST", "/orders/…/actions/note", body=…)``."""
    render: Callable[..., str]
    """Renders a template with its values as HTML, for this visit."""
    failing: Callable[[Exception], str]
    """Logs the error of a part of a page, and describes it."""
    open_renderer: Callable[[Connections], MailWriter]
    """What writes mails for previews."""
    open_chat_renderer: Callable[[Connections], ChatRenderer]
    """What renders messages to chats for previews."""
    recent: RecentValues
    """Values that the process read in the last minute."""
    path: Mapping[str, str] = field(default_factory=dict)
    """The decoded parameters of the path, by their names in the route."""

    @property
    def mails(self) -> MailWriter:
        """Renders mails of the orders that the user may see."""
        return self.open_renderer(self.services.connections)

    @property
    def chats(self) -> ChatRenderer:
        """Renders messages to chats with the orders that the user may see."""
        return self.open_chat_renderer(self.services.connections)

    @property
    def query(self) -> Values:
        return self.request.query

    @property
    def form(self) -> Values:
        return self.request.form

    def page(self, template: str, *, status: int = 200, **shown: Any) -> Answer:
        """A page, or a part of one."""
        return Answer(status=status, body=self.render(template, **shown).encode())

    def go_to(self, address: str, *, done: str | None = None) -> Answer:
        """Redirect to another page, which shows the result."""
        answer = go_to(address)
        return answer.with_cookie(flash_cookie(done)) if done else answer

    def check_operator(self) -> None:
        """:raises Problem: 403 if the person is only a viewer"""
        check_operator(self.caller)

    def operates(self, connection: str) -> bool:
        """Whether the person is an operator of this connection."""
        allowed = allowed_connections(self.caller, "POST")
        return self.caller.is_operator and (allowed is None or connection in allowed)

    def parts(self, **reads: Callable[[], Any]) -> dict[str, Part]:
        """Several reads in parallel. A part whose read fails can't be shown."""
        with ThreadPoolExecutor(min(_AT_ONCE, len(reads))) as readers:
            started = {name: readers.submit(self._part, read) for name, read in reads.items()}
            return {name: one.result() for name, one in started.items()}

    def _part(self, read: Callable[[], Any]) -> Part:
        try:
            return Part(read())
        except Problem as problem:
            return Part(problem=problem.detail)
        except Exception as error:
            return Part(problem=self.failing(error))


def not_found(what: str) -> NoReturn:
    """:raises Problem: 404"""
    raise Problem(404, what)
