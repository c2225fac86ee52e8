"""Reads captured responses and webhooks offline, according to a provider's file."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cli.errors import WrongUse
from milepost.common.errors import BadPayload
from milepost.common.status import normal_form
from milepost.common.strict_json import read_json
from milepost.connections.connection import Connection
from milepost.orders.report import Report
from milepost.providers.base import BrokenPage, Json, OrderNamed, PageRequest
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.expressions import Unfit, compile_expression, roots_of
from milepost.providers.declared.fact_reading import expressions_in
from milepost.providers.declared.file_format import Declaration
from milepost.providers.readable_parts import read_event, read_order

KINDS: Final = ("list", "order", "webhook")
_BASE: Final = "https://samples.invalid"
_MOST_NAMED: Final = 30
_LONGEST_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Sample:
    """One captured response or webhook."""

    name: str
    kind: str
    body: Any


@dataclass(slots=True)
class Outcome:
    """The result of reading all samples."""

    reports: list[tuple[str, Report]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    unused: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    """The first value that is found for each field."""
    fetched: list[tuple[str, str]] = field(default_factory=list)


def read_samples(directory: Path) -> list[Sample]:
    """The samples of a directory: ``list*.json``, ``order*.json`` and ``webhook*.json``.

    :raises WrongUse: when there is none, or one isn't JSON
    """
    found = []
    for path in sorted(directory.glob("*.json")):
        kind = next((one for one in KINDS if path.name.startswith(one)), None)
        if kind is None:
            continue
        try:
            found.append(Sample(path.name, kind, read_json(path.read_bytes())))
        except (BadPayload, OSError) as error:
            raise WrongUse(f"{path} can't be read: {error}") from None
    if not found:
        raise WrongUse(
            f"{directory} has no samples: capture responses as list-1.json and "
            "order-1.json, and bodies of webhooks as webhook-1.json."
        )
    return found


def replay(said: Declaration, samples: list[Sample], *, now: datetime | None = None) -> Outcome:
    """Read every sample, offline."""
    base_url = said.base_url or _BASE
    provider = DeclaredProvider(said, base_url=base_url)
    connection = Connection(id="samples", provider=said.name, base_url=base_url)
    outcome = Outcome()
    at = now or datetime.now(UTC)
    for one in samples:
        try:
            _read(one, provider, connection, at, outcome)
        except (BadPayload, BrokenPage) as error:
            outcome.problems.append(f"{one.name}: {error}{_hint(str(error), one, said)}")
    outcome.problems = list(_counted(outcome.problems))
    outcome.words = {normal_form(report.raw_status or "") for _, report in outcome.reports}
    _check_words(said, outcome)
    _check_one_order(samples, outcome)
    return outcome


def _read(
    one: Sample, provider: DeclaredProvider, connection: Connection, at: datetime, outcome: Outcome
) -> None:
    if one.kind == "webhook":
        _read_webhook(one, provider, connection, at, outcome)
        return
    orders: list[Any]
    if one.kind == "list":
        page = provider.read_page(one.body, request=PageRequest(provider.said.list.path))
        orders = list(page.orders)
    else:
        orders = [provider.read_one(one.body)]
    for order in orders:
        found = read_order(provider, order, connection=connection, requested_at=at)
        outcome.reports += [(one.name, report) for report in found.reports]
        outcome.problems += [
            f"{one.name}: {bad.reason}{_hint(str(bad.reason), one, provider.said)}"
            for bad in found.unreadable
        ]
        outcome.unused |= set(unused_fields(provider.said, order))
        outcome.values = dict(_values(provider.said, order)) | outcome.values


def _read_webhook(
    one: Sample, provider: DeclaredProvider, connection: Connection, at: datetime, outcome: Outcome
) -> None:
    if not isinstance(one.body, dict):
        raise BadPayload("a webhook has to be a JSON object")
    try:
        found = read_event(provider, one.body, connection=connection, seen_at=at, judged_at=at)
    except OrderNamed as named:
        outcome.fetched.append((one.name, named.order_id))
        return
    outcome.reports += [(one.name, report) for report in found.reports]
    outcome.problems += [
        f"{one.name}: {bad.reason}{_hint(str(bad.reason), one, provider.said)}"
        for bad in found.unreadable
    ]


def _counted(lines: list[str]) -> Iterator[str]:
    """Each line once, with the number of its occurrences."""
    for line, count in Counter(lines).items():
        yield line if count == 1 else f"{line} ({count} times)"


def _hint(reason: str, one: Sample, said: Declaration) -> str:
    """The part of the file to which a reason refers: an expression, or a key to look at."""
    name = reason.removeprefix("not the expected order: ").partition(":")[0]
    event = said.webhooks.event if said.webhooks else None
    if name == "event" and event:
        return f": webhooks.event is {event}"
    if reason.endswith("its kind isn't in the provider's file") and event:
        return f": add {_shown(event, one.body)} to webhooks.kinds"
    path = dict(paths_of(said)).get(name)
    if path is None:
        return ""
    whole = {"order": "one_order.order", "webhook": "the kind's order"}.get(one.kind)
    is_inside = whole is not None and reason.endswith(": missing")
    return f": order.{name} is {path}" + (
        f", looked for in what {whole} selects" if is_inside else ""
    )


def _values(said: Declaration, order: Any) -> Iterator[tuple[str, str]]:
    """The values that each expression of the file finds in an order, except those of its items."""
    for name, text in paths_of(said):
        if not name.startswith("items.") and (shown := _shown(text, order)):
            yield name, shown


def _shown(text: str, payload: Any) -> str:
    try:
        value = compile_expression(text)(payload)
    except (Unfit, ValueError):
        return ""
    shown = "" if value is None else " ".join(str(value).split())
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[: _LONGEST_SHOWN - 1]}…"


def _check_one_order(samples: list[Sample], outcome: Outcome) -> None:
    """Facts that every listed order has and no fetched order: each refresh would lose them."""
    kinds = {one.name: one.kind for one in samples}
    facts: dict[str, list[set[str]]] = {"list": [], "order": [], "webhook": []}
    for name, report in outcome.reports:
        facts[kinds[name]].append(set(report.details))
    if not facts["list"] or not facts["order"]:
        return
    fetched = {name for one in facts["order"] for name in one}
    for lost in sorted(set.intersection(*facts["list"]) - fetched):
        outcome.problems.append(
            f"every listed order has {lost}, but no order*.json: request it in one_order.path"
        )


def _check_words(said: Declaration, outcome: Outcome) -> None:
    for name, report in outcome.reports:
        if report.has_unknown_status:
            outcome.problems.append(
                f"{name}: order {report.order_id} has the status {report.raw_status!r}, which is "
                "not in statuses.map"
            )
        for unread in report.details.get("unread", []):
            outcome.problems.append(f"{name}: order {report.order_id}: {unread} can't be read")
    for word in said.statuses.map:
        if normal_form(word) not in outcome.words:
            outcome.problems.append(f"no sample has the status {word!r}: capture one")


def unused_fields(said: Declaration, order: Json) -> Iterator[str]:
    """The fields of an order that no expression of the file reads, including those one level
    down.
    """
    looked_at = {path for _, text in expressions_in(said.order) for path in _paths(text)}
    if said.order.items is not None:
        looked_at |= set(_paths(said.order.items.each))
    for name, value in order.items() if isinstance(order, dict) else ():
        inner = {path[1:2] for path in looked_at if path[0] == name}
        if not inner:
            yield name
        elif isinstance(value, dict) and () not in inner:
            yield from (f"{name}.{one}" for one in value if (one,) not in inner)


def _paths(text: str) -> list[tuple[str, ...]]:
    try:
        return [path for path in roots_of(text) if path]
    except ValueError:
        return []


def paths_of(said: Declaration) -> list[tuple[str, str]]:
    """Each field that the file reads, and its position."""
    return [(name, text) for name, text in expressions_in(said.order)]
