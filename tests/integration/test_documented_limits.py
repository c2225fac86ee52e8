"""Limits that docs/deploy.md names with a number: it is where they are reached."""

import math
import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from botocore.client import BaseClient

from milepost.aws.cached_reader import KEEP_SECONDS
from milepost.aws.shared_secret import write_entries
from milepost.connections.aws.stored_providers import read_parameters
from milepost.notifications.endpoints.secret_rotation import KEEP_PREVIOUS, rotate
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from milepost.webhooks.signatures import make_signing_secret
from tests.builders import NOON, OFFERGRID
from tests.stack import CONNECTIONS_PATH, ROOT, Stack, aws

GUIDE: Final = (ROOT / "docs" / "deploy.md").read_text()
SECRET_BYTES: Final = 65_536
"""Source: AWS Secrets Manager user guide, "Quotas"."""
PARAMETERS_A_PAGE: Final = 10
"""Source: AWS Systems Manager API reference, GetParametersByPath, MaxResults."""


def named(limit: str) -> int:
    """The number in the row of a limit."""
    (row,) = [line for line in GUIDE.splitlines() if line.startswith(f"| {limit}")]
    found = re.search(r"\d+", row.split("|")[2])
    assert found is not None
    return int(found[0])


def secrets_of(endpoints: int, *, in_rotation: int) -> int:
    """Bytes of the secret of all endpoints."""
    entries = {}
    for number in range(endpoints):
        entry: object = make_signing_secret(STANDARD_WEBHOOKS)
        if number < in_rotation:
            new = make_signing_secret(STANDARD_WEBHOOKS)
            entry = rotate(entry, new=new, now=NOON, keep_for=KEEP_PREVIOUS, request="0" * 64)
        entries[f"crm-of-a-customer-{number:04}"] = entry
    return len(write_entries(entries).encode())


def test_the_secrets_of_as_many_endpoints_fit_into_one_secret() -> None:
    most = named("endpoints")
    # A tenth of them has two secrets, for a day.
    assert secrets_of(most, in_rotation=most // 10) <= SECRET_BYTES
    assert secrets_of(3 * most, in_rotation=0) > SECRET_BYTES


def test_the_settings_of_as_many_connections_are_read_ten_at_a_time(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, asked = named("connections"), []
    stack.apply(*(replace(OFFERGRID, id=f"offergrid-{number:03}") for number in range(most)))
    send = BaseClient._make_api_call  # type: ignore[attr-defined]

    def count(client: BaseClient, operation: str, parameters: object) -> object:
        asked.append(operation)
        return send(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", count)
    settings, _ = read_parameters(aws("ssm"), path=CONNECTIONS_PATH)
    assert len(settings) >= most
    assert asked == ["GetParametersByPath"] * math.ceil(len(settings) / PARAMETERS_A_PAGE)


def test_settings_are_read_again_as_often_as_it_says() -> None:
    minutes = timedelta(seconds=KEEP_SECONDS) // timedelta(minutes=1)
    said = "once a minute" if minutes == 1 else f"every {minutes} minutes"
    assert said in next(line for line in GUIDE.splitlines() if line.startswith("| connections"))
