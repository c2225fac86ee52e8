"""Tests of the API fail at an answer that its description doesn't have."""

import pytest

from tests import described_answers
from tests.described_answers import NotDescribed
from tests.unit.api.conftest import Desk


def test_a_status_that_the_route_does_not_describe_is_an_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/orders/offergrid-home:ord_0:item_0"
    assert desk.ask("GET", path).status == 404
    monkeypatch.setattr(described_answers, "problems_of_names", lambda _path: ())
    monkeypatch.setattr(described_answers, "routes_at", _without_responses)
    with pytest.raises(NotDescribed, match=f"GET {path} answered 404"):
        desk.ask("GET", path)


@pytest.mark.parametrize("order", ["0", "offergrid-home:ord_0:item_0", "ord_0"])
def test_the_activity_of_an_unknown_order_is_described_as_not_found(desk: Desk, order: str) -> None:
    assert desk.ask("GET", "/activity", query={"order": order}).status == 404
    described = desk.ask("GET", "/openapi.json").body["paths"]["/activity"]["get"]["responses"]
    assert {"404", "409"} <= described.keys()


def _without_responses(_resolver: object, path: str) -> list[object]:
    """The route as if it described no problem of its own."""

    class Route:
        method = ("GET",)
        openapi_path = path
        responses = None

    return [Route()]
