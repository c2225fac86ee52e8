"""The adapter that follows a provider's file, with the same interface as adapters with code."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from milepost.common.errors import BadPayload
from milepost.common.status import Status, normal_form
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report, Source
from milepost.providers.base import (
    BrokenPage,
    Http,
    Json,
    OrderNamed,
    Page,
    PageRequest,
    ProviderAction,
    SignIn,
)
from milepost.providers.completeness import check_contact
from milepost.providers.declared import values
from milepost.providers.declared.actions import actions_of, words
from milepost.providers.declared.expressions import (
    Read,
    Unfit,
    at_names,
    compile_expression,
    names_in,
    replaced_at,
)
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.file_orders import (
    EventKind,
    FetchEvent,
    IgnoredEvent,
    PartEvent,
    WholeOrderEvent,
)
from milepost.providers.declared.file_sign_in import QuerySignIn
from milepost.providers.declared.order_reading import (
    Context,
    OrderReader,
    PartReader,
    Words,
    required,
)
from milepost.providers.declared.paging import Pager
from milepost.providers.declared.sign_in import sign_in
from milepost.providers.declared.values import TimeReader
from milepost.providers.envelopes import one_segment
from milepost.providers.status_words import ByStatusWord, StatusTable
from milepost.webhooks.signature_schemes import SignatureScheme

_ANY: Final = "any"


class DeclaredProvider:
    """The adapter of one file, for connections with the same base URL."""

    def __init__(self, said: Declaration, *, base_url: str) -> None:
        self.said = said
        self.name = said.name
        words = said.statuses.map
        self.statuses = StatusTable({word: Status(one) for word, one in words.items()})
        self.service_types = frozenset(filter(None, [said.order.service_type]))
        self._words = Words(self.statuses, frozenset(map(normal_form, said.statuses.ignore)))
        self._times = TimeReader(said.times, amounts=said.amounts)
        self._orders = OrderReader(said.order, self._times, self._words)
        self._waits: Mapping[str, str] = said.lifecycle.waits
        self._pager = Pager(
            spec=said.list,
            base_url=base_url,
            times=self._times,
            changed_at=said.order.changed_at,
            secret_parameter=(
                said.sign_in.parameter if isinstance(said.sign_in, QuerySignIn) else None
            ),
        )
        self._actions = actions_of(said.actions)
        self._problem = compile_expression(said.problem) if said.problem else None
        self._read_events(said)
        self.orders_path: tuple[str, ...] = self._pager.orders_path
        plain = names_in(said.order.changed_at) if said.order.changed_at else None
        is_filtered = said.list.since is not None
        self.change_field = plain[0] if is_filtered and plain and len(plain) == 1 else None
        self.has_items = said.order.items is not None
        self.pages_can_shift = is_filtered and said.list.pages.kind in ("number", "offset")
        self.rules = Rules(
            continues=_moves(said.lifecycle.continues),
            recovers=_moves(said.lifecycle.recovers),
            examine=lambda _status, details: check_contact(details),
            waits=self._waits_for,
            read_status=self.statuses.read_status,
        )

    @property
    def signature_scheme(self) -> str | SignatureScheme | None:
        return self.said.webhooks.scheme() if self.said.webhooks else None

    @property
    def actions(self) -> Mapping[str, ProviderAction]:
        return self._actions

    def ignores(self, word: str) -> bool:
        """Whether an order with this status word isn't recorded."""
        return self._words.ignores(word)

    def read_event(self, event: Json, *, connection: Connection, seen_at: datetime) -> list[Report]:
        """The reports of a webhook; empty if it isn't about an order.

        :raises OrderNamed: when it only names the order to fetch
        """
        kind = self._kind(event)
        made = self._made_at(event, seen_at)
        context = Context(
            connection=connection,
            seen_at=seen_at,
            source=Source.WEBHOOK,
            snapshot_at=made if isinstance(kind, WholeOrderEvent) and kind.is_whole else None,
            dated_at=made,
        )
        match kind:
            case WholeOrderEvent():
                read, status = self._whole[id(kind)]
                word = required(status, event, "status", values.word) if status else None
                return self._orders.read(_found(read, event), context, word=word)
            case PartEvent():
                return self._parts[id(kind)].read(event, context)
            case FetchEvent():
                read = compile_expression(kind.id)
                raise OrderNamed(required(read, event, "id", values.identifier))
        return []

    def read_order(
        self, order: Json, *, connection: Connection, requested_at: datetime
    ) -> list[Report]:
        return self._orders.read(
            order,
            Context(
                connection=connection,
                seen_at=requested_at,
                source=Source.POLL,
                snapshot_at=requested_at if self.said.list.is_whole else None,
            ),
        )

    def split_order(self, order: Json) -> list[Json]:
        return self._orders.split(order)

    def split_event(self, event: Json) -> list[Json]:
        kind = self._kind(event)
        if not isinstance(kind, WholeOrderEvent):
            return []
        names = names_in(kind.order)
        order = at_names(event, names) if names is not None else None
        return [replaced_at(event, names or (), part) for part in self._orders.split(order)]

    def first_page(self, connection: Connection, *, changed_since: datetime | None) -> PageRequest:
        return self._pager.first(connection, changed_since=changed_since)

    def read_page(self, body: Json, *, request: PageRequest) -> Page:
        return self._pager.read(body, request=request)

    def order_request(self, order_id: str) -> PageRequest:
        return PageRequest(self.said.one_order.path.replace("{order_id}", one_segment(order_id)))

    def read_one(self, body: Json) -> Json:
        found = compile_expression(self.said.one_order.order)(body)
        if isinstance(found, list) and len(found) == 1:
            (found,) = found
        if not isinstance(found, dict):
            raise BrokenPage(f"the answer has no order ({self.said.one_order.order})")
        return found

    def read_refusal(self, body: Json) -> str | None:
        return words(self._problem, body) if self._problem else None

    def sign_in(
        self, connection: Connection, credentials: Mapping[str, str], *, http: Http, now: datetime
    ) -> SignIn:
        return sign_in(self.said, connection, credentials, http=http, now=now)

    def _read_events(self, said: Declaration) -> None:
        self._event: Read | None = None
        self._made: Read | None = None
        self._kinds: ByStatusWord[EventKind] = ByStatusWord({})
        self._whole: dict[int, tuple[Read, Read | None]] = {}
        self._parts: dict[int, PartReader] = {}
        if said.webhooks is None:
            return
        hooks = said.webhooks
        self._event = compile_expression(hooks.event) if hooks.event else None
        self._made = compile_expression(hooks.made_at) if hooks.made_at else None
        self._kinds = ByStatusWord(hooks.kinds)
        for kind in hooks.kinds.values():
            if isinstance(kind, WholeOrderEvent):
                status = compile_expression(kind.status) if kind.status else None
                self._whole[id(kind)] = (compile_expression(kind.order), status)
            if isinstance(kind, PartEvent):
                self._parts[id(kind)] = PartReader(kind, self._times, self._words)

    def _kind(self, event: Json) -> EventKind | IgnoredEvent:
        if self._event is None:
            if _ANY not in self._kinds:
                raise BadPayload("not an expected event: the provider's file has no webhooks")
            return self._kinds[_ANY]
        name = required(self._event, event, "event", values.word)
        try:
            return self._kinds[name]
        except KeyError:
            raise BadPayload(
                "not an expected event: its kind isn't in the provider's file"
            ) from None

    def _made_at(self, event: Json, seen_at: datetime) -> datetime:
        if self._made is None:
            return seen_at
        try:
            made = self._times.instant(self._made(event))
        except (Unfit, ValueError, ArithmeticError):
            return seen_at
        return min(made, seen_at) if made else seen_at

    def _waits_for(self, status: Status, _details: Details) -> str | None:
        return self._waits.get(status)


def _moves(said: Mapping[str, list[str]]) -> Mapping[str, frozenset[Status]]:
    return ByStatusWord({word: frozenset(map(Status, to)) for word, to in said.items()})


def _found(read: Read, payload: Any) -> Any:
    try:
        return read(payload)
    except Unfit:
        raise BadPayload("not the expected event: its expression doesn't fit") from None
