"""Maps the raw statuses of stored reports again. Short: lifecycle, recording and adapters share it.

A table maps a provider's raw statuses. It may be corrected, and a connection may add to it. The raw
status is stored beside the canonical one, so an order always follows the present table.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from milepost.common.status import Status
from milepost.orders.details import Details
from milepost.orders.report import Report
from milepost.orders.summary import Summary

StatusReader: TypeAlias = Callable[[str, Details], Status | None]
"""Gives the canonical status for a raw status and its details; None for an unknown word."""


def restate(report: Report, read_status: StatusReader | None) -> Report:
    """The report with the canonical status of its raw status."""
    if read_status is None or report.raw_status is None:
        return report
    status = read_status(report.raw_status, report.details)
    return report if status is report.status else replace(report, status=status)


def restate_summary(summary: Summary | None, read_status: StatusReader | None) -> Summary | None:
    """The same for a summary; it keeps its status if its raw status is unknown.

    Its finished stages stay as they were counted.
    """
    if summary is None or read_status is None or summary.raw_status is None:
        return summary
    if summary.status is Status.UNKNOWN:
        return summary
    status = read_status(summary.raw_status, summary.details) or summary.status
    return summary if status is summary.status else replace(summary, status=status)
