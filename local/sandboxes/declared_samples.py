"""The payloads of a declared provider: orders and webhooks in the format of its samples."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from cli.providers.samples import Sample
from local.sandboxes.account import UnknownOrder
from local.sandboxes.json_format import Json, merge, parse_time
from local.sandboxes.sample_values import (
    as_sampled,
    is_word,
    put,
    quoted_text,
    steps_in,
    time_as_sampled,
    value_at,
)
from milepost.common.errors import BadPayload
from milepost.common.status import normal_form
from milepost.connections.connection import Connection
from milepost.orders.report import Report
from milepost.providers.base import OrderNamed, PageRequest
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.expressions import Unfit, compile_expression
from milepost.providers.declared.file_format import Action, Declaration
from milepost.providers.declared.file_orders import (
    EventKind,
    FetchEvent,
    IgnoredEvent,
    PartEvent,
    WholeOrderEvent,
)
from milepost.providers.declared.file_parts import Part


class SampledOrders:
    """Orders of one provider, each in the format of the sample with its status word."""

    def __init__(self, said: Declaration, samples: list[Sample]) -> None:
        self._said = said
        self._reader = DeclaredProvider(said, base_url=said.base_url or "http://x")
        self._connection = Connection(id="samples", provider=said.name, base_url="http://x")
        self._forms: dict[str, Json] = {}
        for order in self._orders(samples):
            for report in self._read(order):
                self._forms.setdefault(normal_form(report.raw_status or ""), order)
        self._id = steps_in(said.order.id) or ("id",)

    def have(self, word: str) -> bool:
        """Whether a sample has this status word."""
        return normal_form(word) in self._forms

    def make(self, word: str, number: int, at: datetime, change: Mapping[str, Any]) -> Json:
        """An order with this status word and number, changed at this time.

        :param change: ``set``, ``reason`` and ``scheduledFor``, as for every sandbox
        :raises UnknownOrder: when no sample has the word
        """
        form = self._forms.get(normal_form(word))
        if form is None:
            raise UnknownOrder(f"no sample has the status {word}")
        order, said = deepcopy(form), self._said.order
        put(order, self._id, as_sampled(number, value_at(form, self._id)))
        changed = steps_in(said.changed_at)
        put(order, changed, time_as_sampled(at, value_at(form, changed), self._said.times))
        self._number_reference(order, number)
        facts = said.facts
        if change.get("reason"):
            put(order, steps_in(facts.reason), str(change["reason"]))
        if change.get("scheduledFor"):
            moment, place = parse_time(str(change["scheduledFor"])), steps_in(facts.appointment)
            put(order, place, time_as_sampled(moment, value_at(form, place), self._said.times))
        return merge(order, change.get("set") or {})

    def id_in(self, order: Json) -> Any:
        """The order's id in the provider's format, a number or a text."""
        return value_at(order, self._id)

    def word_after(self, name: str, action: Action) -> str | None:
        """The status word to which an action moves an order: the one that its body sends as the
        status, or that its ``outcome`` has in quotes; for ``cancel``, otherwise the first word that
        means cancelled. None if there is none, or no sample has it."""
        status = steps_in(self._said.order.status) or ("status",)
        sent = (action.body or {}).get(str(status[-1]))
        meanings = self._said.statuses.map
        ends = (
            [one for one, to in meanings.items() if to == "cancelled"] if name == "cancel" else []
        )
        declared = [
            one for one in meanings
            if is_word(sent, one) or is_word(quoted_text(action.outcome), one)
        ]  # fmt: skip
        return next((one for one in [*declared, *ends] if self.have(one)), None)

    def _number_reference(self, order: Json, number: int) -> None:
        place = steps_in(self._said.order.facts.reference)
        if place is None or place == self._id:
            return
        sample = value_at(order, place)
        is_number = str(sample).isdigit()
        text = str(number) if is_number else f"{self._said.name[:3].upper()}-{number}"
        put(order, place, as_sampled(text, sample))

    def _orders(self, samples: list[Sample]) -> Iterator[Json]:
        for one in samples:
            if one.kind == "list":
                request = PageRequest(self._said.list.path)
                yield from map(dict, self._reader.read_page(one.body, request=request).orders)
            elif one.kind == "order":
                yield dict(self._reader.read_one(one.body))

    def _read(self, order: Json) -> list[Report]:
        return self._reader.read_order(
            order, connection=self._connection, requested_at=datetime.now(UTC)
        )


class SampledWebhooks:
    """Webhooks of one provider: which kind reports a status word, and in which format."""

    def __init__(self, said: Declaration, samples: list[Sample], orders: SampledOrders) -> None:
        self._said, self._orders = said, orders
        reader = DeclaredProvider(said, base_url=said.base_url or "http://x")
        connection = Connection(id="samples", provider=said.name, base_url="http://x")
        self._samples: list[tuple[str, str | None, Json]] = []
        """Of each webhook: its kind, the status word that it tells, and itself."""
        for one in samples:
            if one.kind == "webhook" and isinstance(one.body, dict):
                word = _word_told(reader, connection, one.body)
                self._samples.append((self._name_in(one.body), word, one.body))

    def make(self, word: str, order: Json, at: datetime) -> tuple[str, Json] | None:
        """The webhook that reports that an order has moved to this word: its kind and its body."""
        hooks = self._said.webhooks
        found = self._kind(word)
        if hooks is None or found is None:
            return None
        name, kind = found
        alike = self._sample(name, word, is_fetch=isinstance(kind, FetchEvent))
        content: Json = deepcopy(alike or {})
        like = alike or self._sample(name, word, is_fetch=True)
        match kind:
            case WholeOrderEvent():
                content = self._with_order(kind, content, order, like)
                self._put_word(content, kind.status, word, like)
            case PartEvent():
                self._put_id(content, kind.id, order, like)
                self._put_part(content, kind, word=word, order=order, like=like)
                self._put_time(content, kind.changed_at, at, like)
            case FetchEvent():
                self._put_id(content, kind.id, order, like)
        put(content, steps_in(hooks.event), name if like is None else self._spelled(name, like))
        self._put_time(content, hooks.made_at, at, like)
        return name, content

    def _kind(self, word: str) -> tuple[str, EventKind] | None:
        """The kind of a sample with this word; otherwise the one whose ``status`` is the word in
        quotes; otherwise the first that takes the status from the webhook."""
        hooks = self._said.webhooks
        told = {
            name: kind for name, kind in (hooks.kinds.items() if hooks else ())
            if not isinstance(kind, IgnoredEvent)
        }  # fmt: skip
        sampled = [name for name, one, _ in self._samples if one and is_word(one, word)]
        fixed = {name: quoted_text(getattr(kind, "status", None)) for name, kind in told.items()}
        named = [name for name, one in fixed.items() if is_word(one, word)]
        others = [
            name for name, kind in told.items()
            if fixed[name] is None and not (isinstance(kind, PartEvent) and kind.status is None)
        ]  # fmt: skip
        name = next((one for one in [*sampled, *named, *others] if one in told), None)
        return None if name is None else (name, told[name])

    def _sample(self, name: str, word: str, *, is_fetch: bool) -> Json | None:
        """A sample of this kind, preferably one that reports this word, unless any will do."""
        fitting = (
            body for one, told, body in self._samples
            if one == name and (is_fetch or is_word(told, word))
        )  # fmt: skip
        return next(fitting, None)

    def _with_order(
        self, kind: WholeOrderEvent, content: Json, order: Json, like: Json | None
    ) -> Json:
        place, sent = steps_in(kind.order), deepcopy(order)
        id = steps_in(self._said.order.id) or ("id",)
        sampled = value_at(like, (*(place or ()), *id))
        put(sent, id, as_sampled(self._orders.id_in(order), sampled))
        return put(content, place, sent) if place else {**content, **sent}

    def _put_id(self, content: Json, expression: str, order: Json, like: Json | None) -> None:
        place = steps_in(expression)
        put(content, place, as_sampled(self._orders.id_in(order), value_at(like, place)))

    def _put_word(
        self, content: Json, expression: str | None, word: str, like: Json | None
    ) -> None:
        place = steps_in(expression)
        put(content, place, as_sampled(word, value_at(like, place)))

    def _put_time(
        self, content: Json, expression: str | None, at: datetime, like: Json | None
    ) -> None:
        place = steps_in(expression)
        put(content, place, time_as_sampled(at, value_at(like, place), self._said.times))

    def _put_part(
        self, content: Json, kind: PartEvent, *, word: str, order: Json, like: Json | None
    ) -> None:
        for to, of in _pairs(kind.facts, self._said.order.facts):
            if (value := _read(of, order)) is not None:
                put(content, steps_in(to), value)
        items = self._said.order.items
        if kind.item and items:
            several = [one for one in _read(items.each, order) or () if isinstance(one, dict)]
            moved = [one for one in several if is_word(str(_read(items.status, one)), word)]
            for one in [*moved, *several][:1]:
                put(content, steps_in(kind.item), _read(items.id, one))
        said = self._said.order.status
        spelled = _read(said, order) if said and steps_in(said) else None
        self._put_word(content, kind.status, word if spelled is None else spelled, like)

    def _name_in(self, body: Json) -> str:
        """The kind of a sample, in the file's spelling."""
        hooks = self._said.webhooks
        if hooks is None or hooks.event is None:
            return "any"
        said = str(_read(hooks.event, body))
        return next((one for one in hooks.kinds if is_word(said, one)), said)

    def _spelled(self, name: str, like: Json) -> Any:
        """The kind in a sample's spelling or number."""
        hooks = self._said.webhooks
        found = _read(hooks.event, like) if hooks and hooks.event else None
        return name if found is None else found


def _word_told(reader: DeclaredProvider, connection: Connection, body: Json) -> str | None:
    try:
        found = reader.read_event(body, connection=connection, seen_at=datetime.now(UTC))
    except (OrderNamed, BadPayload):
        return None
    return next((one.raw_status for one in found if one.raw_status), None)


def _pairs(facts: Part, of_order: Part) -> Iterator[tuple[str, str]]:
    """Facts that both have: the position in an event, and the position in an order."""
    for name, to in facts:
        of = getattr(of_order, name)
        if isinstance(to, str) and isinstance(of, str):
            yield to, of
        elif isinstance(to, Part) and isinstance(of, Part) and not hasattr(to, "each"):
            yield from _pairs(to, of)


def _read(expression: str, payload: Any) -> Any:
    try:
        return compile_expression(expression)(payload)
    except Unfit:
        return None
