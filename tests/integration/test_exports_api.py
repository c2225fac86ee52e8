"""The API's exports: started, listed, narrowed, logged."""

import json
from typing import Any

import pytest

from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.recipients import Choice
from tests.builders import NOON, OFFERGRID, RABOT, notice
from tests.integration.export_team import IDS, Team, open_team
from tests.integration.operator_requests import http_event
from tests.permissions import Use, Watch
from tests.stack import Context, Stack, aws


@pytest.fixture
def team(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Team:
    return open_team(stack, monkeypatch)


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"list": "orders", "columns": ["nmae"]}, "body.columns"),
        ({"list": "orders", "query": {"stauts": "accepted"}}, "body.query.stauts"),
        ({"list": "orders", "query": {"connection": "unknown"}}, "body.query.connection"),
        ({"list": "orders", "query": {"limit": "5"}}, "body.query.limit"),
        ({"list": "orders", "mail": "nobody"}, "body.mail"),
        ({"list": "people"}, "body.list"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_a_job_starts(
    team: Team, asked: Any, where: str
) -> None:
    status, problem = team.ask("POST", "/exports", asked)
    assert (status, problem["errors"][0]["where"]) == (422, where)
    assert team.jobs.started == []


def test_a_repeated_request_makes_one_export(team: Team) -> None:
    event = http_event("POST", "/exports", {"list": "orders"}, role="viewer", query={})
    event["headers"]["idempotency-key"] = "k-1"
    first, second = (json.loads(team.api.handler(event, Context())["body"]) for _ in range(2))
    assert first["id"] == second["id"]
    event["body"] = json.dumps({"list": "notices"})
    assert team.api.handler(event, Context())["statusCode"] == 422


def test_a_narrowed_role_exports_its_connections_and_sees_its_exports(team: Team) -> None:
    narrow = f"viewer:{OFFERGRID.id}"
    own, whole = team.make(role=narrow), team.make()
    for one in (own, whole):
        team.run(one)
    assert {row["connection"] for row in team.rows(own)} == {OFFERGRID.id}
    assert {row["connection"] for row in team.rows(whole)} == {OFFERGRID.id, RABOT.id}
    assert team.show(own, role=narrow)["link"] is not None
    assert team.ask("GET", f"/exports/{whole}", role=narrow)[0] == 404
    # Somebody whose role was narrowed to another connection since gets no link.
    assert team.ask("GET", f"/exports/{own}", role=f"viewer:{RABOT.id}")[0] == 404
    listed = team.ask("GET", "/exports", role=narrow)[1]["exports"]
    assert [one["id"] for one in listed] == [own]
    assert team.ask("POST", "/exports", {"list": "suppressions"}, role=narrow)[0] == 403


def test_exports_are_listed_page_by_page_the_latest_first(team: Team) -> None:
    made = {team.make() for _ in range(3)}
    first = team.ask("GET", "/exports?limit=2")[1]
    second = team.ask("GET", f"/exports?limit=2&cursor={first['next']}")[1]
    assert {one["id"] for page in (first, second) for one in page["exports"]} == made
    assert second["next"] is None


def test_who_makes_an_export_is_in_the_activity_log(team: Team) -> None:
    export = team.make(query={"place": "Musterstadt"})
    [entry] = team.ask("GET", "/activity?kind=make_export")[1]["entries"]
    assert entry["targets"] == {"export": export}
    assert entry["after"] == {"list": "orders"}
    assert "Musterstadt" not in json.dumps(entry)


def test_the_api_starts_the_job(team: Team, permitted: Watch) -> None:
    app = team.stack.load("orders_api")
    event = http_event("POST", "/exports", {"list": "orders"}, role="viewer", query={})
    app.handler(event, Context())
    assert ("orders_api", Use("lambda:InvokeFunction", "MakeExportsFunction")) in permitted.asked


@pytest.mark.parametrize(
    "query",
    [{}, {"person": "lena"}, {"kind": "make_export"}, {"order": IDS[0].path_id}],
)
def test_the_activity_log_is_exported(team: Team, query: dict[str, str]) -> None:
    made = team.make()
    export = team.make(list="activity", query=query, columns=["kind", "about"])
    team.run(export)
    found = [row["about"] for row in team.rows(export)]
    assert (f"export {made}" in found) == ("order" not in query)


def test_changes_of_an_order_are_exported_by_any_name_of_it(team: Team) -> None:
    change = f"/orders/{IDS[0].path_id}/actions/note"
    assert team.ask("POST", change, {"text": "rang"}, role="operator")[0] == 200
    export = team.make(list="activity", query={"order": IDS[0].order_id}, columns=["kind"])
    assert team.run(export) == "ready"
    assert team.rows(export) == [{"kind": "perform_action"}]


def test_a_search_and_a_sorted_list_are_exported(team: Team) -> None:
    searched = team.make(query={"q": "ord_3"})
    by_since = team.make(query={"sort": "since"}, columns=["since"])
    for one in (searched, by_since):
        assert team.run(one) == "ready"
    since = [row["since"] for row in team.rows(by_since)]
    assert (len(since), since) == (6, sorted(since))


def test_notices_are_exported(team: Team) -> None:
    table = NoticesTable(aws("dynamodb"), table_name=team.stack.resources["NoticesTable"])
    made = notice()
    table.enter(Choice(notice=made), at=NOON)
    export = team.make(list="notices")
    assert team.run(export) == "ready"
    assert [row["recipient"] for row in team.rows(export)] == [made.recipient]
