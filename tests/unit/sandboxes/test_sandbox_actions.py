"""The staff's actions reach the orders, once per idempotency key, and can be seen."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from local.sandboxes.json_format import read_json
from tests.unit.sandboxes.conftest import Client, Receiver, wait_until


def actions_of(client: Client) -> list[str]:
    return [entry["action"] for entry in client.steer("GET", "/actions")["actions"]]


def test_offergrid_cancels_the_open_items_once_per_key(offergrid: Client) -> None:
    made = offergrid.create(items=[{}, {"status": "completed"}])
    path = f"/reseller/orders/{made['orderId']}/cancel"
    first = offergrid.call("PATCH", path, {"reason": "Moved"}, Idempotency_Key="k1")
    again = offergrid.call("PATCH", path, {"reason": "Moved"}, Idempotency_Key="k1")
    assert [item["status"] for item in first.json()["items"]] == ["cancelled", "completed"]
    assert first.json()["items"][0]["reason"] == "Moved"
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert actions_of(offergrid) == ["cancel"]
    assert offergrid.call("PATCH", path, Idempotency_Key="k1").status == 422
    refused = offergrid.call("PATCH", path)
    assert refused.status == 409
    assert refused.json()["message"].endswith("is completed")


def test_subs_check_moves_a_request_on_only_when_it_was_paid(subs: Client) -> None:
    made = subs.create()
    invoice = made["invoices"][0]["id"]
    unpaid = subs.call("POST", f"/invoices/{invoice}/check").json()["data"]
    assert unpaid["invoice"]["paid"] is False
    assert unpaid["service_request"]["milestone"] == "Application Fee Generated"
    subs.steer("POST", f"/invoices/{invoice}/settle")
    paid = subs.call("POST", f"/invoices/{invoice}/check").json()["data"]
    assert paid["invoice"]["paid"] is True
    assert paid["service_request"]["milestone"] == "Inspection Initiated"
    assert actions_of(subs) == ["check_invoice", "check_invoice"]


def test_subs_brings_with_each_milestone_what_belongs_to_it(subs: Client) -> None:
    id = subs.create(installation_type="overhead", meter_phase="three_phase")["id"]
    path = f"/service-requests/{id}/authorization-code"
    assert subs.call("POST", path).status == 409
    subs.move(id, status="Inspection Initiated")
    assert subs.move(id, status="Contract Generated")["authorization_code"]["sent"] is True
    assert subs.call("POST", path).status == 202
    fee = subs.move(id, status="Connection Fee Generated")["invoices"][1]
    assert (fee["kind"], fee["amount"], fee["paid"]) == ("connection_fee", "1280.00", False)
    moved = subs.move(id, status="Installation Initiated")
    assert moved["invoices"][1]["paid"]
    assert moved["installer"]["kind"]
    done = subs.move(id, status="Completed")
    assert all(done[name] for name in ("spn", "meter_number", "account_number"))
    assert "code" not in done["authorization_code"]


def test_spirii_fulfils_later_by_itself_and_the_time_can_be_called_off(
    spirii: Client, receiver: Receiver
) -> None:
    kept, called_off = (spirii.create(payment={"kind": "credit_card"})["id"] for _ in range(2))
    due = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    for id in (kept, called_off):
        answer = spirii.call("POST", f"/v2/orders/{id}/fulfill", {"scheduled_for": due})
        assert answer.json()["data"]["status"] == "Pending"
        assert answer.json()["data"]["activation_appointment"] is None
    spirii.call("POST", f"/v2/orders/{called_off}/fulfill", {"scheduled_for": None})
    spirii.steer("PUT", "/webhook", {"url": receiver.url})
    spirii.steer("POST", "/clock", {"advance_seconds": 7_300})
    [(_, body)] = receiver.wait_for(1)
    order = json.loads(body)["data"]["order"]
    assert (order["id"], order["status"]) == (kept, "Fulfilled")
    assert order["payment"]["status"] == "captured"
    assert spirii.get(f"/v2/orders/{called_off}")["data"]["status"] == "Pending"


def test_spirii_refuses_what_the_status_forbids_and_times_that_are_past(spirii: Client) -> None:
    id = spirii.create()["id"]
    past = {"scheduled_for": "2020-01-01T00:00:00Z"}
    assert spirii.call("POST", f"/v2/orders/{id}/fulfill", past).status == 400
    assert spirii.call("POST", f"/v2/orders/{id}/initiate-installation").status == 202
    assert spirii.call("POST", f"/v2/orders/{id}/cancel").status == 200
    refused = spirii.call("POST", f"/v2/orders/{id}/fulfill")
    assert refused.status == 409
    assert refused.json()["error"] == {"code": "conflict", "message": f"Order {id} is Cancelled"}
    assert actions_of(spirii) == ["initiate_installation", "cancel"]


def test_spirii_says_why_a_confirmation_was_not_sent(spirii: Client) -> None:
    why = "Email type is not active for this onboarding flow"
    email = {"type": "order_confirmation", "sent": False, "not_sent_reason": why}
    id = spirii.create(emails=[email])["id"]
    answer = spirii.call("POST", f"/v2/orders/{id}/resend-confirmation")
    assert answer.status == 202
    assert answer.json()["data"]["email"]["not_sent_reason"] == why


def test_amounts_keep_every_digit(offergrid: Client) -> None:
    amount = Decimal("12345678901234567.000000000010")
    made = offergrid.create(items=[{"commission": {"amount": amount}}])
    raw = offergrid.call("GET", f"/reseller/orders/{made['orderId']}").data
    assert read_json(raw)["items"][0]["commission"]["amount"] == amount


def test_the_request_log_shows_no_credential(offergrid: Client) -> None:
    offergrid.get("/reseller/orders?limit=3")
    log = offergrid.steer("GET", "/requests?path=/reseller")
    assert log["count"] == 1
    assert log["requests"][0]["query"] == {"limit": "3"}
    assert offergrid.headers["x-api-key"] not in str(log)
    offergrid.steer("POST", "/reset")
    wait_until(lambda: offergrid.steer("GET", "/requests")["total"] == 0)
