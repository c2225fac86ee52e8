"""The sandbox of a declared provider, created from its file and its samples.

Each status word has a sample; an order moves to a word by taking that sample's form, with its own
id and a new time of change, and a webhook in the form of the samples tells of it
(``declared_samples``). Lists, pages, sign-in and signatures are as the file says.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

from local.sandboxes.account import Account
from local.sandboxes.clock import Clock
from local.sandboxes.declared_samples import SampledOrders, SampledWebhooks
from local.sandboxes.demo_scenarios import Story
from local.sandboxes.json_format import Json, parse_time
from local.sandboxes.request import Answer, Request
from local.sandboxes.routes import NoRoute
from local.sandboxes.sample_values import put, steps_in, value_at
from local.sandboxes.settings import Connection
from local.sandboxes.webhook_outbox import Outbox
from milepost.common.status import Status
from milepost.connections.connection import Connection as Applied
from milepost.orders.lifecycle import TERMINAL
from milepost.providers.base import Response
from milepost.providers.declared.expressions import names_in
from milepost.providers.declared.file_format import Action, Declaration
from milepost.providers.declared.file_parts import (
    CursorPages,
    LinkPages,
    NumberedPages,
    OffsetPages,
    UrlPages,
)
from milepost.providers.declared.file_sign_in import LoginSignIn
from milepost.providers.declared.sign_in import sign_in

TOKEN_PATH: Final = "/_token"
_TOKEN: Final = "local-token"
_PER_PAGE: Final = 20
_FIRST_NUMBER: Final = 900_000


class Declared(Account):
    """An account at a declared provider."""

    statuses: ClassVar[tuple[str, ...]] = ()
    endpoints: ClassVar[tuple[str, ...]] = ()
    id_field: ClassVar[str] = "id"

    def __init__(self, *, connection: Connection, clock: Clock, outbox: Outbox) -> None:
        if connection.declared is None:
            raise ValueError(f"{connection.id} has no provider's file")
        self.said, samples = connection.declared
        self._orders = SampledOrders(self.said, samples)
        self._webhooks = SampledWebhooks(self.said, samples, self._orders)
        super().__init__(connection=connection, clock=clock, outbox=outbox)

    @property
    def stories(self) -> tuple[Story, ...]:
        """A scenario for each final status word, with the words for which there are samples."""
        meaning = {word: Status(to) for word, to in self.said.statuses.map.items()}
        words = sorted((one for one in meaning if self._orders.have(one)),
                       key=lambda one: meaning[one].rank)  # fmt: skip
        way = list({meaning[one]: one for one in words if meaning[one] not in TERMINAL}.values())
        ends = [one for one in words if meaning[one] in TERMINAL] or words[-1:]
        return tuple(
            Story(
                days_ago=2,
                fields={"status": way[0] if way else end},
                moves=tuple({"status": one} for one in [*way[1:], end]),
            )
            for end in ends
        )

    def reset_limits(self) -> None:
        """None: the limits in a file apply only to the reader."""

    def authorize(self, request: Request) -> Answer | None:
        if request.path == TOKEN_PATH or (
            isinstance(self.said.sign_in, LoginSignIn) and request.path == self.said.sign_in.path
        ):
            return None
        connection = Applied(
            id=self.connection.id,
            provider=self.said.name,
            base_url="http://x",
            token_url="http://x",
        )
        shown = sign_in(
            self.said, connection, self.connection.credentials, http=_Granting(self.said),
            now=datetime.now(UTC),
        )  # fmt: skip
        has_headers = all(
            request.headers.get(name) == value for name, value in shown.headers.items()
        )
        has_query = all(request.query.get(name) == value for name, value in shown.query.items())
        return None if has_headers and has_query else self.refuse(status=401, message="who is it?")

    def refuse(self, *, status: int, message: str) -> Answer:
        content: Json = {}
        names = (names_in(self.said.problem) if self.said.problem else None) or ("message",)
        put(content, names, message)
        return Answer(status=status, content=content)

    def handle(self, request: Request) -> Answer:
        if request.method == "POST" and request.path == TOKEN_PATH:
            return Answer(content={"access_token": _TOKEN, "expires_in": 3600})
        way = self.said.sign_in
        if isinstance(way, LoginSignIn) and request.path == way.path:
            return Answer(content=_Granting(self.said).content)
        wanted = self._wanted(request) if request.method == "GET" else None
        if wanted is not None:
            content: Json = {}
            found = self.find_order(wanted)
            names = names_in(self.said.one_order.order)
            if names and names == names_in(self.said.list.items):
                return Answer(content=put(content, names, [found]))
            return Answer(content=put(content, names, found) if names else found)
        if request.method == "GET" and request.path == self.said.list.path:
            return self._list(request)
        return self._act(request)

    def _wanted(self, request: Request) -> str | None:
        """The order id in a request for one order, in its path or query; None for another
        request.
        """
        path, _, query = self.said.one_order.path.partition("?")
        said, given = path, request.path
        for name, value in parse_qsl(query):
            if "{order_id}" in value:
                if request.path != path:
                    return None
                said, given = value, request.query.get(name, "")
        before, _, behind = said.partition("{order_id}")
        inner = given.removeprefix(before).removesuffix(behind)
        return inner if given == f"{before}{inner}{behind}" and inner else None

    def _act(self, request: Request) -> Answer:
        for name, action in self.said.actions.items():
            id = _order_in(action.path.partition("?")[0], request.path)
            if request.method == action.method and id:
                return self.do_once(request, lambda name=name, id=id: self._do(request, name, id))  # type: ignore[misc]
        raise NoRoute(status=404, message=f"Cannot {request.method} {request.path}")

    def _do(self, request: Request, name: str, id: str) -> Answer:
        order, action = self.find_order(id), self.said.actions[name]
        word = self._orders.word_after(name, action)
        if word is not None:
            reason = request.json().get("reason") if request.body else None
            order = self.move_order(id, {"status": word, "reason": reason})
        self.note_action(action=name, order=id, request=request)
        return Answer(content=_with_outcome(order, action, word))

    def _list(self, request: Request) -> Answer:
        listed, size = self.said.list, _PER_PAGE
        if listed.page_size:
            size = request.number(listed.page_size.parameter, default=size, least=1, most=1000)
        orders = [one["payload"] for one in self.ledger.all()]
        start, pages = self._start(request, size), listed.pages
        some = orders[start : start + size]
        following = start + size if start + size < len(orders) else None
        content: Any = {}
        headers: dict[str, str] = {}
        names = names_in(listed.items) or ()
        content = some if not names else put(content, names, some)
        url = f"?_start={following}"
        match pages:
            case CursorPages() if following:
                put(content, names_in(pages.next) or (), str(following))
            case UrlPages() if following:
                put(content, names_in(pages.next) or (), url)
            case LinkPages() if following:
                headers["Link"] = f'<{url}>; rel="next"'
            case OffsetPages() if pages.total:
                put(content, names_in(pages.total) or (), len(orders))
            case NumberedPages() if pages.pages:
                put(content, names_in(pages.pages) or (), max(1, -(-len(orders) // size)))
        has_more = getattr(pages, "has_more", None)
        if has_more:
            put(content, names_in(has_more) or (), following is not None)
        return Answer(content=content, headers=headers)

    def _start(self, request: Request, size: int) -> int:
        match self.said.list.pages:
            case NumberedPages() as pages:
                number = request.number(pages.parameter, default=pages.first, least=0, most=9999)
                return (number - pages.first) * size
            case OffsetPages() | CursorPages() as pages:
                return request.number(pages.parameter, default=0, least=0, most=10**6)
        return request.number("_start", default=0, least=0, most=10**6)

    def page_number(self, request: Request) -> int | None:
        return 1 if request.path == self.said.list.path else None

    def entries(self, content: Json) -> list[Any] | None:
        found: Any = content
        for name in names_in(self.said.list.items) or ():
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, list) else None

    def point_next(self, *, content: Json, request: Request, kind: str, location: str) -> None:
        if isinstance(self.said.list.pages, UrlPages):
            url = location if kind == "foreign_next" else f"?{request.query}"
            put(content, names_in(self.said.list.pages.next) or (), url)

    def create_order(self, fields: Mapping[str, Any]) -> Json:
        number = _FIRST_NUMBER + self.next_number()
        word = str(fields.get("status") or next(iter(self.said.statuses.map)))
        return self._keep(str(number), word, self._make(word, str(number), fields), fields)

    def move_order(self, id: str, change: Mapping[str, Any]) -> Json:
        """Like :meth:`Account.move_order`; ``status`` is one of the file's words."""
        word = str(change.get("status") or self._kept(id)["status"])
        payload = self._make(word, id, change)
        if change.get("store", True):
            self._keep(id, word, payload, change)
        if change.get("webhook", True) and self.said.webhooks:
            made = self.time_of(change, "timestamp" if "timestamp" in change else "at")
            told = self._webhooks.make(word, payload, parse_time(made))
            if told:
                self.send_webhook(event=told[0], content=told[1])
        return payload

    def find_order(self, id: str) -> Json:
        payload: Json = self._kept(id)["payload"]
        return payload

    def id_of(self, order: Json) -> str:
        return str(order["id"])

    def _kept(self, id: str) -> Json:
        return super().find_order(id)

    def _keep(self, id: str, word: str, payload: Json, change: Mapping[str, Any]) -> Json:
        kept = {"id": id, "status": word, "payload": payload}
        at = self.time_of(change)
        self.ledger.put(id=id, order=kept, updated=self.written_at(at), created=at)
        return kept

    def _make(self, word: str, id: str, change: Mapping[str, Any]) -> Json:
        return self._orders.make(word, int(id), parse_time(self.time_of(change)), change)


