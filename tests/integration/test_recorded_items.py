"""What earlier versions stored is read by this one, and they can read what this one stores.

Each folder of tests/recorded holds what one version stored of the same work, and what its API
answered. The rule is in docs/decisions/0042-what-is-stored-changes-in-two-steps.md.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from milepost.notifications.aws import list_keys
from milepost.orders.aws import index_keys
from tests.recorded import scenario
from tests.stack import ROOT, Context, Stack

pytestmark = pytest.mark.thorough

SHARDS: Final = index_keys.MOST_SHARDS
VERSIONS: Final = sorted(path.parent for path in (ROOT / "tests/recorded").glob("*/items.json"))
every_version = pytest.mark.parametrize("folder", VERSIONS, ids=lambda one: one.name)
BY_THE_CLOCK: Final = frozenset({"now", "age", "in_status_for", "lasted", "overdue", "months"})
"""Members of answers that depend on when it is asked."""


@pytest.fixture(autouse=True)
def whole_index(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The partitions that there are when it is deployed; and what the endpoints are signed with."""
    for module in (index_keys, list_keys):
        monkeypatch.setattr(module, "MOST_SHARDS", SHARDS)
    stack.keep_secret("EndpointSecrets", {"crm": "whsec_bWlsZXBvc3QtdGVzdC1zZWNyZXQ="})


def recorded(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def test_at_least_one_version_is_recorded() -> None:
    assert VERSIONS


@every_version
def test_what_it_stored_is_answered_as_it_answered(stack: Stack, folder: Path) -> None:
    scenario.put(stack, recorded(folder, "items"))
    found = scenario.answers(stack)
    before = recorded(folder, "answers")
    missing = [one for path in before for one in differences(path, before[path], found[path])]
    assert not missing, "\n".join(missing[:20])


def differences(place: str, before: Any, now: Any) -> Iterator[str]:
    """What was answered and isn't any more; what has been added is no difference."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name, value in before.items():
            if name not in BY_THE_CLOCK:
                yield from differences(f"{place}.{name}", value, now.get(name))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from differences(f"{place}[{number}]", one, other)
    elif before != now:
        yield f"{place}: {before!r} is {now!r}"


@every_version
def test_its_messages_that_still_wait_are_done(stack: Stack, folder: Path) -> None:
    messages = recorded(folder, "messages")
    assert any(messages.values())
    scenario.put(stack, recorded(folder, "items"))
    assert scenario.read_messages(stack, messages) == []


@every_version
def test_its_orders_go_on_and_lose_nothing(stack: Stack, folder: Path) -> None:
    scenario.put(stack, recorded(folder, "items"))
    before = stack.orders()
    app = stack.load("record_report")
    for path in sorted((ROOT / "events" / "record_report").glob("*.json")):
        app.handler(json.loads(path.read_text()), Context())
    for name, item in stack.orders().items():
        assert item["version"] >= before[name]["version"]
        assert len(item["timeline"]) >= len(before[name]["timeline"])
        assert len(item["announced"]) >= len(before[name]["announced"])


@every_version
def test_it_could_read_what_is_stored_today(stack: Stack, folder: Path) -> None:
    """Nothing that it stored is left out, renamed or of another type: only added to."""
    scenario.work(stack)
    now = set(shapes(scenario.items(stack)))
    gone = set(shapes(recorded(folder, "items"))) - now
    assert not gone, "\n".join(sorted(map(str, gone))[:20])


def shapes(tables: Mapping[str, list[dict[str, Any]]]) -> Iterator[tuple[str, str, str]]:
    """Kind of item, path of an attribute and its DynamoDB type, of everything there is."""
    for name, stored in tables.items():
        for item in stored:
            keys = [_without_ids(item[one]["S"]) for one in ("pk", "sk") if one in item]
            yield from ((" ".join([name, *keys]), *found) for found in _types("", {"M": item}))


def _without_ids(key: str) -> str:
    """``order#offergrid-home#ord-1`` is of the kind ``order``; a time or an id is of none."""
    first = key.partition("#")[0]
    return "" if re.search(r"\d|:", first) else first


def _types(path: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    [(kind, content)] = value.items()
    yield path, kind
    if kind == "M":
        for name, one in content.items():
            yield from _types(f"{path}.{name}", one)
    if kind == "L":
        for one in content:
            yield from _types(f"{path}[]", one)
