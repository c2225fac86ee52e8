"""A query parameter that a route doesn't know is refused by name, on every route."""

import re

import pytest

from tests.unit.api.conftest import Desk


def described(desk: Desk) -> list[tuple[str, str, list[str]]]:
    """Method, path and query parameters of every operation, by the API's own description."""
    paths = desk.ask("GET", "/openapi.json").body["paths"]
    return [
        (
            method.upper(),
            re.sub(r"\{[^}]+\}", "x", path),
            sorted(one["name"] for one in said.get("parameters", ()) if one["in"] == "query"),
        )
        for path, methods in paths.items()
        for method, said in methods.items()
    ]


def test_every_operation_names_what_it_does_not_know_and_what_it_does(desk: Desk) -> None:
    operations = described(desk)
    assert len(operations) > 25
    for method, path, names in operations:
        answer = desk.ask(method, path, query={"nope": "1"}, role="operator")
        known = f"there are: {', '.join(names)}" if names else "this address takes none"
        assert (method, path, answer.status) == (method, path, 422)
        assert answer.body["detail"] == f"There is no query parameter nope; {known}."
        assert answer.body["errors"] == [{"where": "query.nope", "what": f"unknown; {known}"}]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"Status": "accepted"}, ["query.Status"]),
        ({"status ": "accepted"}, ["query.status "]),
        ({"statuses": "accepted", "limit": "3", "page": "2"}, ["query.page", "query.statuses"]),
        ({"from_": "2026-03-01"}, ["query.from_"]),
        ({"": "x"}, ["query."]),
        ({"status[]": "accepted"}, ["query.status[]"]),
        ({"ſtatus": "accepted"}, ["query.ſtatus"]),
        ({"x" * 4000: "1"}, ["query." + "x" * 64]),
    ],
)
def test_what_looks_like_a_parameter_is_none(
    query: dict[str, str], where: list[str], desk: Desk
) -> None:
    answer = desk.ask("GET", "/orders", query=query)
    assert answer.status == 422
    assert [one["where"] for one in answer.body["errors"]] == where


def test_parameters_by_their_names_are_known(desk: Desk) -> None:
    query = {"from": "2026-03-01", "to": "2026-03-02", "status": "accepted", "limit": "3"}
    assert desk.ask("GET", "/orders", query=query).status == 200


def test_an_address_or_method_that_is_not_there_is_told_first(desk: Desk) -> None:
    assert desk.ask("GET", "/nowhere", query={"nope": "1"}).status == 404
    assert desk.ask("PUT", "/orders", query={"nope": "1"}, role="operator").status == 405


def test_who_may_not_call_is_told_that_alone(desk: Desk) -> None:
    query = {"nope": "1"}
    assert desk.ask("DELETE", "/customers/c-1", query=query, role="viewer").status == 403
