"""The whole way, on the deployed stack: a provider's change ends in a person's inbox, once."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import HOME, Client, status_changed, wait_for

RABOT = "rabot-energy"
TEAM = "kim@example.org"

pytestmark = pytest.mark.e2e


def test_a_signed_webhook_ends_as_one_message_and_one_mail_at_the_right_address(
    client: Client,
) -> None:
    order_id = client.new_id()
    client.send(HOME, status_changed(order_id, "accepted"))
    client.wait_for_told(order_id, ["accepted"])
    (mail,) = client.mails(order_id)
    assert TEAM in str(mail["to"])
    assert mail["subject"].startswith("Accepted")
    assert "<html" in mail["html"]


def test_all_five_kinds_of_announcement_are_told(client: Client) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    lives = {
        "completed": ["accepted", "scheduled", "in_progress", "completed"],
        "rejected": ["pending", "rejected"],
        "cancelled": ["accepted", "cancelled"],
    }
    told = {
        "completed": ["accepted", "scheduled", "completed"],
        "rejected": ["rejected"],
        "cancelled": ["accepted", "cancelled"],
    }
    orders = {ending: client.new_id(ending) for ending in lives}
    for ending, statuses in lives.items():
        for minute, status in enumerate(statuses):
            at = start + timedelta(minutes=minute)
            client.send(HOME, status_changed(orders[ending], status, at=at))
            client.wait_for_status(HOME, orders[ending], "item-1", status)
    for ending, order_id in orders.items():
        client.wait_for_told(order_id, told[ending])


@pytest.mark.thorough
def test_the_two_events_of_one_change_are_one_notice(client: Client) -> None:
    order_id, at = client.new_id(), datetime.now(UTC)
    client.send(HOME, status_changed(order_id, "rejected", at=at))
    specific = {
        "event": "order.rejected",
        "orderId": order_id,
        "itemId": "item-1",
        "reason": "Service not available at this address",
        "timestamp": at.isoformat(),
    }
    client.send(HOME, specific)
    client.settle()
    client.wait_for_told(order_id, ["rejected"])


def test_a_date_that_follows_its_status_reaches_programs_and_people(client: Client) -> None:
    order_id, at = client.new_id(), datetime.now(UTC)
    client.send(HOME, status_changed(order_id, "scheduled", at=at) | {"scheduledFor": None})
    client.wait_for_status(HOME, order_id, "item-1", "scheduled")
    dated = {
        "event": "order.scheduled",
        "orderId": order_id,
        "itemId": "item-1",
        "scheduledFor": "2030-03-12T02:00:00.000Z",
        "timestamp": at.isoformat(),
    }
    client.send(HOME, dated)

    def is_told() -> bool:
        told = [(one["kind"], one.get("appointment")) for one in client.announcements(order_id)]
        return told == [("scheduled", None), ("rescheduled", "2030-03-12T02:00:00Z")]

    wait_for(is_told, what="the date in the subscriber's queue")
    # One mail says both, unless the date took more than five seconds.
    wait_for(
        lambda: any(
            "12 March 2030" in " ".join(mail["text"].split()) for mail in client.mails(order_id)
        ),
        what="a mail with the date",
    )


def test_a_late_event_takes_its_place_in_history_and_tells_nobody(client: Client) -> None:
    order_id, now = client.new_id(), datetime.now(UTC)
    client.send(HOME, status_changed(order_id, "completed", at=now))
    client.wait_for_told(order_id, ["completed"])
    client.send(HOME, status_changed(order_id, "accepted", at=now - timedelta(days=1)))

    def has_both() -> bool:
        item = client.order(HOME, order_id, "item-1")
        statuses = [entry["M"]["status"]["S"] for entry in (item or {})["timeline"]["L"]]
        return statuses == ["accepted", "completed"]

    wait_for(has_both, what="the late event in its place")
    client.settle()
    client.wait_for_told(order_id, ["completed"])
    item = client.order(HOME, order_id, "item-1")
    assert item is not None
    assert item["status"]["S"] == "completed"
    assert "announce" not in item


def test_a_repeated_event_tells_nobody_again(client: Client) -> None:
    order_id = client.new_id()
    event = status_changed(order_id, "accepted")
    for _ in range(5):
        client.send(HOME, event)
    client.settle()
    client.wait_for_told(order_id, ["accepted"])


@pytest.mark.thorough
def test_an_event_with_another_connections_secret_is_refused_and_leaves_no_trace(
    client: Client,
) -> None:
    order_id = client.new_id()
    forged = "whsec_" + "A" * 44
    client.send(HOME, status_changed(order_id, "accepted"), secret=forged, expect=401)
    client.settle()
    assert client.order(HOME, order_id, "item-1") is None


def test_a_polled_change_ends_as_one_message_and_one_mail(client: Client) -> None:
    created = client.steer(RABOT, "orders", {"state": "Open"})
    order_id = created["contractNumber"]
    assert client.poll(RABOT)["outcome"] == "complete"
    client.wait_for_status(RABOT, order_id, order_id, "pending")
    client.steer(RABOT, f"orders/{order_id}/move", {"status": "Processing"})
    client.poll(RABOT)
    client.wait_for_status(RABOT, order_id, order_id, "submitted")
    client.steer(RABOT, f"orders/{order_id}/move", {"status": "PendingDelivery"})
    client.poll(RABOT)
    # The confirmation comes with its start date: two messages in order, and one mail.
    client.wait_for_told(order_id, ["accepted", "scheduled"], mails=1)
    (mail,) = client.mails(order_id)
    assert mail["subject"].startswith("Accepted, scheduled for ")
    assert "has accepted the order" in " ".join(mail["text"].split())


def test_a_failed_installation_that_is_rescheduled_is_told_as_correction_and_date(
    client: Client,
) -> None:
    order_id, start = client.new_id(), datetime.now(UTC) - timedelta(hours=1)
    for minute, status in enumerate(["accepted", "scheduled", "failed", "scheduled"]):
        changed = status_changed(order_id, status, at=start + timedelta(minutes=minute))
        date = {"scheduledFor": f"2030-03-1{minute}T02:00:00.000Z"} if status == "scheduled" else {}
        client.send(HOME, {**changed, **date})
        client.wait_for_status(HOME, order_id, "item-1", status)

    # Failures are sent to who asks for them; the correction is said by the mail about the date.
    kinds = ["accepted", "scheduled", "correction", "scheduled"]
    client.wait_for_told(order_id, kinds, mails=3)
    corrected = [one for one in client.mails(order_id) if one["subject"].startswith("Corrected")]
    (mail,) = corrected
    assert mail["subject"].startswith("Corrected, scheduled for ")
    assert "has withdrawn an earlier decision (failed)" in " ".join(mail["text"].split())


def test_a_change_told_by_webhook_and_by_poll_is_told_once(client: Client) -> None:
    created = client.steer(HOME, "orders", {})
    order_id = created["orderId"]
    item_id = created["items"][0]["itemId"]
    client.steer(HOME, f"orders/{order_id}/move", {"itemId": item_id, "status": "accepted"})
    client.wait_for_status(HOME, order_id, item_id, "accepted")
    assert client.poll(HOME)["outcome"] == "complete"
    client.settle()
    kinds = [one["kind"] for one in client.announcements(order_id) if one["item_id"] == item_id]
    assert kinds == ["accepted"]


def test_what_cannot_be_read_is_kept_byte_for_byte(client: Client) -> None:
    body = b'{"event": "order.status_changed", "orderId": NaN}'
    client.send(HOME, body)
    s3, bucket = client.stack.client("s3"), client.stack.outputs["QuarantineBucket"]

    def kept() -> bool:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"quarantine/{HOME}/")
        keys = [one["Key"] for one in listed.get("Contents", [])]
        return any(s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body for key in keys)

    wait_for(kept, what="the payload in the quarantine")
