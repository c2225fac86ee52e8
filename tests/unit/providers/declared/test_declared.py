"""Declared providers: what a file says is what its adapter does."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jmespath
import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.providers.draft import NoOrders, propose
from cli.providers.file import InvalidText, read_declaration, read_provider
from cli.providers.samples import Sample, read_samples, replay
from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.connections.declared_provider import StoredProvider, UnusableProvider, pack, unpack
from milepost.providers.base import PageRequest
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.expressions import BadExpression, Unfit, compile_expression
from milepost.providers.declared.file_format import Declaration, json_schema
from milepost.providers.declared.file_parts import Signature
from milepost.providers.declared.stored import read_stored
from tests.unit.providers.declared.declared_files import (
    BASE,
    CONNECTION,
    EVENTS,
    FILE,
    NOW,
    ORDER,
    declared,
)

ROOT = Path(__file__).parents[4]


EXAMPLES = sorted((ROOT / "providers" / "examples").glob("*.yaml"))


def read(order: Mapping[str, Any], provider: DeclaredProvider | None = None) -> Any:
    provider = provider or declared()
    return provider.read_order(order, connection=CONNECTION, requested_at=NOW)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda one: str(one.stem))
def test_every_sample_of_an_example_can_be_read_and_every_word_has_one(path: Path) -> None:
    said = read_provider(path)
    outcome = replay(said, read_samples(path.with_suffix("")), now=NOW)
    assert outcome.problems == []
    assert said.name == path.stem
    assert Declaration.model_validate_json(said.as_json()) == said


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda one: str(one.stem))
def test_a_file_that_is_proposed_from_a_list_reads_its_orders(path: Path) -> None:
    answer = json.loads((path.with_suffix("") / "list-1.json").read_text())
    proposed = Declaration.model_validate(propose("heatly", answer))
    provider = DeclaredProvider(proposed, base_url=BASE)
    page = provider.read_page(answer, request=PageRequest("/orders"))
    assert page.orders
    if path.stem == "woocommerce":
        assert read(page.orders[0], provider)[0].status is Status.PENDING
    with pytest.raises(NoOrders):
        propose("heatly", {"data": []})


def test_a_file_is_proposed_from_orders_whose_fields_are_in_attributes() -> None:
    attributes = {"state": "placed", "updated_at": "2026-03-01T10:00:00Z", "number": "R-1"}
    answer = {"data": [{"id": "1", "type": "order", "attributes": attributes}]}
    order = propose("heatly", answer)["order"]
    assert order == {
        "id": "id", "status": "attributes.state", "changed_at": "attributes.updated_at",
        "facts": {"reference": "attributes.number"},
    }  # fmt: skip
    assert propose("heatly", answer)["statuses"] == {"map": {"placed": "pending"}}


def replayed(kind: str, body: Any, change: str = "") -> Any:
    said = declared(change).said
    return replay(said, [Sample(f"{kind}-1.json", kind, body)], now=NOW)


def test_a_problem_of_samples_is_said_once_with_the_place_in_the_file() -> None:
    listed = replayed("list", {"data": {"orders": [{**ORDER, "id": None}] * 3}})
    assert "list-1.json: not the expected order: id: missing: order.id is id (3 times)" in (
        listed.problems
    )
    (fetched, *_) = replayed("order", {"wrong": ORDER}).problems
    assert fetched.endswith(
        "id: missing: order.id is id, looked for in what one_order.order selects"
    )
    (event, *_) = replayed("webhook", {"kind": "new"}, EVENTS).problems
    assert event.endswith("event: missing: webhooks.event is type")
    (kind, *_) = replayed("webhook", {"type": "new"}, EVENTS).problems
    assert kind.endswith("in the provider's file: add new to webhooks.kinds")


def test_samples_show_the_first_value_of_each_field_and_what_is_not_used_one_level_down() -> None:
    said = declared(order={"id": "id", "status": "a.state", "facts": {"reference": "b"}}).said
    order = {"id": 7, "a": {"state": "Fertig", "more": 1}, "b": {"c": 1}, "d": 2}
    body = {"data": {"orders": [order, {**order, "id": 8}]}}
    outcome = replay(said, [Sample("list-1.json", "list", body)], now=NOW)
    assert outcome.values == {"id": "7", "status": "Fertig", "facts.reference": "{'c': 1}"}
    assert outcome.unused == {"a.more", "d"}


def test_the_file_of_the_page_is_a_provider_as_it_stands() -> None:
    page = (ROOT / "docs" / "add-a-provider.md").read_text()
    said = read_declaration(page.partition("```yaml\n")[2].partition("```")[0])
    order = {"id": 1, "state": "Planned", "changed": "2026-03-01T10:00:00", "number": "H-1"}
    (report,) = DeclaredProvider(said, base_url=BASE).read_event(
        {"type": "order.changed", "at": "2026-03-01T10:00:01", "data": order},
        connection=CONNECTION,
        seen_at=NOW,
    )
    assert (report.status, report.details["reference"]) == (Status.SCHEDULED, "H-1")


def test_every_signature_of_the_page_is_a_scheme() -> None:
    page = (ROOT / "docs" / "add-a-provider.md").read_text()
    table = page.partition("### Signatures")[2].partition("###")[0]
    found = re.findall(r"`(\{header: [^`]*\})`", table)
    assert len(found) == 5
    for one in found:
        Signature.model_validate(yaml.safe_load(one))


def test_an_order_is_read_with_its_zone_its_words_and_its_facts() -> None:
    (report,) = read({**ORDER, "visit": "02.03.2026 09:30", "price": "75.50"})
    assert (report.order_id, report.status, report.raw_status) == ("7", Status.COMPLETED, "fertig")
    assert report.occurred_at == datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    assert report.details["appointment"] == "2026-03-02T08:30:00Z"
    assert str(report.details["payment"]["amount"]) == "75.50"
    assert report.snapshot_at == NOW


def test_a_word_to_ignore_is_recorded_not_at_all_and_an_unknown_one_is_never_guessed() -> None:
    assert read({**ORDER, "state": "ENTWURF"}) == []
    (report,) = read({**ORDER, "state": "Fertig!"})
    assert report.has_unknown_status


def test_a_time_that_is_not_set_is_missing_and_one_that_cannot_be_read_is_named() -> None:
    (unset,) = read({**ORDER, "visit": "0000-00-00 00:00:00"})
    assert "unread" not in unset.details
    (bad,) = read({**ORDER, "visit": "soon", "price": [1], "mail": {"x": 1}})
    assert set(bad.details["unread"]) == {"appointment", "customer.email", "payment.amount"}


@pytest.mark.parametrize(
    "change",
    [{"id": None}, {"id": ""}, {"id": {}}, {"state": None}, {"state": "x" * 300}, {"state": []},
     {"changed": None}, {"changed": "gestern"}, {"changed": "0000-00-00 00:00:00"}],
)  # fmt: skip
def test_without_id_status_or_time_an_order_is_no_order(change: dict[str, Any]) -> None:
    with pytest.raises(BadPayload) as refused:
        read({**ORDER, **change})
    assert "kim@" not in str(refused.value)


def test_a_time_without_a_zone_is_no_time_where_the_file_says_that_each_has_one() -> None:
    with pytest.raises(BadPayload, match="zone"):
        read(ORDER, declared(times={"zone": "in_text"}))


ITEMS: dict[str, Any] = {
    "id": "id",
    "changed_at": "changed",
    "facts": {"reference": "number"},
    "items": {"each": "parts", "id": "no", "status": "state", "changed_at": "changed"},
}


def test_each_item_is_an_order_of_its_own_and_a_bad_one_can_be_read_apart() -> None:
    provider = declared(order=ITEMS)
    good = {"no": 1, "state": "Angelegt", "changed": "2026-03-02 10:00:00"}
    order = {"id": 7, "number": "R7", "changed": ORDER["changed"], "parts": [good, {"no": 2}]}
    with pytest.raises(BadPayload):
        read(order, provider)
    parts = provider.split_order(order)
    (first,) = read(parts[0], provider)
    assert (first.order_id, first.item_id, first.details["reference"]) == ("7", "1", "R7")
    assert first.occurred_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


WRONG: list[tuple[str, str, int, str]] = [
    (
        "sign_in: {kind: bearer}",
        "sign_in: {kind: beer}",
        4,
        "unknown kind, 'beer': there are none,",
    ),
    ("  items: data.orders", "  itms: data.orders", 7, "did you mean items"),
    ("  status: state", "  status: state..x", 13, "not JMESPath"),
    ("  status: state", "  status: map(&x, @)", 13, "map can't be used"),
    ("zone: Europe/Berlin", "zone: Europe/Bonn", 10, "zone"),
    ("zone: Europe/Berlin, ", "", 10, "zone: is missing"),
    ("Fertig: completed", "Fertig: finished", 16, "is no status"),
    ("ignore: [Entwurf]", "ignore: [FERTIG]", 15, "twice"),
    ("https://api.heatly.example/v2", "http://api.heatly.example/v2", 3, "https"),
    ("https://api.heatly.example/v2", "https://u:p@api.heatly.example", 3, "https"),
    ("path: /orders\n", "path: //evil.example/orders\n", 6, "path"),
    ("path: /orders\n", "path: https://evil.example\n", 6, "path"),
    ("/orders/{order_id}", "/orders/{token}", 9, "place"),
    ("version: 1", "version: 2", 1, "version"),
    ("name: heatly", "name: Heatly GmbH", 2, "name"),
    ("times: {", "name: other\ntimes: {", 11, "twice"),
    ("version: 1", "version: [", 2, "YAML"),
    ("version: 1", "version: !!python/object/apply:os.system [id]", 1, "YAML"),
]


@pytest.mark.parametrize(("old", "new", "line", "what"), WRONG)
def test_every_mistake_of_a_file_is_said_with_its_line(
    old: str, new: str, line: int, what: str
) -> None:
    assert old in FILE
    with pytest.raises(InvalidText) as invalid:
        read_declaration(FILE.replace(old, new, 1))
    said = [(one.line, f"{one.where}: {one.what}") for one in invalid.value.problems]
    assert any(at is not None and abs(at - line) <= 1 and what in text for at, text in said), said


@pytest.mark.parametrize(
    "text",
    [
        "[@,@]|[@,@]|[@,@]|[@,@]|[@,@]",
        "a" + "[?b]" * 40,
        "x" * 301,
        "join(@, @)",
        " || ".join(["a"] * 40),
    ],
)
def test_an_expression_that_could_take_long_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        compile_expression(text)


@pytest.mark.parametrize(
    "text",
    ["a", "a.b", "@", "'x'", "a || b", "a && b", "a && 'x' || b || 'y'",
     "join(' ', [a, b.c][?@])", "join(', ', [a, 'x'][?@])", "`0` || a"],
)  # fmt: skip
@pytest.mark.parametrize(
    "payload",
    [{}, {"a": "1", "b": {"c": "2"}}, {"a": ""}, {"a": 0, "b": "z"}, {"a": [], "b": False},
     {"a": {"b": None}}, {"a": {}, "b": {}}, [], "a", None, {"b": {"c": 7}}],
)  # fmt: skip
def test_what_is_read_without_jmespath_s_tree_is_what_jmespath_reads(
    text: str, payload: Any
) -> None:
    try:
        expected = jmespath.search(text, payload)
    except jmespath.exceptions.JMESPathError:
        with pytest.raises(Unfit):
            compile_expression(text)(payload)
        return
    assert compile_expression(text)(payload) == expected


def test_the_published_schema_is_the_one_of_the_code_and_takes_the_examples() -> None:
    published = json.loads((ROOT / "docs" / "schemas" / "provider.v1.json").read_text())
    assert published == json_schema()
    editor = jsonschema.Draft202012Validator(published)
    examples = sorted((ROOT / "providers" / "examples").glob("*.yaml"))
    assert [error.message for path in examples for error in
            editor.iter_errors(yaml.safe_load(path.read_text()))] == []  # fmt: skip


def test_the_published_schema_describes_every_key_that_a_file_can_have() -> None:
    schema = json_schema()
    parts = {"Declaration": schema, **schema["$defs"]}
    bare = [name for name, part in parts.items() if not part.get("description")]
    bare += [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, one in part["properties"].items()
        if not one.get("description")
    ]
    assert bare == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 9}', "[" * 10_000, '{"name": "other"}', "\ud800"]
)
def test_a_stored_file_that_cannot_be_read_says_so_and_nothing_else(text: str) -> None:
    with pytest.raises(UnusableProvider):
        read_stored(StoredProvider("heatly", 3, text))


def test_what_is_stored_is_packed_and_bounded() -> None:
    long = json.dumps({str(one): "word" * 10 for one in range(400)})
    assert unpack(pack(long)) == long
    assert len(pack(long)) < 8_192 < len(long)
    with pytest.raises(ValueError, match="at most"):
        pack("x" * 70_000)
    for bad in ("z1:", "z1:AAAA", "z1:é"):
        with pytest.raises(UnusableProvider):
            unpack(bad)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(name=st.sampled_from(sorted({*ORDER, "visit", "price"})), value=JSON, as_event=st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_payload_gives_anything_but_reports_or_a_reason(
    name: str, value: Any, *, as_event: bool
) -> None:
    provider, order = declared(EVENTS), deepcopy(ORDER) | {name: value}
    try:
        if as_event:
            event = {"type": "changed", "data": order}
            provider.read_event(event, connection=CONNECTION, seen_at=NOW)
        else:
            read(order, provider)
    except BadPayload:
        return


@given(line=st.sampled_from(FILE.splitlines()), text=st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_file_gives_anything_but_a_provider_or_errors_with_lines(line: str, text: str) -> None:
    try:
        read_declaration(FILE.replace(line, text, 1))
    except InvalidText:
        return


def test_facts_that_only_the_list_has_are_named_when_samples_are_tried() -> None:
    path = ROOT / "providers" / "examples" / "shopware.yaml"
    samples = read_samples(path.with_suffix(""))
    for one in samples:
        if one.kind == "order":
            del one.body["data"]["orderCustomer"]
    outcome = replay(read_provider(path), samples, now=NOW)
    assert [one for one in outcome.problems if "every listed order has customer" in one]
