"""The sandbox of a declared provider, from its file and its samples.

Each status word has a sample; an order moves to a word by taking that sample's form, with its own
id and a new time of change. Lists, pages, sign-in and signatures are as the file says.
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from cli.providers.samples import Sample
from local.sandboxes.account import Account, UnknownOrder
from local.sandboxes.clock import Clock
from local.sandboxes.demo_scenarios import Story
from local.sandboxes.json_format import Json, parse_time
from local.sandboxes.request import Answer, Request
from local.sandboxes.routes import NoRoute
from local.sandboxes.settings import Connection
from local.sandboxes.webhook_outbox import Outbox
from milepost.common.status import Status, normal_form
from milepost.connections.connection import Connection as Applied
from milepost.orders.lifecycle import TERMINAL
from milepost.providers.base import PageRequest, Response
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.expressions import names_in
from milepost.providers.declared.file_facts import (
    IN_TEXT,
    IgnoredEvent,
    PartEvent,
    WholeOrderEvent,
)
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.file_parts import (
    CursorPages,
    LinkPages,
    LoginSignIn,
    NumberedPages,
    OffsetPages,
    UrlPages,
)
from milepost.providers.declared.sign_in import sign_in

TOKEN_PATH: Final = "/_token"
_TOKEN: Final = "local-token"
_PER_PAGE: Final = 20


class Declared(Account):
    """An account at a provider that a file declares."""

    statuses: ClassVar[tuple[str, ...]] = ()
    endpoints: ClassVar[tuple[str, ...]] = ()
    id_field: ClassVar[str] = "id"

    def __init__(self, *, connection: Connection, clock: Clock, outbox: Outbox) -> None:
        if connection.declared is None:
            raise ValueError(f"{connection.id} has no provider's file")
        self.said, samples = connection.declared
        self._reader = DeclaredProvider(self.said, base_url=self.said.base_url or "http://x")
        self._forms = _forms(self.said, self._reader, samples)
        super().__init__(connection=connection, clock=clock, outbox=outbox)

    @property
    def stories(self) -> tuple[Story, ...]:
        """A life for each word that ends one, by the words that there are samples of."""
        meaning = {word: Status(to) for word, to in self.said.statuses.map.items()}
        words = sorted((one for one in meaning if normal_form(one) in self._forms),
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
        """None: what a file says of limits is for its readers."""

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
        _put(content, names, message)
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
                return Answer(content=_put(content, names, [found]))
            return Answer(content=_put(content, names, found) if names else found)
        if request.method == "GET" and request.path == self.said.list.path:
            return self._list(request)
        return self._act(request)

    def _wanted(self, request: Request) -> str | None:
        """The id in a request for one order, in its path or in its query; None for another one."""
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
            before, _, behind = action.path.partition("{order_id}")
            id = request.path.removeprefix(before).removesuffix(behind)
            if request.method != action.method or request.path != f"{before}{id}{behind}":
                continue
            return self.do_once(request, lambda name=name, id=id: self._do(request, name, id))  # type: ignore[misc]
        raise NoRoute(status=404, message=f"Cannot {request.method} {request.path}")

    def _do(self, request: Request, name: str, id: str) -> Answer:
        self.find_order(id)
        ends = [one for one, to in self.said.statuses.map.items() if to == "cancelled"]
        usable = [one for one in ends if normal_form(one) in self._forms]
        if name == "cancel" and usable:
            self.move_order(id, {"status": usable[0]})
        self.note_action(action=name, order=id, request=request)
        return Answer(content=self.find_order(id))

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
        content = some if not names else _put(content, names, some)
        url = f"?_start={following}"
        match pages:
            case CursorPages() if following:
                _put(content, names_in(pages.next) or (), str(following))
            case UrlPages() if following:
                _put(content, names_in(pages.next) or (), url)
            case LinkPages() if following:
                headers["Link"] = f'<{url}>; rel="next"'
            case OffsetPages() if pages.total:
                _put(content, names_in(pages.total) or (), len(orders))
            case NumberedPages() if pages.pages:
                _put(content, names_in(pages.pages) or (), max(1, -(-len(orders) // size)))
        has_more = getattr(pages, "has_more", None)
        if has_more:
            _put(content, names_in(has_more) or (), following is not None)
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
            _put(content, names_in(self.said.list.pages.next) or (), url)

    def create_order(self, fields: Mapping[str, Any]) -> Json:
        number = self.next_number()
        word = str(fields.get("status") or next(iter(self.said.statuses.map)))
        kept = {"id": str(900_000 + number), "payload": self._form(word, 900_000 + number, fields)}
        self._keep(kept, fields)
        return kept

    def move_order(self, id: str, change: Mapping[str, Any]) -> Json:
        """As :meth:`Account.move_order`; ``status`` is one of the file's words."""
        self.find_order(id)
        word = str(change.get("status", ""))
        payload = self._form(word, int(id), change)
        self._keep({"id": id, "payload": payload}, change)
        if change.get("webhook", True):
            self._announce(payload)
        return payload

    def find_order(self, id: str) -> Json:
        found = self.ledger.get(id)
        if found is None:
            raise UnknownOrder(f"Order {id} not found")
        payload: Json = found["payload"]
        return payload

    def id_of(self, order: Json) -> str:
        return str(order["id"])

    def _keep(self, kept: Json, change: Mapping[str, Any]) -> None:
        at = self.time_of(change)
        self.ledger.put(id=kept["id"], order=kept, updated=self.written_at(at), created=at)

    def _form(self, word: str, number: int, change: Mapping[str, Any]) -> Json:
        form = self._forms.get(normal_form(word))
        if form is None:
            raise UnknownOrder(f"no sample has the status {word}")
        order = deepcopy(form)
        _put(order, names_in(self.said.order.id) or ("id",), number)
        names = names_in(self.said.order.changed_at) if self.said.order.changed_at else None
        if names:
            moment = parse_time(self.time_of(change))
            _put(order, names, self._written(moment, _get(form, names)))
        reference = self.said.order.facts.reference
        if reference and (path := names_in(reference)):
            _put(order, path, f"{self.said.name[:3].upper()}-{number}")
        return order

    def _written(self, moment: datetime, like: Any) -> Any:
        if isinstance(like, int | float):
            seconds = moment.timestamp()
            return int(seconds * 1000) if like > 10**11 else int(seconds)
        zone = self.said.times.zone
        if zone != IN_TEXT and isinstance(like, str) and not like.endswith("Z"):
            return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _announce(self, order: Json) -> None:
        hooks = self.said.webhooks
        if hooks is None:
            return
        for word, kind in hooks.kinds.items():
            if isinstance(kind, IgnoredEvent):
                continue
            content: Json = {}
            if isinstance(kind, WholeOrderEvent):
                names = names_in(kind.order)
                content = _put(content, names, order) if names else deepcopy(order)
            else:
                _put_by(content, kind.id, self._reader_id(order))
            if isinstance(kind, PartEvent):
                fields = self.said.order
                for to, of in ((kind.status, fields.status), (kind.changed_at, fields.changed_at)):
                    if to and of:
                        _put_by(content, to, _get(order, names_in(of) or ()))
            if hooks.event and (path := names_in(hooks.event)):
                _put(content, path, word)
            self.send_webhook(event=word, content=content)
            return

    def _reader_id(self, order: Json) -> Any:
        return _get(order, names_in(self.said.order.id) or ("id",))


