"""The functions' metrics, in the embedded metric format. Short: one warning is off.

CloudWatch charges our own metric for each hour in which it is sent, so that none is sent while
all is well.
"""

import warnings
from typing import Final

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

FAILURES: Final = "Failures"
"""The metric that FailuresAlarm watches: whatever failed for good, of all kinds together."""


def open_metrics() -> Metrics:
    """The metrics of a function; without a warning for each invocation that counts nothing."""
    # The warning would be a line of plain text on standard error, in a log of JSON lines.
    warnings.filterwarnings("ignore", "No application metrics to publish")
    return Metrics()


def count_failures(metrics: Metrics, name: str, number: int = 1) -> None:
    """Count failures under the name of their kind, and among all for the alarm; 0 sends nothing."""
    if number:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
        metrics.add_metric(name=FAILURES, unit=MetricUnit.Count, value=number)
