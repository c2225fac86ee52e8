"""The functions' metrics, in the embedded metric format by Powertools. Short: one warning off."""

import warnings

from aws_lambda_powertools import Metrics


def open_metrics() -> Metrics:
    """The metrics of a function; without a warning for each invocation that counts nothing."""
    # The warning would be a line of plain text on standard error, in a log of JSON lines.
    warnings.filterwarnings("ignore", "No application metrics to publish")
    return Metrics()
