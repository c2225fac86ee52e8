"""What mails say, in whose words and language: on the deployed stack, as they arrive by SMTP."""

import pytest

from tests.e2e.conftest import CHARGE, HOME, SHOP, Client, status_changed
from tests.e2e.notification_checks import (
    Subscriptions,
    charge_box_event,
    charge_box_order,
    mails_to,
    wait_for_state,
)
from tests.e2e.own_connections import TEXTS, declaration

pytestmark = pytest.mark.e2e

HOSTILE = "<b>Eve</b> {{ 7 * 7 }}\r\nBcc: everybody@example.org"


def test_each_recipient_is_told_in_its_language_with_dates_in_its_time_zone(
    client: Client, subscriptions: Subscriptions
) -> None:
    # Two in the morning UTC is one in the afternoon in Melbourne, where the order is.
    asked = {
        "de-AT": ("Europe/Vienna", "Dienstag, 12. März 2030, 03:00 Uhr (MEZ)"),
        "da": ("Australia/Melbourne", "tirsdag den 12. marts 2030 kl. 13.00 (lokal tid i Mel"),
        "pt-BR": ("Asia/Tokyo", "Tuesday, 12 March 2030 at 11:00"),
    }
    readers = {
        language: subscriptions.add(language=language, time_zone=time_zone)
        for language, (time_zone, _) in asked.items()
    }
    order_id = client.new_id("language")
    client.send(HOME, status_changed(order_id, "scheduled"))
    for language, (_, moment) in asked.items():
        address = readers[language].recipient
        wait_for_state(client, order_id, address, "delivered")
        (mail,) = mails_to(client, address)
        assert moment in " ".join(mail["text"].split())


@pytest.mark.thorough
def test_amounts_are_written_in_the_recipients_language(
    client: Client, subscriptions: Subscriptions
) -> None:
    german = subscriptions.add(language="de", connections=frozenset({"subs-grid"}))
    invoice = {
        "id": "inv-1",
        "kind": "connection_fee",
        "amount": "1250.50",
        "currency": "GHS",
        "paid": False,
    }
    order = client.steer("subs-grid", "orders", {})
    move = {"status": "Contract Generated", "set": {"invoices": [invoice]}}
    client.steer("subs-grid", f"orders/{order['id']}/move", move)
    wait_for_state(client, order["id"], german.recipient, "delivered", "subs-grid")
    (mail,) = mails_to(client, german.recipient)
    assert "1.250,50 GHS" in mail["text"]


def test_the_customer_reads_the_connections_language(client: Client) -> None:
    address = f"{client.new_id('customer')}@example.dk"
    order = charge_box_order(client, "Scheduled", customer={"name": "Freja Holm", "email": address})
    client.send(CHARGE, charge_box_event(order))
    wait_for_state(client, order["id"], address, "delivered", CHARGE)
    (mail,) = mails_to(client, address)
    assert mail["subject"].startswith(f"Din ordre {order['order_number']}: aktivering")
    assert "Freja" in mail["text"]
    assert "tirsdag den 12. marts 2030 kl. 03.00 (CET)" in mail["text"]
    assert "Med venlig hilsen\nExample Charging ApS\n" in mail["text"]
    assert "CVR 12345678" in mail["text"]
    assert mail["from"].startswith("Example Charging ApS <")
    assert mail["headers"]["Reply-To"] == "ask@example.dk"


@pytest.mark.thorough
def test_a_connections_own_text_is_used_once_it_is_applied(
    client: Client, subscriptions: Subscriptions
) -> None:
    german = subscriptions.add(language="de", connections=frozenset({SHOP}))
    english = subscriptions.add(language="en", connections=frozenset({SHOP}))
    order_id = client.new_id("own-text")
    client.send(SHOP, status_changed(order_id, "cancelled"))
    for one in (german, english):
        wait_for_state(client, order_id, one.recipient, "delivered", SHOP)
    assert mails_to(client, german.recipient)[0]["subject"] == (
        f"Der Laden meldet: storniert, {order_id}"
    )
    assert mails_to(client, english.recipient)[0]["subject"].startswith("Cancelled")


@pytest.mark.thorough
def test_a_broken_text_is_refused_with_its_line(client: Client) -> None:
    done = client.apply(declaration(client.connections, broken=True), TEXTS)
    assert done.returncode != 0
    assert "broken.en.j2:2: connections[0] (offergrid-shop)" in done.stdout + done.stderr
    assert "'whoo' is undefined" in done.stdout + done.stderr


def test_hostile_notes_come_out_as_inert_text(client: Client) -> None:
    order_id = client.new_id()
    notes = "<script>alert(1)</script> {{ 7 * 7 }}\r\nBcc: everybody@example.org"
    client.send(HOME, status_changed(order_id, "rejected", notes=notes))
    client.wait_for_told(order_id, ["rejected"])
    (mail,) = client.mails(order_id)
    assert "<script>" not in mail["html"]
    assert "{{ 7 * 7 }}" in mail["text"]
    assert mail["to"] == ["kim@example.org"]
    assert "Bcc" not in mail["headers"]


@pytest.mark.thorough
def test_a_hostile_name_stays_inert_in_subject_html_and_headers(
    client: Client, subscriptions: Subscriptions
) -> None:
    team = subscriptions.add(connections=frozenset({CHARGE}))
    address = f"{client.new_id('customer')}@example.dk"
    order = charge_box_order(client, "Scheduled", customer={"name": HOSTILE, "email": address})
    client.send(CHARGE, charge_box_event(order))
    for recipient in (team.recipient, address):
        wait_for_state(client, order["id"], recipient, "delivered", CHARGE)
        (mail,) = mails_to(client, recipient)
        assert mail["to"] == [recipient]
        assert "Bcc" not in mail["headers"]
        assert "<b>Eve" not in mail["html"]
        assert "49" not in mail["subject"]
    assert "{{ 7 * 7 }}" in mails_to(client, team.recipient)[0]["text"]