class _Granting:
    """Returns the sandbox's own token to every client."""

    def __init__(self, said: Declaration) -> None:
        self.content: Json = {"access_token": _TOKEN, "expires_in": 3600}
        if isinstance(said.sign_in, LoginSignIn):
            put(self.content, names_in(said.sign_in.token) or (), _TOKEN)

    def request(
        self,
        method: str,  # noqa: ARG002 - as Http has it
        url: str,  # noqa: ARG002
        *,
        headers: Mapping[str, str],  # noqa: ARG002
        body: bytes | None = None,  # noqa: ARG002
    ) -> Response:
        return Response(200, {}, Answer(content=self.content).body())


def _order_in(template: str, path: str) -> str | None:
    """The order's id in the path of an action, with any item id."""
    pattern = re.escape(template).replace(r"\{order_id\}", "(?P<id>[^/]+)", 1)
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern)
    found = re.fullmatch(pattern, path)
    return found.groupdict().get("id") if found else None


def _with_outcome(order: Json, action: Action, word: str | None) -> Json:
    """The order in the response to an action, with a word at the position where the file reads the
    outcome.
    """
    place = steps_in(action.outcome)
    if not place or word is None or value_at(order, place) is not None:
        return order
    answer: Json = put(deepcopy(order), place, word)
    return answer
