"""The dashboard: valid JSON whose widgets show metrics and log lines that there are."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any, Final

import pytest

from tests.stack import ROOT
from tests.template import DOCUMENTED, QUEUES, RESOURCES, TEMPLATE

NAMESPACE: Final = "Milepost/${AWS::StackName}"
BODY: Final[str] = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Sub"]
WIDGETS: Final[list[dict[str, Any]]] = json.loads(BODY)["widgets"]
SOURCES: Final = "".join(
    path.read_text()
    for place in ("functions", "layers/core/milepost")
    for path in (ROOT / place).rglob("*.py")
)
FILTERED: Final = {
    transformation["MetricName"]
    for one in RESOURCES.values()
    if one["Type"] == "AWS::Logs::MetricFilter"
    for transformation in one["Properties"]["MetricTransformations"]
}


def metrics() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each metric."""
    for widget in WIDGETS:
        for row in widget["properties"].get("metrics", []):
            if isinstance(row[0], str):
                names = [one for one in row if isinstance(one, str)]
                yield names[0], names[1], dict(zip(names[2::2], names[3::2], strict=True))


@cache
def logged_fields() -> frozenset[str]:
    """The fields of all log lines: parameters of a function's logger, ``extra`` of a module's."""
    found = set()
    for call in (one for one in ast.walk(ast.parse(SOURCES)) if isinstance(one, ast.Call)):
        if not (isinstance(call.func, ast.Attribute) and call.func.attr in _LEVELS):
            continue
        found |= {one.arg for one in call.keywords if one.arg}
        for extra in (one.value for one in call.keywords if one.arg == "extra"):
            found |= {str(one.value) for one in ast.walk(extra) if isinstance(one, ast.Constant)}
    return frozenset(found)


_LEVELS: Final = frozenset({"info", "warning", "error", "exception"})


def test_it_is_made_only_when_the_parameter_says_so() -> None:
    assert RESOURCES["Dashboard"]["Condition"] == "HasDashboard"
    assert TEMPLATE["Parameters"]["WithDashboard"]["Default"] == "false"


def test_widgets_lie_beside_each_other_within_24_columns() -> None:
    for one in WIDGETS:
        assert one["x"] + one["width"] <= 24
    for one, other in combinations(WIDGETS, 2):
        apart = (
            one["x"] + one["width"] <= other["x"]
            or other["x"] + other["width"] <= one["x"]
            or one["y"] + one["height"] <= other["y"]
            or other["y"] + other["height"] <= one["y"]
        )
        assert apart, (one, other)


def test_every_metric_is_one_that_is_sent_with_these_dimensions() -> None:
    for namespace, name, dimensions in metrics():
        if namespace == NAMESPACE:
            assert f'"{name}"' in SOURCES or name in FILTERED, name
            assert dimensions == ({} if name in FILTERED else {"service": "milepost"})
        else:
            assert frozenset(dimensions) in DOCUMENTED[namespace, name]
    for name in re.findall(r"MetricName=\\\"(\w+)", BODY):
        assert f'"{name}"' in SOURCES, name


def test_what_it_refers_to_is_in_the_template() -> None:
    named = set(re.findall(r"\$\{(\w+)(?:\.\w+)?\}", BODY))
    assert named <= RESOURCES.keys()


def test_every_dead_letter_queue_is_shown() -> None:
    shown = {
        value.strip("${}").removesuffix(".QueueName")
        for _, name, dimensions in metrics()
        if name == "ApproximateNumberOfMessagesVisible"
        for value in dimensions.values()
    }
    assert shown == {name for name, queue in QUEUES.items() if "RedrivePolicy" not in queue}


@pytest.mark.parametrize("field", ["state", "after_seconds", "fate", "failure", "comes_back"])
def test_the_fields_that_it_reads_in_logs_are_logged(field: str) -> None:
    assert field in logged_fields()
    assert field in BODY
