"""Who may do what: by the groups of the token, and closed by default."""

from typing import Any

import pytest

from milepost.api.callers import Role, caller_of
from milepost.api.problems import Problem
from tests.unit.api.conftest import Desk, claims, http_event, read_answer


def event_of(**changed: Any) -> dict[str, Any]:
    event = http_event("GET", "/")
    event["requestContext"]["authorizer"]["jwt"]["claims"] |= changed
    return event


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ("[operator viewer]", {Role.OPERATOR, Role.VIEWER}),
        ("[viewer]", {Role.VIEWER}),
        ("operator", {Role.OPERATOR}),
        ("[operator, viewer]", {Role.OPERATOR, Role.VIEWER}),
        (["viewer", "others"], {Role.VIEWER}),
    ],
)
def test_groups_are_read_as_text_and_as_list(groups: Any, roles: set[Role]) -> None:
    assert caller_of(event_of(**{"cognito:groups": groups})).roles == roles


@pytest.mark.parametrize("groups", ["", "[]", "[others]", "[operators]", [], None, 7, {}])
def test_a_token_of_neither_group_is_let_nowhere(groups: Any, desk: Desk) -> None:
    event = http_event("GET", "/openapi.json")
    event["requestContext"]["authorizer"]["jwt"]["claims"] = claims(groups)
    assert read_answer(desk.api.answer(event, None)).status == 403


@pytest.mark.parametrize("authorizer", [None, {}, {"jwt": None}, {"jwt": {"claims": {}}}])
def test_an_event_without_claims_is_let_nowhere(authorizer: Any, desk: Desk) -> None:
    event = http_event("GET", "/openapi.json")
    event["requestContext"]["authorizer"] = authorizer
    assert read_answer(desk.api.answer(event, None)).status == 401


@pytest.mark.parametrize(
    ("said", "person"),
    [
        ({"username": "lena"}, "lena"),
        ({"username": None, "cognito:username": "lena"}, "lena"),
        ({"username": None, "email": "lena@example.org"}, "lena@example.org"),
        ({"username": None}, "5f0c-sub"),
    ],
)
def test_a_person_goes_by_their_username(said: dict[str, Any], person: str) -> None:
    assert caller_of(event_of(**said)).person == person


def test_who_calls_is_somebody() -> None:
    with pytest.raises(Problem):
        caller_of({"requestContext": {}})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/openapi.json", "/orders", "/what/is/not/there"])
def test_a_viewer_may_only_read_whatever_the_path(method: str, path: str, desk: Desk) -> None:
    assert desk.ask(method, path, role="viewer").status == 403


def test_an_event_made_by_hand_works(desk: Desk) -> None:
    event = {
        "rawPath": "/orders",
        "requestContext": {
            "http": {"method": "GET"},
            "authorizer": {
                "jwt": {"claims": {"sub": "arn", "username": "ops", "cognito:groups": ["operator"]}}
            },
        },
    }
    answer = read_answer(desk.api.answer(event, None))
    assert (answer.status, answer.body["orders"]) == (200, [])
