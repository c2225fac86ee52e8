"""The functions' logger: Powertools' JSON lines. Short: only exceptions are logged differently."""

import logging
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from milepost.common.exception_summary import describe


class _WithoutMessages(LambdaPowertoolsFormatter):
    """Writes an exception as its class and the places in the code."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is None:
            return super().format(record)
        # Other handlers get the record as well, so a copy of it is changed.
        shown = logging.makeLogRecord(record.__dict__)
        shown.exc_info = shown.exc_text = shown.stack_info = None
        shown.exception_name, shown.exception = type(error).__name__, describe(error)
        return super().format(shown)


def open_logger(**options: Any) -> Logger:
    """The logger of a function; modules below ``milepost`` also log through it."""
    # Lambda reads a line's level by its time, and drops a line whose time isn't RFC 3339 once the
    # function's log level is set. Source: Lambda developer guide, "Log-level filtering".
    return Logger(logger_formatter=_WithoutMessages(use_rfc3339=True), **options)
