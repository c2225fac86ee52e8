"""Actions through the API of the deployed stack: at the sandbox, and on the timeline."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import Client, wait_for

pytestmark = pytest.mark.e2e

SPIRII = "spirii-charge"


def api(
    client: Client, method: str, path: str, body: Any = None, *, key: str | None = None
) -> tuple[int, Any]:
    """One request as the operator."""
    headers = {
        "authorization": f"Bearer {client.stack.tokens['operator']}",
        "content-type": "application/json",
        "idempotency-key": key or uuid4().hex,
    }
    data = None if body is None else json.dumps(body).encode()
    status, content = client.call(method, f"{client.stack.api_url}{path}", data, headers)
    return status, json.loads(content)


def act(client: Client, order: str, action: str, body: Any = None, **more: Any) -> Any:
    status, done = api(client, "POST", f"/orders/{order}/actions/{action}", body, **more)
    assert status == 200, done
    return done


def show(client: Client, order: str) -> Any:
    status, shown = api(client, "GET", f"/orders/{order}")
    assert status == 200, shown
    return shown


def create(client: Client, connection: str, **fields: Any) -> str:
    """An order that was taken in; its id."""
    made = client.steer(connection, "orders", fields)
    name = made.get("orderId") or made.get("contractNumber") or made["id"]
    item = made["items"][0]["itemId"] if "items" in made else name

    def known() -> bool:
        client.poll(connection)
        return client.order(connection, name, item) is not None

    wait_for(known, what=f"order {name} to be taken in")
    return f"{connection}:{name}:{item}"


def noted(client: Client, order: str) -> list[str]:
    """What the provider's staff were asked to do with an order."""
    connection, name, _ = order.split(":")
    listed = client.steer(connection, "actions", method="GET")["actions"]
    return [one["action"] for one in listed if one["order"] == name]


def by_people(client: Client, order: str) -> list[tuple[str, str, str]]:
    """Who did what, and what became of it, from the timeline."""
    entries = show(client, order)["timeline"]
    return [(e["person"], e["action"], e["result"]) for e in entries if e["source"] == "person"]


def in_seconds(seconds: int) -> str:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    return at.isoformat().replace("+00:00", "Z")


def test_an_order_is_cancelled_at_its_provider_and_seen_cancelled_at_once(client: Client) -> None:
    order = create(client, "offergrid-home")
    done = act(client, order, "cancel", {"reason": "Customer withdrew"}, key="e2e-cancel")
    assert done["result"] == "done"
    assert act(client, order, "cancel", {"reason": "Customer withdrew"}, key="e2e-cancel") == (
        done | {"repeated": True}
    )
    assert noted(client, order) == ["cancel"]
    assert show(client, order)["status"] == "cancelled"
    assert by_people(client, order) == [(done["person"], "cancel", "done")]
    status, problem = api(client, "POST", f"/orders/{order}/actions/cancel")
    assert (status, problem["allowed"]) == (409, ["note", "refresh"])


@pytest.mark.thorough
def test_a_fulfilment_is_planned_and_done_when_its_time_has_come(client: Client) -> None:
    order = create(client, SPIRII)
    planned = act(client, order, "fulfill", {"at": in_seconds(3)})
    assert planned["result"] == "planned"
    wait_for(lambda: "fulfill" in noted(client, order), what="the planned fulfilment")
    wait_for(
        lambda: (
            [result for _, _, result in by_people(client, order)] == ["planned", "started", "done"]
        ),
        what="the fulfilment on the timeline",
    )
    assert show(client, order)["status"] == "completed"
    assert show(client, order)["planned"] == []


@pytest.mark.thorough
def test_a_planned_fulfilment_is_changed_and_called_off(client: Client) -> None:
    order = create(client, SPIRII)
    act(client, order, "fulfill", {"at": in_seconds(3_600)})
    later = in_seconds(7_200)
    act(client, order, "fulfill", {"at": later})
    (plan,) = show(client, order)["planned"]
    assert plan["planned_for"] == later
    status, off = api(client, "DELETE", f"/orders/{order}/actions/fulfill/planned")
    assert (status, off["result"]) == (200, "called_off"), off
    scheduler = client.stack.client("scheduler")
    group = client.stack.resource_id("ActionSchedules")
    assert scheduler.list_schedules(GroupName=group)["Schedules"] == []
    assert noted(client, order) == []
    assert [r for _, _, r in by_people(client, order)] == ["planned", "planned", "called_off"]


@pytest.mark.thorough
def test_what_is_closed_when_its_time_comes_is_left_alone(client: Client) -> None:
    order = create(client, SPIRII)
    act(client, order, "fulfill", {"at": in_seconds(4)})
    act(client, order, "cancel")
    wait_for(
        lambda: (by_people(client, order)[-1][1:]) == ("fulfill", "refused"),
        what="the refusal on the timeline",
    )
    assert noted(client, order) == ["cancel"]


@pytest.mark.thorough
@pytest.mark.parametrize("action", ["resend_confirmation", "initiate_installation"])
def test_spirii_is_asked(client: Client, action: str) -> None:
    order = create(client, SPIRII)
    assert act(client, order, action)["result"] == "done"
    assert noted(client, order) == [action]
    assert [one for _, one, _ in by_people(client, order)] == [action]


@pytest.mark.thorough
def test_an_invoice_is_checked_and_a_code_sent_again_at_subs(client: Client) -> None:
    order = create(client, "subs-grid")
    name = order.split(":")[1]
    invoice = show(client, order)["details"]["invoices"][0]
    client.steer("subs-grid", f"invoices/{invoice['id']}/settle")
    checked = act(client, order, "check_invoice")
    assert checked["outcome"] == f"invoice {invoice['number']} is paid"
    assert show(client, order)["status"] == "submitted"
    client.steer("subs-grid", f"orders/{name}/move", {"status": "Contract Generated"})
    client.wait_for_status("subs-grid", name, name, "accepted")
    assert act(client, order, "resend_authorization_code")["outcome"] == "sent"
    assert noted(client, order) == ["check_invoice", "resend_authorization_code"]


@pytest.mark.thorough
def test_an_order_of_rabot_is_refreshed_noted_and_its_attention_acknowledged(
    client: Client,
) -> None:
    order = create(client, "rabot-energy", meterNumber=None, maLoIdentifier=None)
    name = order.split(":")[1]
    act(client, order, "note", {"text": "Called: sends the meter number tomorrow"})
    act(client, order, "acknowledge", {"attention": ["missing_data"]})
    assert "missing_data" not in [one["code"] for one in show(client, order)["attention"]]
    client.steer("rabot-energy", f"orders/{name}/move", {"status": "Processing"})
    act(client, order, "refresh")
    shown = show(client, order)
    assert shown["status"] == "submitted"
    actions = [one for _, one, _ in by_people(client, order)]
    assert actions == ["note", "acknowledge", "refresh"]
