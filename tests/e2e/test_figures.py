"""On the deployed stack, a change of an order ends in the figures, the search and the API."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.conftest import HOME, Client, status_changed, wait_for

pytestmark = pytest.mark.e2e


def ask(client: Client, path: str, **query: str) -> dict[str, Any]:
    """What the API answers a viewer."""
    status, body = client.call(
        "GET",
        f"{client.stack.api_url}{path}?{urlencode(query)}",
        headers={"authorization": f"Bearer {client.stack.tokens['viewer']}"},
    )
    assert status == 200, body
    answer: dict[str, Any] = json.loads(body)
    return answer


@pytest.mark.thorough
def test_stages_are_measured_and_an_order_is_found_by_its_reference(client: Client) -> None:
    # Long ago, where no other test's orders are.
    start, order_id = datetime(2021, 3, 1, 9, 0, tzinfo=UTC), client.new_id()
    for hours, status in ((0, "pending"), (2, "accepted"), (5, "cancelled")):
        at = start + timedelta(hours=hours)
        client.send(HOME, status_changed(order_id, status, at=at))
        client.wait_for_status(HOME, order_id, "item-1", status)

    def measured() -> dict[str, float]:
        march = {"from": "2021-03", "to": "2021-03"}
        found = ask(client, "/stages", connection=HOME, **march)
        return {one["stage"]: one["mean"] / 3600 for one in found["stages"]}

    expected = {"pending": 2, "accepted": 3}
    wait_for(lambda: measured() == expected, what="its stages", show=measured)
    assert ask(client, "/orders", connection=HOME)["counts"]["cancelled"] >= 1
    # Not the id of the order above, which the search would find too.
    reference = client.new_id()
    created = client.steer(HOME, "orders", {"reference": f"E2E {reference}", "items": [{}]})
    client.poll(HOME)
    order = f"{HOME}:{created['orderId']}:{created['items'][0]['itemId']}"

    def found() -> list[str]:
        return [one["id"] for one in ask(client, "/orders", q=reference.upper())["orders"]]

    wait_for(lambda: found() == [order], what=f"{order} to be found", show=found)
