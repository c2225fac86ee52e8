"""Saved views: what is kept comes back, to whom it belongs."""

from typing import Any

import pytest

from milepost.queries.aws.saved_views import ViewsTable
from milepost.queries.saved_views import MOST_VIEWS, Shared, TooManyViews, View, find_view
from tests.contracts import conftest
from tests.fakes.requests import MemoryViews

TABLE = "ViewsTable"


@pytest.fixture
def views(place: conftest.Place) -> Any:
    return MemoryViews() if place.is_memory else ViewsTable(place.client, table_name=place.table)


def view(view_id: str, *, shared: Shared = Shared.OWN) -> View:
    filters = {"status": ["rejected", "failed"], "from": ["2026-03-01"]}
    return View(id=view_id, name=f"Name of {view_id}", filters=filters, shared=shared)


def test_a_person_has_their_own_and_the_teams(views: Any) -> None:
    own, team = view("a"), view("a", shared=Shared.TEAM)
    views.put(own, subject="lena")
    views.put(team, subject="lena")
    views.put(view("b"), subject="tom")
    assert sorted(views.of("lena"), key=lambda one: one.shared) == [own, team]
    views.delete(own, subject="lena")
    assert views.of("lena") == [team]
    assert find_view("NAME OF A", views.of("lena")) == team


@pytest.mark.thorough
def test_there_are_only_so_many(views: Any) -> None:
    for number in range(MOST_VIEWS):
        views.put(view(f"v-{number}"), subject="lena")
    with pytest.raises(TooManyViews):
        views.put(view("more"), subject="lena")
    views.put(view("v-1"), subject="lena")
    assert len(views.of("lena")) == MOST_VIEWS
