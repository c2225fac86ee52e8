"""Blocks of YAML, JSON, Jinja and Python in the documents are what the product itself reads.

A block that shows a part of connections.yaml is completed by what it leaves out.
"""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from cli.connections.custom_templates import read_texts
from cli.connections.desired_state import Wanted, work_out
from cli.connections.file import read_file
from cli.connections.yaml_positions import read_yaml
from cli.providers import stored_versions
from cli.providers.file import read_declaration
from cli.providers.stored_versions import KnownProvider
from milepost.connections.connection import Connection
from milepost.notifications.announcement_schema import json_schema
from milepost.providers.base import PageRequest
from milepost.providers.registry import REGISTRY, adapter
from tests.builders import NOON
from tests.stack import ROOT

DOCUMENTS: Final = (
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
)
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "offergrid": ("api_key",),
    "rabot": ("client_id", "client_secret"),
    "spirii": ("api_key",),
    "subs": ("token",),
}
_ADDRESSES: Final = {
    "slack": "https://hooks.slack.com/services/T0/B0/abc",
    "teams": "https://prod-1.westeurope.logic.azure.com/workflows/a?sig=b",
    "secret": "whsec_" + "A" * 43 + "=",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a document, in its language."""

    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def content(self) -> Any:
        """What a block of YAML says."""
        content, _ = read_yaml(textwrap.dedent(self.text))
        return content


def _blocks() -> Iterator[Block]:
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Block(str(path.relative_to(ROOT)), line, found[1], found[2])


BLOCKS: Final = tuple(_blocks())


def of_language(name: str) -> list[Block]:
    return [one for one in BLOCKS if one.language == name]


YAML: Final = of_language("yaml")
DECLARED: Final = [one for one in YAML if "statuses" in one.content]
SETTINGS: Final = [one for one in YAML if one not in DECLARED]
JSON: Final = of_language("json")
PAYLOADS: Final = [one for one in JSON if Path(one.document).stem in REGISTRY]


@pytest.fixture(autouse=True)
def _declared_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack has the providers that the documents declare."""
    known = [KnownProvider(read_declaration(one.text), 1) for one in DECLARED]
    monkeypatch.setattr(stored_versions, "_KNOWN", {one.said.name: one for one in known})


def completed(content: Any) -> dict[str, Any]:
    """A whole connections.yaml with what a block shows of it."""
    if isinstance(content, list):
        content = {"connections": content}
    elif not {"connections", "subscriptions", "sender"} & content.keys():
        content = {"connections": [content]}
    connections = [_connection(one) for one in content.get("connections", [])]
    named = {
        name for one in content.get("subscriptions", []) for name in one.get("connections", [])
    }
    others = [_connection({"id": name}) for name in named - {one["id"] for one in connections}]
    return {**content, "connections": [*connections, *others] or [_connection({})]}


def _connection(shown: Mapping[str, Any]) -> dict[str, Any]:
    id_ = shown.get("id", "offergrid-main")
    provider = shown.get("provider", id_.partition("-")[0])
    whole = {"id": id_, "provider": provider, "base_url": "https://api.provider.example"}
    if provider == "rabot":
        whole["token_url"] = "https://auth.provider.example/token"
    if names := _CREDENTIALS.get(provider):
        whole["credentials"] = dict.fromkeys(names, "env:KEY")
    return {**whole, **shown}


def applied(content: Any, folder: Path) -> Wanted:
    """What ``milepost connections apply`` makes of a file, up to the stack."""
    path = folder / "connections.yaml"
    path.write_text(json.dumps(content))  # JSON is YAML
    file = read_file(path)
    return work_out(file, file.read_secrets(literals=False), read_texts(file))


def references(content: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The references in a file: the name of the setting, and what it refers to."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from references(value, key)
    elif isinstance(content, list):
        for value in content:
            yield from references(value, name)
    elif isinstance(content, str) and content.startswith(("env:", "file:")):
        yield name, content


@pytest.mark.parametrize("block", SETTINGS, ids=str)
def test_settings_in_a_document_can_be_applied(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = completed(block.content)
    for name, reference in references(content):
        kind, _, place = reference.partition(":")
        value = _ADDRESSES.get(name, "a value")
        if kind == "env":
            monkeypatch.setenv(place, value)
        else:
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text(value)
    (template,) = of_language("jinja")
    for path in re.findall(r"[\w/.]+\.j2", block.text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(template.text)
    wanted = applied(content, tmp_path)
    assert wanted.connections.keys() == {one["id"] for one in content["connections"]}
    assert len(wanted.subscriptions) == len(content.get("subscriptions", []))


def test_a_setting_that_does_not_exist_would_be_noticed(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"page_sise: is no setting: did you mean page_size\?"):
        applied(completed({"page_sise": 50}), tmp_path)


@pytest.mark.parametrize("block", DECLARED, ids=str)
def test_a_provider_in_a_document_can_be_declared(block: Block) -> None:
    assert read_declaration(block.text).name == block.content["name"]


@pytest.mark.parametrize("block", JSON, ids=str)
def test_json_in_a_document_can_be_parsed(block: Block) -> None:
    assert all(isinstance(one, dict) for one in read(block))


def read(block: Block) -> list[Any]:
    """The values of a block: one, or one in each line."""
    try:
        return [json.loads(block.text)]
    except ValueError:
        return [json.loads(line) for line in block.text.splitlines()]


def test_announcements_in_documents_follow_the_published_schema() -> None:
    schema = json_schema()
    of_message = Draft202012Validator({**schema["$defs"]["Announcement"], "$defs": schema["$defs"]})
    said = [one for block in JSON for one in read(block)]
    messages = [one for one in said if one.get("kind") in {"scheduled", "rejected"}]
    events = [one["detail"] for one in said if "specversion" in one.get("detail", {})]
    assert messages
    assert events
    for one in messages:
        of_message.validate(one)
    for one in events:
        Draft202012Validator(schema).validate(one)


@pytest.mark.parametrize("name", REGISTRY)
def test_a_providers_list_and_events_in_its_document_are_read_by_its_adapter(name: str) -> None:
    provider = adapter(name)
    connection = Connection(id=name, provider=name, base_url="https://api.provider.example")
    said = [one for block in PAYLOADS if Path(block.document).stem == name for one in read(block)]
    (page,) = [provider.read_page(one, request=PageRequest("/")) for one in said if is_list(one)]
    by_poll = [
        report
        for order in page.orders
        for report in provider.read_order(order, connection=connection, requested_at=NOON)
    ]
    by_event = [
        report
        for one in said
        if "event" in one
        for report in provider.read_event(
            whole(one, page.orders), connection=connection, seen_at=NOON
        )
    ]
    assert by_poll
    assert bool(by_event) == (provider.signature_scheme is not None)
    for report in (*by_poll, *by_event):
        assert not report.has_unknown_status
        assert "unread" not in report.details


def is_list(one: Mapping[str, Any]) -> bool:
    data = one.get("data") or one
    return isinstance(data, list) or "orders" in data


def whole(event: Mapping[str, Any], orders: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """An event whose order is shortened to its first fields, with all fields of the list."""
    parts = event.get("data", {})
    listed = {one.get("id"): one for one in orders}
    complete = {
        name: {**listed[one["id"]], **one} if "..." in one else one for name, one in parts.items()
    }
    return {**event, "data": complete} if complete else dict(event)


@pytest.mark.parametrize("block", of_language("python"), ids=str)
def test_python_in_a_document_runs(block: Block) -> None:
    names: dict[str, Any] = {"__name__": "a block in a document"}
    exec(compile(block.text, str(block), "exec"), names)  # noqa: S102
    assert len(names) > 2
