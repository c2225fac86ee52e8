"""Subjects: each is mounted for the addresses that begin with its word, and for no others."""

from pathlib import Path

import pytest

from milepost.api import routing
from milepost.api.routing import SUBJECTS, routers_of, subject_of

MODULES = (Path(routing.__file__).parent / "routes").glob("*.py")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_address_of_a_subject_begins_with_its_word(subject: str) -> None:
    addresses = [route[0] for router in routers_of(subject) for route in router._routes]
    assert addresses
    assert {subject_of(address) for address in addresses} == {subject}


def test_every_module_with_routes_is_of_some_subject() -> None:
    with_routes = {one.stem for one in MODULES if "router = Router()" in one.read_text()}
    assert with_routes == {name for names in SUBJECTS.values() for name in names}


@pytest.mark.parametrize(
    "path", ["", "/", "//orders", "/order", "/orders.json", "/milepost", "/api"]
)
def test_an_address_of_no_subject_has_no_routes(path: str) -> None:
    assert routers_of(subject_of(path)) == []
