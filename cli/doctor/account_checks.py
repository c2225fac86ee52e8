"""Checks of the AWS account: how many functions may run concurrently."""

from collections.abc import Iterator
from typing import Final

from cli.doctor.findings import ExaminedStack, Finding, ok, warning

_ENOUGH: Final = 100
"""Functions at once below which a burst of webhooks is throttled; a new account may have 10.
Source: Lambda developer guide, "Lambda quotas"."""


def check_concurrency(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether the account's limit of concurrent executions is high enough."""
    limits = patient.stack.client("lambda").get_account_settings()["AccountLimit"]
    most = limits["ConcurrentExecutions"]
    if most < _ENOUGH:
        yield warning(
            "concurrency",
            f"the account runs {most} functions concurrently: a burst of webhooks gets 5xx",
            "Request 1,000 concurrent executions of Lambda in the Service Quotas console.",
        )
    else:
        yield ok("concurrency", f"the account runs {most:,} functions concurrently")
