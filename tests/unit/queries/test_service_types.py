"""Which service types orders are known to have, and what is said of others."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from milepost.common.status import Status
from milepost.notifications.service_types import service_type_warning
from milepost.notifications.subscription import Subscription
from milepost.queries.histogram import StageFigures, StageKey, Tally, figures_of
from milepost.queries.service_types import unknown_service_types
from tests.builders import OFFERGRID, RABOT

TODAY = date(2026, 2, 28)
BOTH = {one.id: one for one in (OFFERGRID, RABOT)}
TALLY = Tally()
TALLY.add(60_000)
NOBODY = Subscription(id="s", recipient="ops@example.org")


class Figures:
    """Past orders with these service types, of the first connection that is asked for."""

    def __init__(self, *used: str) -> None:
        self.used = used
        self.asked: list[list[str]] = []

    def stages(self, connection_ids: Iterable[str], *, months: Iterable[str]) -> list[StageFigures]:
        self.asked.append(list(months))
        name = next(iter(connection_ids))
        return [
            figures_of(StageKey(name, "2026-02", one, Status.ACCEPTED), TALLY) for one in self.used
        ]


def test_what_a_provider_documents_is_known_in_any_case_without_a_read() -> None:
    figures = Figures()
    asked = ["Internet ", "energy"]
    unknown, known = unknown_service_types(asked, BOTH, figures=figures, today=TODAY)
    assert (unknown, figures.asked) == ([], [])
    assert {"internet", "energy"} <= set(known)


def test_what_settings_or_past_orders_have_is_known() -> None:
    connections = {RABOT.id: replace(RABOT, service_type="heat")}
    figures = Figures("water", "")
    asked = ["Heat", "WATER", "watter"]
    unknown, known = unknown_service_types(asked, connections, figures=figures, today=TODAY)
    assert (unknown, known) == (["watter"], ["energy", "heat", "water"])
    assert [(one[0], one[-1], len(one)) for one in figures.asked] == [("2025-03", "2026-02", 12)]


def test_a_service_type_of_another_connection_alone_is_told() -> None:
    one = replace(
        NOBODY, connections=frozenset({RABOT.id}), service_types=frozenset({"energy", "tv"})
    )
    said = service_type_warning(one, BOTH, figures=Figures(), today=TODAY)
    assert said == (
        "No order at its connections is known to have the service type tv; known are: energy. "
        "Check the spelling: until an order has it, nobody is notified because of it."
    )


def test_several_that_are_unknown_everywhere_are_told_together() -> None:
    one = replace(NOBODY, service_types=frozenset({"internett", "tvv", "tv"}))
    said = service_type_warning(one, BOTH, figures=Figures(), today=TODAY) or ""
    assert said.startswith(
        "No order at any connection is known to have the service types internett, tvv; known are: "
    )
    assert "until an order has one of them" in said


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    known = replace(NOBODY, service_types=frozenset({"TV"}))
    for one in (NOBODY, known):
        assert service_type_warning(one, BOTH, figures=Figures(), today=TODAY) is None
    # Without a connection there is nothing to compare with.
    assert service_type_warning(known, {}, figures=Figures(), today=TODAY) is None
