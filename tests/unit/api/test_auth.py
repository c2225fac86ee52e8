"""Who may do what: by the groups of the token, and closed by default."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from milepost.api.auth import Role, caller_of
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
        ("[operator, viewer]", {Role.VIEWER}),
        ("[[operator viewer]", {Role.VIEWER}),
        ("[operator]] viewer]", {Role.VIEWER}),
        ("[not,operator viewer]", {Role.VIEWER}),
        ("[Operator viewer]", {Role.VIEWER}),
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


NOT_AN_OPERATORS = [
    ["not,operator"],
    ["not operator"],
    ["operator viewer"],
    ["[operator]"],
    ["[operator", "x]"],
    ["operator]"],
    ["operator "],
    [" operator"],
    ["Operator"],
    ["operator\\u0000"],
    ["\\uff4fperator"],
    ["op erator", "x operator y"],
]


@pytest.mark.parametrize("groups", NOT_AN_OPERATORS)
@pytest.mark.parametrize("more", [[], ["viewer"]])
def test_a_group_of_another_name_makes_nobody_an_operator(
    groups: list[str], more: list[str]
) -> None:
    listed = [*more, *groups]
    event = event_of(**{"cognito:groups": f"[{' '.join(listed)}]"})
    event["headers"] = {"authorization": token_of(listed)}
    if more:
        assert caller_of(event).roles == {Role.VIEWER}
    else:
        with pytest.raises(Problem, match="neither of the groups"):
            caller_of(event)


@pytest.mark.parametrize("listed", [["operator"], ["operator", "viewer"], ["a b", "operator"]])
def test_the_groups_of_the_token_are_read_as_its_list(listed: list[str]) -> None:
    event = event_of(**{"cognito:groups": f"[{' '.join(listed)}]"})
    event["headers"] = {"authorization": token_of(listed)}
    assert Role.OPERATOR in caller_of(event).roles


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "bEaReR  ", " Bearer ", ""])
def test_the_case_of_the_scheme_does_not_count(scheme: str) -> None:
    event = event_of(**{"cognito:groups": "[operator]"})
    token = token_of(["operator"]).removeprefix("Bearer ")
    event["headers"] = {"authorization": f"{scheme}{token}"}
    assert Role.OPERATOR in caller_of(event).roles


@pytest.mark.parametrize(
    "token",
    [
        "Bearer none",
        "Bearer a.b.c",
        "Bearer e30.bnVsbA.x",
        f"{'Bearer x.e30.y'},{'Bearer x.e30.y'}",
        7,
    ],
)
def test_a_token_that_does_not_match_what_was_checked_gives_no_role(token: Any) -> None:
    event = event_of(**{"cognito:groups": "[operator viewer]"})
    event["headers"] = {"authorization": token}
    with pytest.raises(Problem):
        caller_of(event)
    event["headers"] = {"authorization": token_of(["operator"])}
    with pytest.raises(Problem):
        caller_of(event)


def token_of(groups: list[str]) -> str:
    """As Cognito makes it, but for the signature, which the authorizer checks."""
    parts = ({"alg": "RS256"}, {"sub": "5f0c-sub", "cognito:groups": groups}, "signature")
    encoded = [urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts]
    return f"Bearer {'.'.join(encoded)}"


NOT_TO_BE_KEPT = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/orders", "viewer"),
        ("GET", "/openapi.json", "viewer"),
        ("GET", "/what/is/not/there", "viewer"),
        ("GET", "/orders/x", "viewer"),
        ("POST", "/orders", "viewer"),
        ("PUT", "/orders", "operator"),
        ("GET", "/orders", "nobody"),
        ("GET", "/orders\x00", "viewer"),
    ],
)
def test_no_answer_is_kept_or_taken_for_another_type(
    method: str, path: str, role: str, desk: Desk
) -> None:
    headers = desk.ask(method, path, role=role).headers
    assert NOT_TO_BE_KEPT.items() <= {name.lower(): one for name, one in headers.items()}.items()


@pytest.mark.parametrize("character", ["\x00", "\n", "\r\n", "\x1b", "\x7f", "\x85", "\u2028"])
def test_a_control_character_in_an_address_is_refused(character: str, desk: Desk) -> None:
    text = f"a{character}b"
    for path, query in (
        (f"/orders/{text}:b:c", {}),
        (f"/connections/{text}", {}),
        (f"/{text}", {}),
        ("/orders", {"q": text}),
        ("/orders", {"connection": text}),
        ("/orders", {text: "x"}),
    ):
        answer = desk.ask("GET", path, query=query)
        assert (answer.status, answer.body["type"]) == (400, "urn:milepost:problem:bad-request")


ENDS_OF_TIME = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59-12:00",
    "1999-12-31T23:59:59Z",
    "3000-01-01T00:00:00Z",
]


@pytest.mark.parametrize("instant", ENDS_OF_TIME)
def test_an_instant_at_the_ends_of_time_is_not_valid(instant: str, desk: Desk) -> None:
    answers = [
        desk.ask("POST", "/connections/a/poll", role="operator", body={"since": instant}),
        desk.ask("GET", "/quarantine", role="operator", query={"since": instant}),
        desk.ask("GET", "/quarantine", role="operator", query={"until": instant}),
        desk.ask("POST", "/quarantine/replay", role="operator", body={"since": instant}),
        desk.ask("GET", "/orders", query={"from": instant[:10]}),
        desk.ask("GET", "/stages", query={"from": instant[:7]}),
        desk.ask("GET", "/commissions", query={"month": instant[:7]}),
        desk.ask("POST", "/orders/a:b:c/actions/fulfill", role="operator", body={"at": instant}),
    ]
    assert [one.status for one in answers] == [422] * len(answers)
