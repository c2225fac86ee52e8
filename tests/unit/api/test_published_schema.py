"""The route of the schema of announcements."""

import json

from tests.stack import ROOT
from tests.unit.api.conftest import Desk

PATH = "/schemas/announcement.v1.json"


def test_the_schema_is_the_published_one_and_described_beside_the_routes(desk: Desk) -> None:
    answer = desk.ask("GET", PATH)
    published = json.loads((ROOT / "docs" / PATH.removeprefix("/")).read_text())
    assert (answer.status, answer.body) == (200, published)
    assert PATH in desk.ask("GET", "/openapi.json").body["paths"]


def test_the_schema_is_for_those_who_may_read_and_no_other_version_is_there(desk: Desk) -> None:
    assert desk.ask("GET", PATH, role="nobody").status == 403
    assert desk.ask("GET", "/schemas/announcement.v2.json").status == 404
    assert desk.ask("GET", "/schemas").status == 404
    assert desk.ask("DELETE", PATH, role="operator").status in (404, 405)