class _Granting:
    """Gives the sandbox's own token to whoever asks."""

    def __init__(self, said: Declaration) -> None:
        self.content: Json = {"access_token": _TOKEN, "expires_in": 3600}
        if isinstance(said.sign_in, LoginSignIn):
            _put(self.content, names_in(said.sign_in.token) or (), _TOKEN)

    def request(
        self,
        method: str,  # noqa: ARG002 - as Http has it
        url: str,  # noqa: ARG002
        *,
        headers: Mapping[str, str],  # noqa: ARG002
        body: bytes | None = None,  # noqa: ARG002
    ) -> Response:
        return Response(200, {}, Answer(content=self.content).body())


def _forms(said: Declaration, reader: DeclaredProvider, samples: list[Sample]) -> dict[str, Json]:
    """A sample order for each status word."""
    connection = Applied(id="samples", provider=said.name, base_url="http://x")
    found: dict[str, Json] = {}
    for sample in samples:
        if sample.kind == "webhook":
            continue
        if sample.kind == "list":
            page = reader.read_page(sample.body, request=PageRequest(said.list.path))
            orders = list(page.orders)
        else:
            orders = [reader.read_one(sample.body)]
        for order in orders:
            for report in reader.read_order(
                order, connection=connection, requested_at=datetime.now(UTC)
            ):
                found.setdefault(normal_form(report.raw_status or ""), dict(order))
    return found


def _put(content: Any, names: tuple[str, ...], value: Any) -> Any:
    inner = content
    for name in names[:-1]:
        inner = inner.setdefault(name, {}) if isinstance(inner, dict) else {}
    if names and isinstance(inner, dict):
        inner[names[-1]] = value
    return content


def _put_by(content: Json, expression: str, value: Any) -> None:
    """Put it where a path with indexes, such as ``data[0].id``, finds it."""
    *above, last = expression.split(".")
    inner = content
    for name in above:
        bare = name.removesuffix("[0]")
        below: Json = {}
        inner[bare] = [below] if name.endswith("[0]") else below
        inner = below
    inner[last] = value


def _get(content: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    return content
