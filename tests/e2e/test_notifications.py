"""The right message to the right person, at the right time: on the deployed stack."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from milepost.notifications.notice import DEFAULT_KINDS, Audience
from milepost.notifications.subscription import Mode, QuietHours
from tests.e2e.conftest import CHARGE, HOME, SHOP, Client, status_changed, wait_for
from tests.e2e.notification_checks import (
    Subscriptions,
    announced_to,
    charge_box_event,
    charge_box_order,
    entry_for,
    log_of,
    mails_to,
    release,
    subscribe_queue,
    wait_for_state,
)

pytestmark = pytest.mark.e2e


def test_an_hourly_subscriber_gets_one_digest_of_all_that_happened(
    client: Client, subscriptions: Subscriptions
) -> None:
    hourly = subscriptions.add(mode=Mode.HOURLY)
    orders = [client.new_id() for _ in range(3)]
    for order_id in orders:
        client.send(HOME, status_changed(order_id, "accepted"))
    for order_id in orders:
        assert "due_at" in wait_for_state(client, order_id, hourly.recipient, "queued")
    assert mails_to(client, hourly.recipient) == []
    release(client, hours=2)
    for order_id in orders:
        wait_for_state(client, order_id, hourly.recipient, "delivered")
    (digest,) = mails_to(client, hourly.recipient)
    assert all(order_id in digest["text"] for order_id in orders)


@pytest.mark.thorough
def test_a_daily_subscriber_gets_one_digest_at_the_time_it_asked_for(
    client: Client, subscriptions: Subscriptions
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=5)
    daily = subscriptions.add(mode=Mode.DAILY, daily_at=soon.time(), time_zone="UTC")
    orders = [client.new_id("daily") for _ in range(2)]
    for order_id in orders:
        client.send(HOME, status_changed(order_id, "accepted"))
    for order_id in orders:
        entry = wait_for_state(client, order_id, daily.recipient, "queued")
        assert entry["due_at"] == f"{soon:%Y-%m-%dT%H:%M}:00Z"
    release(client, hours=4)
    client.settle()
    assert mails_to(client, daily.recipient) == []
    release(client, hours=5)
    for order_id in orders:
        wait_for_state(client, order_id, daily.recipient, "delivered")
    (digest,) = mails_to(client, daily.recipient)
    assert all(order_id in digest["text"] for order_id in orders)


@pytest.mark.thorough
def test_quiet_hours_hold_what_can_wait_and_let_a_rejection_pass(
    client: Client, subscriptions: Subscriptions
) -> None:
    now = datetime.now(UTC)
    quiet = subscriptions.add(
        time_zone="UTC",
        quiet_hours=QuietHours(
            start=(now - timedelta(hours=1)).time().replace(microsecond=0),
            end=(now + timedelta(hours=3)).time().replace(microsecond=0),
            passing=frozenset({"rejected"}),
        ),
    )
    waiting, urgent = client.new_id("waiting"), client.new_id("urgent")
    client.send(HOME, status_changed(waiting, "accepted"))
    client.send(HOME, status_changed(urgent, "rejected", notes="No coverage at this address"))
    wait_for_state(client, urgent, quiet.recipient, "delivered")
    assert wait_for_state(client, waiting, quiet.recipient, "queued")["due_at"]
    release(client, hours=4)
    wait_for_state(client, waiting, quiet.recipient, "delivered")
    assert len(mails_to(client, quiet.recipient)) == 2


@pytest.mark.thorough
def test_a_storm_becomes_a_few_mails_and_one_digest(
    client: Client, subscriptions: Subscriptions
) -> None:
    stormy = subscriptions.add(connections=frozenset({SHOP}))
    orders = [client.new_id("storm") for _ in range(9)]
    for order_id in orders:
        client.send(SHOP, status_changed(order_id, "accepted"))
    for order_id in orders:
        wait_for(lambda o=order_id: entry_for(client, o, stormy.recipient, SHOP), what=order_id)
    release(client, hours=2)
    for order_id in orders:
        wait_for_state(client, order_id, stormy.recipient, "delivered", SHOP)
    mails = mails_to(client, stormy.recipient)
    assert len(mails) == 4
    assert sum(order_id in mail["text"] for mail in mails for order_id in orders) == 9


@pytest.mark.thorough
def test_a_subscriber_is_told_of_its_connections_and_service_types_alone(
    client: Client, subscriptions: Subscriptions
) -> None:
    of_shop = subscriptions.add(connections=frozenset({SHOP}))
    of_charging = subscriptions.add(service_types=frozenset({"ev_charging"}))
    of_all = subscriptions.add()
    order_id = client.new_id("filtered")
    client.send(HOME, status_changed(order_id, "accepted"))
    client.send(SHOP, status_changed(order_id, "accepted"))
    charging = charge_box_order(client, "Scheduled")
    client.send(CHARGE, charge_box_event(charging))
    for connection, name in ((HOME, order_id), (SHOP, order_id), (CHARGE, charging["id"])):
        wait_for_state(client, name, of_all.recipient, "delivered", connection)
    wait_for_state(client, order_id, of_shop.recipient, "delivered", SHOP)
    wait_for_state(client, charging["id"], of_charging.recipient, "delivered", CHARGE)
    assert len(mails_to(client, of_shop.recipient)) == 1
    assert len(mails_to(client, of_charging.recipient)) == 1
    assert len(mails_to(client, of_all.recipient)) == 3


def test_the_customer_gets_a_mail_where_the_connection_says_so(client: Client) -> None:
    address = f"{client.new_id('customer')}@example.dk"
    order = charge_box_order(client, "Scheduled", customer={"name": "Freja Holm", "email": address})
    client.send(CHARGE, charge_box_event(order))
    wait_for_state(client, order["id"], address, "delivered", CHARGE)
    client.send(CHARGE, charge_box_event({**order, "status": "Fulfilled"}))
    off = wait_for_state(client, order["id"], address, "skipped", CHARGE)
    assert off["reason"] == f"customer notices of kind completed are off for {CHARGE}"
    (mail,) = mails_to(client, address)
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_log_says_why_a_customer_was_not_told(client: Client) -> None:
    own = client.new_id("customer")
    for minute, status in enumerate(("accepted", "completed")):
        at = datetime.now(UTC) - timedelta(minutes=10 - minute)
        client.send(SHOP, status_changed(own, status, at=at))
        client.wait_for_status(SHOP, own, "item-1", status)

    def explained() -> bool:
        reasons = {
            entry["kind"]: entry.get("reason")
            for entry in log_of(client, own, SHOP)
            if entry["audience"] == Audience.CUSTOMER
        }
        return reasons == {
            "accepted": f"customer notices of kind accepted are off for {SHOP}",
            "completed": "waits for contact data: the order is being fetched",
        }

    wait_for(explained, what="the log to say why the customer was not told")


@pytest.mark.thorough
def test_sns_subscribers_get_what_their_filter_policies_ask_for(client: Client) -> None:
    of_shop = subscribe_queue(client, {"connection": [SHOP]})
    of_rejected = subscribe_queue(client, {"kind": ["rejected"]})
    order_id = client.new_id("filtered")
    client.send(HOME, status_changed(order_id, "accepted"))
    client.send(SHOP, status_changed(order_id, "rejected"))
    client.send(SHOP, status_changed(client.new_id(), "accepted"))
    client.settle()
    # Two orders: which of them is announced first is up to chance.
    told = sorted((m["connection"], m["kind"]) for m in announced_to(client, of_shop))
    assert told == [
        (SHOP, "accepted"),
        (SHOP, "rejected"),
    ]
    assert [m["order_id"] for m in announced_to(client, of_rejected)] == [order_id]


def test_the_log_says_of_every_notice_what_became_of_it(client: Client) -> None:
    order_id = client.new_id()
    client.send(HOME, status_changed(order_id, "accepted"))
    client.wait_for_told(order_id, ["accepted"])
    wait_for_state(client, order_id, "kim@example.org", "delivered")
    said = {(e["channel"], e["audience"]): e["state"] for e in log_of(client, order_id)}
    assert said == {
        ("email", "team"): "delivered",
        ("sns", "team"): "sent",
        ("email", "customer"): "skipped",
    }


@pytest.mark.thorough
def test_the_log_answers_for_every_order_why_each_notice_was_or_was_not_sent(
    client: Client,
) -> None:
    client.settle()
    release(client, hours=2)
    for item in client.stored_orders():
        key = {
            "order_id": item["order_id"]["S"],
            "connection": item["connection"]["S"],
            "item_id": item["item_id"]["S"],
        }
        for said in item.get("announced", {}).get("L", []):
            kind = said["M"]["kind"]["S"]
            wait_for(lambda k=key, n=kind: is_answered(client, k, n), what=f"{kind} of {key}")


def is_answered(client: Client, key: dict[str, str], kind: str) -> bool:
    """Whether topic, team and customer have each an entry that says what became of it.

    Mails of the unusual kinds go to who names them, which is nobody here.
    """
    entries = [e for e in log_of(client, **key) if e["kind"] == kind]
    said = {(e["channel"], e["audience"]) for e in entries if is_settled(e)}
    by_mail = {("email", "team"), ("email", "customer")} if kind in DEFAULT_KINDS else set()
    return said >= {("sns", "team"), *by_mail}


def is_settled(entry: dict[str, Any]) -> bool:
    return entry["state"] in ("sent", "delivered") or bool(entry.get("reason"))
