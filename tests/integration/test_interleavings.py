"""Any two that can meet do so at every call that either makes: nothing is lost, doubled or revived.

A further function, request or command joins by being listed in ``parties`` or ``people``; a test
fails for one that isn't.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations_with_replacement
from random import Random
from typing import Any

import pytest
import typer
from botocore.client import BaseClient
from moto.core.base_backend import BackendDict

from cli.main import PARTS
from milepost.api.routing import SUBJECTS, routers_of
from tests.integration.interleaving.accessed_items import meet, why_apart
from tests.integration.interleaving.account import World, function_of, open_world
from tests.integration.interleaving.api_users import REQUESTS
from tests.integration.interleaving.forks import in_copy
from tests.integration.interleaving.known_failures import KNOWN
from tests.integration.interleaving.one_thread import in_one_thread
from tests.integration.interleaving.operators import (
    ASKS_THE_API,
    COMMANDS,
    ONLY_READS,
    STARTS_A_FUNCTION,
)
from tests.integration.interleaving.pairs import Meeting, Met, Solo, run_alone
from tests.integration.interleaving.workers import FUNCTIONS, Party
from tests.stack import template

ALL = {one.name: one for one in (*FUNCTIONS, *REQUESTS, *COMMANDS)}
PAIRS = [*combinations_with_replacement(ALL, 2)]
SEED = int(os.environ.get("INTERLEAVING_SEED", "14"))
SHORT = [
    ("receive_webhook", "a signing secret rotated"),
    ("announce", "a subscription deleted"),
    ("send_notice", "a subscription deleted"),
    ("call_endpoint", "call_endpoint"),
    ("unsubscribe", "a subscription changed"),
    ("unsubscribe", "a subscription resumed"),
]
QUICK = Random(SEED).sample(SHORT, 3)
"""What the quick suite has of them; the rest takes minutes."""


@dataclass
class Opened:
    """A world, and what each one touches that runs in it alone."""

    world: World
    solos: dict[str, Solo]

    def of(self, party: Party) -> Solo:
        if party.name not in self.solos:
            self.solos[party.name] = run_alone(self.world, party)
        return self.solos[party.name]


@pytest.fixture(scope="module")
def opened(moto: None) -> Iterator[Opened]:
    with open_world() as world, pytest.MonkeyPatch.context() as patch:
        in_one_thread(patch)
        yield Opened(world, {})
    BackendDict.reset()


def pairs() -> Iterator[Any]:
    for one, other in PAIRS:
        marks = [] if (one, other) in QUICK else [pytest.mark.thorough]
        if reason := KNOWN.get(frozenset({one, other})):
            marks.append(pytest.mark.xfail(strict=True, reason=reason))
        yield pytest.param(ALL[one], ALL[other], marks=marks, id=f"{one} and {other}")


@pytest.mark.thorough
@pytest.mark.parametrize(("one", "other"), [*pairs()])
def test_two_that_meet_lose_double_and_revive_nothing(
    one: Party, other: Party, opened: Opened, record_property: Any
) -> None:
    solos = opened.of(one), opened.of(other)
    if not meet(solos[0].all, solos[1].all):
        record_property("apart", why_apart(solos[0].all, solos[1].all))
        assert (one.name, other.name) not in SHORT
        return
    rng = Random(f"{SEED} {one.name} {other.name}")
    meeting = Meeting(opened.world, (one, other), solos, rng)
    met: Met = in_copy(meeting.hold)
    record_property("interleavings", met.count)
    assert not met.wrong, "\n".join(met.wrong)


@pytest.mark.thorough
def test_everybody_meets_somebody_else(opened: Opened) -> None:
    touched = {name: opened.of(party).all for name, party in ALL.items()}
    alone = {
        name
        for name, mine in touched.items()
        if not any(meet(mine, theirs) for other, theirs in touched.items() if other != name)
    }
    assert not alone


@pytest.mark.thorough
def test_an_order_that_is_written_over_what_another_wrote_is_found(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = BaseClient._make_api_call

    def without_condition(client: Any, operation: str, parameters: Any) -> Any:
        if operation == "PutItem" and parameters["TableName"] == "OrdersTable":
            parameters = {k: v for k, v in parameters.items() if not k.startswith(_CONDITION)}
        return write(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", without_condition)
    parties = ALL["record_report"], ALL["a note"]
    solos = opened.of(parties[0]), opened.of(parties[1])
    met = in_copy(Meeting(opened.world, parties, solos, Random(SEED)).hold)
    assert any("timelines" in one for one in met.wrong), met.wrong


_CONDITION = ("Condition", "ExpressionAttributeValues", "ReturnValuesOn")


def test_every_function_is_listed() -> None:
    declared = {
        function_of(name)
        for name, one in template().items()
        if one["Type"] == "AWS::Serverless::Function"
    }
    # What the API does is listed request by request; the console asks it in process.
    assert {one.function for one in FUNCTIONS} == declared - {"orders_api", "console"}


def test_every_request_that_changes_something_is_listed() -> None:
    routes = {
        f"{method} {rule}"
        for subject in SUBJECTS
        for router in routers_of(subject)
        for rule, methods, *_ in router._routes
        for method in methods
        if method != "GET"
    }
    assert {one for party in REQUESTS for one in party.covers} == routes


def test_every_command_is_listed_or_only_reads_or_asks_the_api() -> None:
    listed = {one for party in COMMANDS for one in party.covers}
    by_others = ASKS_THE_API | STARTS_A_FUNCTION | ONLY_READS
    assert listed | by_others == set(_commands_of(PARTS))
    assert not listed & by_others


def test_every_pair_that_is_known_to_fail_is_a_pair() -> None:
    assert {name for pair in KNOWN for name in pair} <= ALL.keys()


def _commands_of(parts: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    for name, (module, _) in parts.items():
        yield from _below(typer.main.get_command(import_module(module).app), name)


def _below(one: Any, name: str) -> Iterator[str]:
    inner = getattr(one, "commands", None)
    if not inner:
        yield name
        return
    for word, each in inner.items():
        yield from _below(each, f"{name} {word}")
