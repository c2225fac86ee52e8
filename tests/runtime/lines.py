"""The lines that a function may write: log lines of Powertools, and metrics."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tests.data_leaks import find_leaks
from tests.runtime.function_process import FunctionProcess

_ALWAYS: Final = {"level", "location", "message", "service", "timestamp"}


def check_lines(running: FunctionProcess, *, stack_name: str) -> int:
    """Check that each line is a log line or a metric of this stack; returns the number of metrics'
    lines.
    """
    lines = running.lines("stdout")
    assert running.lines("stderr") == []
    assert not find_leaks("\n".join(lines))
    metrics = 0
    for text in lines:
        try:
            line = json.loads(text)
        except ValueError:
            raise AssertionError(f"not JSON: {text}") from None
        if "_aws" in line:
            _check_metric(line, namespace=f"Milepost/{stack_name}")
            metrics += 1
        else:
            _check_log_line(line)
    return metrics


_OF_A_DELIVERY: Final = {"connection", "reason", "status", "bytes"}
"""The line of a webhook that needs no metric: receive_webhook writes it without a logger."""


def _check_log_line(line: Mapping[str, Any]) -> None:
    if line.keys() == _OF_A_DELIVERY:
        return
    assert line.keys() >= _ALWAYS, line
    assert line["service"] == "milepost"
    # Lambda drops a line whose time isn't RFC 3339, once a function has a log level.
    assert datetime.fromisoformat(line["timestamp"]).tzinfo, line


def _check_metric(line: Mapping[str, Any], *, namespace: str) -> None:
    """Source: CloudWatch user guide, "Specification: Embedded metric format"."""
    assert isinstance(line["_aws"]["Timestamp"], int)
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == namespace
        for dimensions in directive["Dimensions"]:
            assert all(isinstance(line[one], str) for one in dimensions), line
        for metric in directive["Metrics"]:
            values = line[metric["Name"]]
            many = values if isinstance(values, list) else [values]
            assert many
            assert all(isinstance(one, int | float) for one in many), line
