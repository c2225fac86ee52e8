"""The functions' metrics, in the embedded metric format. Short: it adds counting to Powertools.

CloudWatch charges custom metrics for each hour in which they are sent, so none is sent while
everything works.
"""

import warnings
from typing import Final

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

FAILURES: Final = "Failures"
"""The metric of FailuresAlarm: all permanent failures, whatever their kind."""


def open_metrics() -> Metrics:
    """The metrics of a function, without a warning for each invocation that emits none."""
    # The warning would be a line of plain text on standard error, in a log of JSON lines.
    warnings.filterwarnings("ignore", "No application metrics to publish")
    return Metrics()


def count_failures(metrics: Metrics, name: str, number: int = 1) -> None:
    """Count failures under the name of their kind, and in total for the alarm; 0 emits nothing."""
    if number:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
        metrics.add_metric(name=FAILURES, unit=MetricUnit.Count, value=number)


def count_for_connection(metrics: Metrics, name: str, connection_id: str) -> None:
    """Count an event once in total, and once for its connection."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    with single_metric(name=name, unit=MetricUnit.Count, value=1) as metric:
        metric.add_dimension(name="connection", value=connection_id)
