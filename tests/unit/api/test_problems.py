"""Problems: each kind of failure has its own answer, as RFC 9457 says."""

import io
import json
import re
from typing import Any

import pytest

from milepost.api.text_patterns import LOOKS_LIKE
from milepost.orders.order import OrderKey, TrackedOrder
from tests.unit.api.conftest import Answer, Desk, http_event, read_answer

NOTICE = "offergrid-home:ord-1:item-1:1:email:0a1b2c3d4e5f"


def assert_problem(answer: Answer, status: int, said: str) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["status"] == status
    assert answer.body["type"].startswith("urn:milepost:problem:")
    assert said in answer.body["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/", 404, "no route at this address"),
        ("GET", "/orders/a:b:c/more", 404, "no route at this address"),
        ("GET", "/orders/a:b:c", 404, "There is no order a:b:c"),
        ("GET", "/groups/a:b", 404, "There is no order a:b"),
        ("GET", "/orders/a:b:c/notices", 404, "There is no order a:b:c"),
        ("POST", f"/notices/{NOTICE}/resend", 404, "There is no notice"),
        ("POST", "/notices/a:b:c:x:email:d/resend", 404, "a notice's id looks like"),
        ("DELETE", "/orders/a:b:c", 405, "This address allows GET"),
        ("GET", "/orders/ab", 404, "There is no order ab"),
        ("GET", "/orders/%25:%25:", 404, "There is no order %:%:"),
    ],
)
def test_what_is_not_there_is_told_as_a_problem(
    method: str, path: str, status: int, said: str, desk: Desk
) -> None:
    assert_problem(desk.ask(method, path, role="operator"), status, said)


def test_a_refused_value_is_told_in_our_words_alone(desk: Desk) -> None:
    answer = desk.ask("GET", "/orders", query={"from": "tomorrow"})
    assert answer.status == 422
    assert [one["what"] for one in answer.body["errors"]] == ["a day looks like 2026-03-01"]


def test_a_wrong_method_is_told_which_ones_there_are(desk: Desk) -> None:
    assert desk.ask("PUT", "/orders", role="operator").headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("NaN", 400),
        ('{"to": 1e999999}', 400),
        ("[" * 100_000, 400),
        ('{"to": "a@b.de", "to": "c@d.de"}', 400),
        ("[]", 422),
        ('{"too": "a@b.de"}', 422),
        ('{"to": 7}', 422),
        ('{"to": "nobody"}', 422),
    ],
)
def test_a_body_that_is_wrong_is_refused_before_anything_is_done(
    body: str, status: int, desk: Desk
) -> None:
    answer = desk.ask("POST", f"/notices/{NOTICE}/resend", role="operator", body=body)
    assert_problem(answer, status, "")
    assert desk.emails.puts == []


def test_a_body_that_is_no_text_is_refused(desk: Desk) -> None:
    event = http_event("POST", f"/notices/{NOTICE}/resend", role="operator")
    event |= {"body": "//4=", "isBase64Encoded": True}
    assert_problem(read_answer(desk.api.answer(event, None)), 400, "not UTF-8")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        ";",
    ],
)
def test_another_content_type_is_refused(content_type: str, desk: Desk) -> None:
    event = http_event("POST", f"/notices/{NOTICE}/resend", role="operator")
    event |= {"body": '{"to": ""}', "headers": {"Content-Type": content_type}}
    assert_problem(read_answer(desk.api.answer(event, None)), 415, "application/json")


def test_every_fault_is_told_by_where_and_what(desk: Desk) -> None:
    answer = desk.ask("GET", "/orders", query={"limit": 0, "from": "yesterday", "due": "soon"})
    assert_problem(answer, 422, "not valid")
    faults = {one["where"]: one["what"] for one in answer.body["errors"]}
    assert faults.keys() == {"query.limit", "query.from", "query.due"}
    assert "2026-03-01" in faults["query.from"]


class Broken:
    """Says in its error what must not be told."""

    def read(self, key: OrderKey) -> TrackedOrder | None:
        raise RuntimeError("lena.hoffmann@example.de")


@pytest.fixture
def broken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(desk.orders, "read", Broken().read)
    return desk


def test_what_we_fail_at_is_500_and_counted_without_the_data(broken: Desk) -> None:
    lines = io.StringIO()
    broken.api.log.registered_handler.setStream(lines)  # type: ignore[attr-defined]
    answer = broken.ask("GET", "/orders/offergrid-home:secret-order:item")
    assert_problem(answer, 500, "It is logged")
    assert broken.failures == 1
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    failed, answered = logged
    assert (failed["error"], failed["where"][-1][:15]) == ("RuntimeError", "test_problems.p")
    assert (answered["route"], answered["status"], answered["caller"]) == (
        "/orders/{order_id}",
        500,
        "5f0c-sub",
    )
    told = lines.getvalue() + json.dumps(answer.body)
    assert not any(secret in told for secret in ("lena", "secret-order"))


def test_what_is_down_is_503_and_not_counted(broken: Desk) -> None:
    broken.is_down = True
    answer = broken.ask("GET", "/orders/offergrid-home:ord:item")
    assert_problem(answer, 503, "Try again")
    assert (answer.headers["retry-after"], broken.failures) == ("30", 0)


def test_each_answer_of_each_route_is_described(desk: Desk) -> None:
    document: dict[str, Any] = desk.ask("GET", "/openapi.json").body
    assert document["openapi"].startswith("3.1")
    assert document["security"] == [{"people": []}]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            always = {"400", "401", "403", "422", "429", "500", "503"}
            assert always <= answers.keys(), (path, method)
            assert {"summary", "tags", "operationId"} <= operation.keys(), (path, method)
            for status in answers.keys() - {"200", "201", "202", "204"}:
                assert "application/problem+json" in answers[status]["content"]
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_route_of_one_order_describes_that_its_name_may_be_ambiguous(desk: Desk) -> None:
    paths = desk.ask("GET", "/openapi.json").body["paths"]
    of_one_order = {path: methods for path, methods in paths.items() if "{order_id}" in path}
    assert "/orders/{order_id}" in of_one_order
    for methods in of_one_order.values():
        assert all({"404", "409"} <= one["responses"].keys() for one in methods.values())


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/quarantine/nope", "an id of the quarantine looks like connection:2026-03-01:"),
        ("/customers/12f803998b2500A3", "a customer's id has 16 or 24 hex digits"),
        ("/commissions?month=2026-13", "a month looks like 2026-03"),
        ("/commissions?month=March", "a month looks like 2026-03"),
        ("/dead-letters/In-Box", "small letters and underscores"),
        ("/groups/nope", "a group's id looks like connection:order"),
    ],
)
def test_what_has_another_form_is_answered_by_an_example_and_no_pattern(
    desk: Desk, path: str, said: str
) -> None:
    path, _, query = path.partition("?")
    name, _, value = query.partition("=")
    method = "DELETE" if path.startswith("/customers") else "GET"
    sent = {name: value} if name else None
    answer = desk.ask(method, path, role="operator", query=sent)
    (error,) = answer.body["errors"]
    assert answer.status == 422
    assert said in error["what"]
    assert "pattern" not in error["what"]


def test_every_pattern_of_the_api_is_described(desk: Desk) -> None:
    document = json.dumps(desk.ask("GET", "/openapi.json").body["paths"])
    patterns = {json.loads(one) for one in re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', document)}
    assert patterns
    assert patterns <= set(LOOKS_LIKE)
