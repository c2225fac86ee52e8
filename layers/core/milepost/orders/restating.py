"""The status of stored reports, read again. Short: lifecycle, recording and adapters share it.

What a provider's words mean is a table, which may be corrected, and a connection may add to it. The
raw status is stored beside the canonical one, so an order is what today's table makes of it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from milepost.common.status import Status
from milepost.orders.details import Details
from milepost.orders.report import Report
from milepost.orders.summary import Summary

StatusReader: TypeAlias = Callable[[str, Details], Status | None]
"""The canonical status of a raw one and what came with it; None for a word that isn't known."""


def restate(report: Report, read_status: StatusReader | None) -> Report:
    """The report with the status that its raw status stands for."""
    if read_status is None or report.raw_status is None:
        return report
    status = read_status(report.raw_status, report.details)
    return report if status is report.status else replace(report, status=status)


def restate_summary(summary: Summary | None, read_status: StatusReader | None) -> Summary | None:
    """The same for a summary; one whose raw status isn't known keeps its status.

    The stages that it counts were left long ago and stay as they were counted.
    """
    if summary is None or read_status is None or summary.raw_status is None:
        return summary
    if summary.status is Status.UNKNOWN:
        return summary
    status = read_status(summary.raw_status, summary.details) or summary.status
    return summary if status is summary.status else replace(summary, status=status)
