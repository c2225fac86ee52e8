"""Names of saved views are free text: an erasure shows those that name the customer, and only
those."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from milepost.orders.search_terms import customer_id_of_email
from milepost.queries.aws.saved_views import ViewsTable
from milepost.queries.saved_views import Shared, View
from tests.builders import KEY
from tests.integration.erasure_data import CUSTOMER, EMAIL, NAME, SHORT, erase, place_order
from tests.integration.operator_requests import http_event
from tests.stack import Context, Stack, aws

_LONG: Final = replace(KEY, order_id="AB-2026-00417")
_THEIRS: Final = {
    "address": f"Ask {EMAIL.upper()} again",
    "full-name": f"Complaint of {NAME}",
    "ottilie-erlenkamp": "My list",
    "phone": "Call 0049 30/5557001 back",
    "number": "kn-77001: waits for us",
    "order": "Late like ab-2026-00417",
}
_NOT_THEIRS: Final = {
    "top-42": "Top 42",
    "like-address": f"x-{EMAIL} and {EMAIL}.au",
    "like-name": "Ottilie's week, Erlenkamp Street",
    "like-phone": "+49 30 55570011",
    "like-order": "AB-2026-004170",
}


def _keep(
    stack: Stack,
    names: Mapping[str, str],
    shared: Shared,
    filters: Mapping[str, Sequence[str]] = {"status": ["rejected"], "from": ["2026-03-01"]},
) -> None:
    table = ViewsTable(aws("dynamodb"), table_name=stack.resources["ViewsTable"])
    for view_id, name in names.items():
        table.put(View(id=view_id, name=name, filters=filters, shared=shared), subject="lena")


def test_an_erasure_shows_the_views_that_name_the_customer_and_changes_none(
    applied: Stack,
) -> None:
    for key in (SHORT, _LONG):
        place_order(applied, key, CUSTOMER)
    _keep(applied, _THEIRS, Shared.TEAM)
    _keep(applied, _NOT_THEIRS, Shared.OWN)
    _keep(applied, {"own": f"For {NAME}"}, Shared.OWN)
    _keep(applied, {"filtered": "Mine"}, Shared.OWN, {"raw_status": [f"mailed {EMAIL}"]})
    before = applied.items("ViewsTable")
    expected = {f"team/{view_id}" for view_id in _THEIRS}
    expected |= {"person#lena/own", "person#lena/filtered"}
    for query in ({"dry_run": "true"}, {}, {}):
        shown = [one for one in erase(applied, **query)["left"] if one["place"] == "saved_views"]
        assert {one["where"] for one in shown} == expected
        assert all("renamed or deleted" in one["why"] for one in shown)
    assert applied.items("ViewsTable") == before


def test_views_that_cannot_be_read_are_said_and_the_rest_is_erased(applied: Stack) -> None:
    place_order(applied, SHORT, CUSTOMER)
    aws("dynamodb").delete_table(TableName=applied.resources["ViewsTable"])
    app = applied.load("orders_api")
    path = f"/customers/{customer_id_of_email(EMAIL)}"
    answer = app.handler(http_event("DELETE", path, None, role="operator", query={}), Context())
    assert answer["statusCode"] == 409
    assert "saved_views: saved views can't be read now" in json.loads(answer["body"])["detail"]
    (order,) = applied.items("OrdersTable")
    assert "erased_at" in order
