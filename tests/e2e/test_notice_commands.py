"""``milepost notices`` on the deployed stack: the log, a mail sent again, a mail tried first."""

import json
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.e2e.conftest import HOME, SHOP, Client, status_changed
from tests.e2e.notification_checks import Subscriptions, mails_to, wait_for_state

pytestmark = pytest.mark.e2e


def notices(client: Client, *arguments: str) -> CompletedProcess[str]:
    done = client.run("notices", *arguments, "--stack", client.stack.stack_name)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def listed(client: Client, order_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(notices(client, "list", order_id, "--json").stdout)
    return found


@pytest.mark.thorough
def test_a_mail_is_sent_again_and_the_log_names_the_old_one_and_who_asked(
    client: Client, subscriptions: Subscriptions
) -> None:
    subscriber = subscriptions.add()
    order_id = client.new_id("again")
    client.send(HOME, status_changed(order_id, "accepted"))
    wait_for_state(client, order_id, subscriber.recipient, "delivered")
    (first,) = [e for e in listed(client, order_id) if e.get("recipient") == subscriber.recipient]
    notices(client, "resend", first["id"], "--by", "Kim")
    again = wait_for_state(client, order_id, subscriber.recipient, "delivered")
    assert (again["resend_of"], again["requested_by"]) == (first["id"], "Kim")
    assert len(mails_to(client, subscriber.recipient)) == 2


@pytest.mark.thorough
def test_a_mail_goes_to_another_address_in_the_name_of_whose_key_it_was(
    client: Client, subscriptions: Subscriptions
) -> None:
    subscriber = subscriptions.add()
    order_id, other = client.new_id("again"), f"{client.new_id('other')}@example.org"
    client.send(HOME, status_changed(order_id, "accepted"))
    wait_for_state(client, order_id, subscriber.recipient, "delivered")
    (first,) = [e for e in listed(client, order_id) if e.get("recipient") == subscriber.recipient]
    sent = notices(client, "resend", first["id"], "--to", other).stdout.strip()
    entry = wait_for_state(client, order_id, other, "delivered")
    assert (entry["id"], entry["resend_of"]) == (sent, first["id"])
    assert entry["requested_by"]
    (mail,) = mails_to(client, other)
    # The first one's subscription is not the other's to end.
    assert "List-Unsubscribe" not in mail["headers"]


@pytest.mark.thorough
def test_the_list_says_of_each_notice_what_became_of_it(client: Client) -> None:
    order_id = client.new_id("listed")
    client.send(HOME, status_changed(order_id, "accepted"))
    wait_for_state(client, order_id, "kim@example.org", "delivered")
    said = notices(client, "list", order_id).stdout
    assert "kim@example.org" in said
    assert "delivered" in said
    assert f"customer notices of kind accepted are off for {HOME}" in " ".join(said.split())


@pytest.mark.thorough
def test_a_preview_shows_the_connections_own_text(client: Client) -> None:
    asked = ("preview", "cancelled", "--connection", SHOP, "--language", "de")
    assert "Der Laden meldet: storniert" in notices(client, *asked).stdout
