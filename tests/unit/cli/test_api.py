"""The way to the orders API: how it is asked, and what its answers become."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from cli.api import NoSuchThing, OrdersApi, fault_of
from cli.errors import COULD_NOT, WRONG_USE, CannotDo
from cli.stack import Stack
from tests.unit.cli.conftest import SESSION


class Function:
    """Answers as the API would, and remembers what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(json.loads(asked["Payload"]))
        answer = self.answers.pop(0)
        said = {"statusCode": 200, "body": json.dumps(answer)}
        return {"Payload": Payload(said)}


class Payload:
    def __init__(self, said: Any) -> None:
        self.said = said

    def read(self) -> bytes:
        return json.dumps(self.said).encode()


def api_of(function: Any) -> OrdersApi:
    outputs = {"OrdersApiFunction": "orders-api"}
    api = OrdersApi(Stack(name="s", region="r", outputs=outputs, api_url="", session=SESSION))
    api._client, api._person = function, "user/kim"
    return api


def test_an_id_is_asked_for_as_an_http_api_hands_it_over() -> None:
    function = Function({})
    api_of(function).get("/orders/home:ord%2F1:item%201")
    assert function.asked[0]["rawPath"] == "/orders/home:ord%252F1:item%25201"


def test_lists_of_values_are_repeated_and_what_was_not_asked_for_is_left_out() -> None:
    function = Function({})
    api_of(function).get("/orders", status=["accepted", "scheduled"], q=None, connection=[])
    assert function.asked[0]["rawQueryString"] == "status=accepted&status=scheduled"
    assert function.asked[0]["queryStringParameters"] == {"status": "accepted,scheduled"}


def test_who_asks_is_an_operator_by_their_name_at_aws() -> None:
    function = Function({})
    api_of(function).get("/orders")
    claims = function.asked[0]["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (claims["username"], claims["cognito:groups"]) == ("user/kim", "[operator]")


def test_pages_are_asked_for_until_there_are_enough() -> None:
    pages = [
        {"items": [1, 2], "next": "b"},
        {"items": [], "next": "c"},
        {"items": [3], "next": "d"},
    ]
    function = Function(*pages)
    api = api_of(function)
    found = list(api.pages("/quarantine", items="items", resume_by="after", most=3))
    assert [item for page in found for item in page["items"]] == [1, 2, 3]
    asked = [event["queryStringParameters"] for event in function.asked]
    assert asked == [{"limit": "3"}, {"limit": "1", "after": "b"}, {"limit": "1", "after": "c"}]


def test_a_function_that_fails_is_named() -> None:
    class Failing:
        def invoke(self, **_asked: Any) -> dict[str, Any]:
            return {"FunctionError": "Unhandled", "Payload": Payload({"errorType": "KeyError"})}

    with pytest.raises(CannotDo, match=r"failed \(KeyError\): the log group of orders-api"):
        api_of(Failing()).get("/orders")


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, WRONG_USE), (422, WRONG_USE), (404, COULD_NOT), (409, COULD_NOT), (503, COULD_NOT)],
)
def test_a_problem_ends_the_command_in_the_apis_own_words(status: int, code: int) -> None:
    fault = fault_of(status, {"detail": "It can't be so."})
    assert (str(fault), fault.code) == ("It can't be so.", code)
    assert isinstance(fault, NoSuchThing) == (status == 404)


def test_each_fault_of_a_request_is_named_by_its_parameter() -> None:
    errors = [{"where": "query.limit", "what": "is too large"}, {"where": "", "what": "hm"}]
    fault = fault_of(422, {"detail": "Not valid.", "errors": errors})
    assert str(fault).splitlines() == ["Not valid.", "  limit: is too large", "  hm"]


def test_what_may_have_been_done_is_to_be_repeated_with_its_key() -> None:
    assert "--key k-1" in str(fault_of(503, {"detail": "Down."}, key="k-1"))
    assert "--key" not in str(fault_of(409, {"detail": "No."}, key="k-1"))


def test_a_fault_that_says_what_the_problem_says_is_not_said_twice() -> None:
    errors = [
        {"where": "query.provider", "what": "there is no provider nope; there are: subs"},
        {"where": "path.kept", "what": "an id has a colon"},
    ]
    problem = {"detail": "There is no provider nope; there are: subs.", "errors": errors}
    assert str(fault_of(422, problem)).splitlines() == [
        "There is no provider nope; there are: subs.",
        "  kept: an id has a colon",
    ]


class Pages:
    """Answers requests for rows; an exception is raised, a number is a status."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.limits: list[str] = []

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.limits.append(json.loads(asked["Payload"])["queryStringParameters"]["limit"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            body = json.dumps({"detail": f"Status {answer}."})
            return {"Payload": Payload({"statusCode": answer, "body": body})}
        if "errorType" in answer:
            return {"FunctionError": "Unhandled", "Payload": Payload(answer)}
        body = "".join(json.dumps({"id": one}) + "\n" for one in answer["ids"])
        link = '</orders?cursor=c&limit=1000>; rel="next"'
        headers = {"link": link} if answer.get("more") else {}
        return {"Payload": Payload({"statusCode": 200, "headers": headers, "body": body})}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("cli.api.time.sleep", waited.append)
    return waited


@pytest.mark.parametrize(
    "trouble",
    [
        {"errorType": "Sandbox.Timedout"},
        ReadTimeoutError(endpoint_url="https://lambda"),
        EndpointConnectionError(endpoint_url="https://lambda"),
        503,
        500,
    ],
)
def test_a_page_of_a_long_list_that_fails_is_tried_again_with_fewer_rows(
    trouble: Any, waits: list[float]
) -> None:
    pages = Pages({"ids": ["a"], "more": True}, trouble, trouble, {"ids": ["b"]})
    assert [row["id"] for row in api_of(pages).rows("/orders")] == ["a", "b"]
    assert pages.limits == ["1000", "1000", "500", "250"]
    assert waits == [1.0, 4.0]


def test_a_list_that_breaks_off_says_where(waits: list[float]) -> None:
    pages = Pages({"ids": ["a", "b"], "more": True}, *[503] * 4)
    rows = api_of(pages).rows("/orders")
    with pytest.raises(CannotDo, match=r"after 2 rows; the last one is b\. .*Status 503"):
        list(rows)
    assert len(waits) == 3


def test_a_list_that_is_refused_is_not_tried_again(waits: list[float]) -> None:
    with pytest.raises(CannotDo, match="Status 403"):
        list(api_of(Pages(403)).rows("/orders"))
    assert waits == []
