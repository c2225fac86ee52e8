"""Webhooks arrive, signed as the receivers' own arithmetic expects."""

import base64
import hashlib
import hmac
import json

import pytest

from tests.unit.sandboxes.conftest import Client, Receiver, wait_until


def standard_signature(secret: str, *, id: str, timestamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, b".".join([id.encode(), timestamp.encode(), body]), hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def secret_of(client: Client) -> str:
    return str(client.steer("GET", "/webhook")["secrets"][0])


@pytest.mark.parametrize("name", ["offergrid", "subs"])
def test_standard_webhooks_verify_with_the_connections_secret(
    name: str, receiver: Receiver, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(name)
    client.steer("PUT", "/webhook", {"url": receiver.url})
    made = client.create()
    client.move(made.get("orderId", made.get("id")), set={"reference": "Ä-1"}, status="moved")
    [(headers, body)] = receiver.wait_for(1)
    assert headers["webhook-signature"] == standard_signature(
        secret_of(client),
        id=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
        body=body,
    )


def test_all_live_secrets_sign_while_they_rotate(offergrid: Client, receiver: Receiver) -> None:
    old, new = secret_of(offergrid), "whsec_" + base64.b64encode(b"n" * 32).decode()
    offergrid.steer("PUT", "/webhook", {"url": receiver.url, "secrets": [new, old]})
    offergrid.move(offergrid.create()["orderId"], status="accepted")
    [(headers, body)] = receiver.wait_for(1)
    expected = {
        standard_signature(
            secret,
            id=headers["webhook-id"],
            timestamp=headers["webhook-timestamp"],
            body=body,
        )
        for secret in (old, new)
    }
    assert set(headers["webhook-signature"].split(" ")) == expected


def test_spirii_signs_timestamp_and_body_in_hex(spirii: Client, receiver: Receiver) -> None:
    spirii.steer("PUT", "/webhook", {"url": receiver.url})
    spirii.move(spirii.create()["id"], status="Scheduled", scheduledFor="2026-04-01T08:00:00Z")
    [(headers, body)] = receiver.wait_for(1)
    signed = headers["spirii-timestamp"].encode() + b"." + body
    expected = hmac.new(secret_of(spirii).encode(), signed, hashlib.sha256).hexdigest()
    assert headers["spirii-signature"] == expected
    assert headers["spirii-event-id"] == json.loads(body)["id"]


def test_offergrid_tells_of_a_schedule_twice_with_one_timestamp(
    offergrid: Client, receiver: Receiver
) -> None:
    offergrid.steer("PUT", "/webhook", {"url": receiver.url})
    made = offergrid.create(at="2026-03-01T09:00:00Z")
    moved = offergrid.move(
        made["orderId"], status="scheduled", scheduledFor="2026-03-12T02:00:00.000Z"
    )
    bodies = [json.loads(body) for _, body in receiver.wait_for(2)]
    events = {body["event"]: body for body in bodies}
    assert events["order.status_changed"]["previousStatus"] == "pending"
    assert events["order.status_changed"]["newStatus"] == "scheduled"
    assert events["order.scheduled"]["scheduledFor"] == "2026-03-12T02:00:00.000Z"
    assert "newStatus" not in events["order.scheduled"]
    assert {body["timestamp"] for body in bodies} == {moved["items"][0]["updatedAt"]}


def test_a_moved_appointment_is_told_of_by_order_scheduled_alone(
    offergrid: Client, receiver: Receiver
) -> None:
    made = offergrid.create(items=[{"status": "scheduled", "scheduledFor": "2026-03-10T02:00Z"}])
    offergrid.steer("PUT", "/webhook", {"url": receiver.url})
    offergrid.move(made["orderId"], scheduledFor="2026-03-12T02:00:00.000Z")
    offergrid.move(made["orderId"], status="in_progress")
    bodies = [json.loads(body) for _, body in receiver.wait_for(2)]
    assert sorted(body["event"] for body in bodies) == ["order.scheduled", "order.status_changed"]


def test_a_refused_webhook_comes_again_with_the_same_id(
    offergrid: Client, receiver: Receiver
) -> None:
    receiver.answers += [503, 500]
    offergrid.steer("PUT", "/webhook", {"url": receiver.url})
    offergrid.move(offergrid.create()["orderId"], status="accepted")
    tries = receiver.wait_for(3)
    assert len({headers["webhook-id"] for headers, _ in tries}) == 1
    assert len({body for _, body in tries}) == 1
    wait_until(lambda: bool(offergrid.steer("GET", "/deliveries?status=delivered")["deliveries"]))
    [delivery] = offergrid.steer("GET", "/deliveries")["deliveries"]
    assert [attempt["status"] for attempt in delivery["attempts"]] == [503, 500, 202]


def test_webhook_faults_duplicate_drop_reorder_and_forge(
    offergrid: Client, receiver: Receiver
) -> None:
    offergrid.steer("PUT", "/webhook", {"url": receiver.url})
    id = offergrid.create()["orderId"]
    for fault, status in (("drop", "a"), ("duplicate", "b"), ("reorder", "c")):
        offergrid.steer("POST", "/faults", {"fault": fault})
        offergrid.move(id, status=status)
    receiver.wait_for(2)
    offergrid.move(id, status="d")
    statuses = [json.loads(body)["newStatus"] for _, body in receiver.wait_for(4)]
    assert statuses == ["b", "b", "d", "c"]
    offergrid.steer("POST", "/faults", {"fault": "bad_signature"})
    offergrid.move(id, status="e")
    headers, body = receiver.wait_for(5)[-1]
    right = standard_signature(
        secret_of(offergrid),
        id=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
        body=body,
    )
    assert headers["webhook-signature"] != right


def test_raw_bytes_are_sent_as_they_are(offergrid: Client, receiver: Receiver) -> None:
    offergrid.steer("PUT", "/webhook", {"url": receiver.url})
    raw = b'{"a": \xff, }'
    wanted = {"body_base64": base64.b64encode(raw).decode(), "id": "msg_1", "timestamp": 17}
    offergrid.steer("POST", "/webhooks", wanted)
    [(headers, body)] = receiver.wait_for(1)
    assert body == raw
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_1", "17")


def test_a_late_event_can_be_told_without_changing_the_order(
    offergrid: Client, receiver: Receiver
) -> None:
    offergrid.steer("PUT", "/webhook", {"url": receiver.url})
    made = offergrid.create(items=[{"status": "completed"}])
    offergrid.move(made["orderId"], status="accepted", at="2026-01-01T00:00:00Z", store=False)
    [(_, body)] = receiver.wait_for(1)
    assert json.loads(body)["timestamp"] == "2026-01-01T00:00:00.000Z"
    kept = offergrid.get(f"/reseller/orders/{made['orderId']}")
    assert kept["items"][0]["status"] == "completed"
