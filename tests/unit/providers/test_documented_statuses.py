"""A status that a provider documents, or that a connection names, is no change of its payloads."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.sandboxes.server import ACCOUNTS
from milepost.providers.base import undocumented_words
from milepost.providers.registry import REGISTRY, adapter
from tests.builders import NOON, OFFERGRID, RABOT, offergrid_event, rabot_order

PAGES = Path(__file__).parents[3] / "docs" / "providers"


def words_of(state: str, **settings: Any) -> list[str]:
    connection = replace(RABOT, **settings)
    provider = adapter("rabot")
    reports = provider.read_order(rabot_order(state), connection=connection, requested_at=NOON)
    return undocumented_words(reports, provider, connection)


@pytest.mark.parametrize("provider", sorted(REGISTRY))
def test_every_status_of_a_providers_sandbox_is_documented(provider: str) -> None:
    statuses = adapter(provider).statuses
    page = (PAGES / f"{provider}.md").read_text()
    known = ACCOUNTS[provider].statuses
    assert [word for word in known if not statuses.documents(word)] == []
    assert [word for word in known if f"`{word}`" not in page] == []


@pytest.mark.parametrize("state", ["Unspecified", " unspecified ", "Open"])
def test_a_documented_status_without_a_meaning_is_no_change(state: str) -> None:
    assert words_of(state) == []


def test_a_status_that_nobody_documents_is_a_change() -> None:
    assert words_of("In Planung") == ["In Planung"]


def test_a_status_that_the_connection_names_is_no_change() -> None:
    assert words_of("In Planung", statuses={"in planung": "submitted"}) == []


def test_a_webhook_of_a_documented_status_is_no_change() -> None:
    provider = adapter("offergrid")
    event = offergrid_event(newStatus="in_progress")
    reports = provider.read_event(event, connection=OFFERGRID, seen_at=NOON)
    assert undocumented_words(reports, provider, OFFERGRID) == []
