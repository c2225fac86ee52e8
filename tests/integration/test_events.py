"""events/ holds what the code of today makes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.make_events import EVENTS, all_events, as_text
from tests.stack import template

MADE = dict(all_events())


@pytest.mark.parametrize("name", sorted(MADE))
def test_an_event_is_up_to_date(name: str) -> None:
    path = EVENTS / f"{name}.json"
    assert path.is_file(), "run `python -m tests.make_events`"
    assert path.read_text() == as_text(MADE[name]), "run `python -m tests.make_events`"


def test_no_event_is_left_over() -> None:
    folders = {name.partition("/")[0] for name in MADE}
    paths = [path for folder in folders for path in (EVENTS / folder).glob("*.json")]
    assert {f"{path.parent.name}/{path.stem}" for path in paths} == set(MADE)


def test_every_function_of_the_template_has_events() -> None:
    functions = {
        Path(one["Properties"]["CodeUri"]).name
        for one in template().values()
        if one["Type"] == "AWS::Serverless::Function"
    }
    assert functions == {name.partition("/")[0] for name in MADE}


@pytest.mark.parametrize(
    "kind", ["accepted", "rejected", "scheduled", "completed", "cancelled", "rescheduled"]
)
def test_a_stream_event_announces_what_its_name_says(kind: str) -> None:
    assert [one["kind"] for one in _announced(f"announce/{kind}")] == [kind]


def test_what_announces_nothing_would_not_pass_the_streams_filter() -> None:
    (record,) = MADE["announce/announces_nothing"]["Records"]
    assert "announce" not in record["dynamodb"]["NewImage"]


def _announced(name: str) -> list[Any]:
    (record,) = MADE[name]["Records"]
    told: list[Any] = json.loads(record["dynamodb"]["NewImage"]["announce"]["S"])
    return told
