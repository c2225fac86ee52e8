"""Files that somebody wrote badly, or to do harm: an error with a line, and soon."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.errors import InvalidFile
from cli.providers.file import InvalidText, read_declaration, read_provider
from milepost.common.errors import BadPayload
from milepost.connections.connection import Connection
from milepost.connections.declared_provider import TooLarge, pack
from milepost.providers.base import BrokenPage, OrderNamed, PageRequest, Response
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.expressions import BadExpression, Unfit, compile_expression
from milepost.providers.declared.sign_in import sign_in
from tests.builders import NOON

ROOT = Path(__file__).parents[4]
EXAMPLES = sorted((ROOT / "providers" / "examples").glob("*.yaml"))
BASE = "https://api.example.org"
CONTENT = yaml.safe_load((ROOT / "providers" / "examples" / "woocommerce.yaml").read_text())
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    "text",
    [BOMB, f"{BOMB}version: 1\n", "a: &a [*a]\n", "a: &a {b: *a}\n", "- " * 5000, "[" * 5000,
     "{a: " * 3000, "!!python/object/apply:os.system [id]", "a: !!binary '@@'", "a: !x y",
     "a: 2026-13-45", "? {b: c}\n: d\n", "? [a]\n: d\n", "<<: [1]\n", "<<: {a: 1}\na: 2\n",
     "a: 1\na: 2\n", "\x00", "\ufeff", "a: \u202e", "---\na: 1\n---\nb: 2\n", "%YAML 9.9\n---\na",
     "version: 1\nname: " + "x" * 100_000, "&" * 1000, "*a", "a: 0x" + "f" * 5000,
     "a: " + "9" * 5000, "a: .nan\n", "a: 1:2:3:4:5", "", "null", "7", "text"],
)  # fmt: skip
def test_text_that_is_no_file_is_an_error_with_a_reason(text: str) -> None:
    with pytest.raises(InvalidText) as refused:
        read_declaration(text)
    assert all(one.what for one in refused.value.problems)


@pytest.mark.parametrize("size", [300_000, 5_000_000])
def test_a_file_that_is_too_large_is_not_read(size: int, tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("#" * size)
    with pytest.raises(InvalidFile, match="large"):
        read_provider(path)


def test_what_is_too_large_to_be_stored_is_refused() -> None:
    words = {f"word {number} {number:x}{number * 7919:x}": "pending" for number in range(200)}
    said = read_declaration(json.dumps(CONTENT | {"lifecycle": {}, "statuses": {"map": words}}))
    with pytest.raises(TooLarge):
        pack(said.as_json() * 20)


@pytest.mark.parametrize(
    "expression",
    ["(" * 200, "a" * 301, "a.b" * 150, "[*][*][*][*][*][*][*]", "*.*.*.*.*.*.*.*",
     "[a,a,a,a,a,a].[@,@,@,@,@,@].[@,@,@,@]", "map(&a, b)", "sort_by(a, &sort_by(b, &c))[].{",
     "join(a, b)", "`" * 50, "a[" * 50, "\ud800", "&a", "a || " * 70 + "a", "'" + "\\" * 301],
)  # fmt: skip
def test_an_expression_that_could_run_long_is_refused_or_harmless(expression: str) -> None:
    try:
        read = compile_expression(expression)
    except BadExpression:
        return
    payload = {"a": [{"b": [{"c": n} for n in range(20)]} for n in range(20)], "b": {"c": "x" * 99}}
    with suppress(Unfit):
        read(payload)


_PLACES = [
    ("name",), ("base_url",), ("sign_in",), ("sign_in", "kind"), ("list",), ("list", "path"),
    ("list", "items"), ("list", "pages"), ("list", "since"), ("list", "query"),
    ("one_order", "path"),
    ("times", "zone"), ("times", "patterns"), ("order", "id"), ("order", "status"),
    ("order", "facts"), ("order", "items"), ("statuses", "map"), ("statuses", "ignore"),
    ("lifecycle",), ("webhooks", "signature"), ("webhooks", "kinds"), ("actions", "cancel", "path"),
    ("actions", "cancel", "body"), ("problem",), ("headers",), ("amounts",), ("version",),
]  # fmt: skip
_TEXTS = st.text(max_size=30) | st.sampled_from(
    ["{order_id}", "/../..", "//evil.example", "https://169.254.169.254/", "%s%n", "a\r\nb: c", "@"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=10,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=1500)


def _changed(place: tuple[str, ...], value: Any) -> dict[str, Any]:
    content = json.loads(json.dumps(CONTENT))
    inner = content
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    changed: dict[str, Any] = content
    return changed


def _works_or_says_why(place: tuple[str, ...], value: Any, payload: Any) -> None:
    try:
        text = yaml.safe_dump(_changed(place, value), allow_unicode=True)
    except (yaml.YAMLError, UnicodeError):
        return
    try:
        said = read_declaration(text)
    except InvalidText as error:
        refused = error.problems
    else:
        refused = []
        _reads(DeclaredProvider(said, base_url=BASE), payload)
    assert all(one.line and one.what for one in refused), text


def _reads(provider: DeclaredProvider, payload: Any) -> None:
    connection = Connection(id="c", provider=provider.name, base_url=BASE)
    first = provider.first_page(connection, changed_since=NOON)
    in_a_list: Any = [payload]
    for read in (
        lambda: provider.read_page(payload, request=first),
        lambda: provider.read_page(in_a_list, request=PageRequest("/orders")),
        lambda: provider.read_order(payload, connection=connection, requested_at=NOON),
        lambda: provider.read_event(payload, connection=connection, seen_at=NOON),
        lambda: provider.read_one(payload),
    ):
        try:
            read()
        except (BadPayload, BrokenPage, OrderNamed):
            continue
    provider.split_order(payload)
    provider.read_refusal(payload if isinstance(payload, dict) else {})
    provider.order_request("a/../b?c#d")


@QUICK
@given(place=st.sampled_from(_PLACES), value=_VALUES, payload=_VALUES)
def test_any_value_anywhere_in_a_file_works_or_is_an_error_with_its_line(
    place: tuple[str, ...], value: Any, payload: Any
) -> None:
    _works_or_says_why(place, value, payload)


@pytest.mark.thorough
@LONG
@given(place=st.sampled_from(_PLACES), value=_VALUES, payload=_VALUES)
def test_any_value_anywhere_in_a_file_works_or_is_an_error_with_its_line_often(
    place: tuple[str, ...], value: Any, payload: Any
) -> None:
    _works_or_says_why(place, value, payload)


@QUICK
@given(path=st.sampled_from(EXAMPLES), payload=_VALUES)
def test_no_payload_gets_more_than_a_report_or_a_reason(path: Path, payload: Any) -> None:
    _reads(DeclaredProvider(read_provider(path), base_url=BASE), payload)


def test_a_client_may_ask_for_its_token_in_json() -> None:
    sent: list[tuple[dict[str, str], bytes]] = []

    class Http:
        def request(self, _method: str, _url: str, *, headers: Any, body: Any = None) -> Any:
            sent.append((headers, body))
            return Response(200, {}, b'{"access_token": "t-1", "expires_in": 3600}')

    said = read_provider(ROOT / "providers" / "examples" / "deliverect.yaml")
    connection = Connection(id="d", provider="deliverect", base_url=BASE)
    shown = sign_in(
        said, connection, {"client_id": "me", "client_secret": "s"}, http=Http(), now=NOON
    )
    assert shown.headers["authorization"] == "Bearer t-1"
    ((headers, body),) = sent
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "grant_type": "client_credentials", "audience": "https://api.deliverect.com",
        "client_id": "me", "client_secret": "s",
    }  # fmt: skip


def test_numbers_are_words_and_hundredths_are_amounts() -> None:
    said = read_provider(ROOT / "providers" / "examples" / "deliverect.yaml")
    provider = DeclaredProvider(said, base_url=BASE)
    order = {"_id": "a", "status": 90, "_updated": "2026-03-01T11:20:00Z",
             "payment": {"amount": 1650}}  # fmt: skip
    connection = Connection(id="d", provider="deliverect", base_url=BASE)
    (report,) = provider.read_order(order, connection=connection, requested_at=NOON)
    assert str(report.status) == "completed"
    assert str(report.details["payment"]["amount"]) == "16.5"
    first = provider.first_page(connection, changed_since=NOON)
    assert first.query["where"] == '{"_updated":{"$gte":"2026-03-02T12:00:00.000000Z"}}'
