"""What the pages of providers name, where they say where each step of a process is, exists."""

import re
from dataclasses import fields
from typing import Final

import pytest

from cli.connections.provider_defaults import statuses_of
from milepost.actions.action import BUILT_IN_ACTIONS
from milepost.common.causes import CAUSES
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.orders.attention import CODES
from milepost.orders.customer_waits import DEFAULT_WAIT_DAYS
from milepost.orders.details import Details
from milepost.orders.order import Kind
from milepost.providers.registry import REGISTRY, adapter
from tests.stack import ROOT
from tests.unit.cli.every_command import COMMANDS

PROVIDERS: Final = sorted(REGISTRY)
HEADING: Final = "## The process, and where Milepost does it"
ROUTES: Final = ROOT / "layers/core/milepost/api/routes"
FIELDS_OF_ORDERS: Final = {"raw_status", "next.action"}
"""What ``GET /orders/{id}`` has beside the facts."""


def process_of(provider: str) -> tuple[str, str]:
    """What is before the table of a provider's page, and the table."""
    before, found, table = (
        (ROOT / "docs/providers" / f"{provider}.md").read_text().partition(HEADING)
    )
    assert found, f"docs/providers/{provider}.md has no table of its process"
    return before, table


def paths() -> set[str]:
    """The paths of the API, with ``{}`` for each id."""
    text = "\n".join(one.read_text() for one in ROUTES.glob("*.py"))
    return {re.sub(r"<\w+>", "{}", one) for one in re.findall(r'"(/[\w/<>-]+)"', text)}


def names_of(provider: str) -> set[str]:
    """Every word that the table may have as code: of Milepost, and of the provider."""
    ours = {*map(str, Status), *map(str, Kind), *CODES, *CAUSES, *DEFAULT_WAIT_DAYS}
    ours |= {*BUILT_IN_ACTIONS, *adapter(provider).actions, *FIELDS_OF_ORDERS}
    ours |= {one.name for one in fields(Connection)} | set(Details.__annotations__)
    return ours | set(statuses_of(provider))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_name_in_the_table_of_a_process_exists(provider: str) -> None:
    before, table = process_of(provider)
    # A field of the provider's is described further up on its page.
    known = names_of(provider) | set(re.findall(r"[`\".](\w+)[`\".]", before))
    unknown = []
    for said in re.findall(r"`([^`]+)`", table):
        if found := re.match(r"GET (/[\w/{}]+)", said):
            exists = re.sub(r"\{\w+\}", "{}", found[1]) in paths()
        elif found := re.match(r"(?:milepost )?((?:\w+ )*\w+) ?-*", said) if " " in said else None:
            exists = found[1] in COMMANDS or said in known
        else:
            exists = said in known
        unknown += [] if exists else [said]
    assert unknown == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_table_of_a_process_has_each_status_word_and_each_action(provider: str) -> None:
    _, table = process_of(provider)
    named = {*re.findall(r"`([^`]+)`", table), *re.findall(r"\*([^*\n]+)\*", table)}
    assert {*statuses_of(provider), *adapter(provider).actions} - named == set()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_link_in_the_table_leads_to_a_heading(provider: str) -> None:
    _, table = process_of(provider)
    for path, _, anchor in (one.partition("#") for one in re.findall(r"\]\(([^)]+)\)", table)):
        page = (ROOT / "docs/providers" / path).resolve().read_text()
        headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
        assert not anchor or anchor in anchors, f"{path} has no heading {anchor}"
