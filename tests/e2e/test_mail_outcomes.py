"""Bounces, complaints and unsubscribing: on the deployed stack, by SES's events and real links."""

import pytest
from botocore.exceptions import ClientError

from local.deployment import SENDER
from tests.e2e.conftest import HOME, Client, status_changed
from tests.e2e.notification_checks import (
    Subscriptions,
    mails_to,
    release,
    wait_for_attempts,
    wait_for_state,
)

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]

SIMULATOR = "simulator.amazonses.com"


def test_a_hard_bounce_suppresses_the_address_and_the_log_says_so(
    client: Client, subscriptions: Subscriptions
) -> None:
    bouncing = subscriptions.add(recipient="bounce+e2e@simulator.amazonses.com")
    first, second = client.new_id(), client.new_id()
    client.send(HOME, status_changed(first, "accepted"))
    wait_for_state(client, first, bouncing.recipient, "bounced")
    client.send(HOME, status_changed(second, "accepted"))
    entry = wait_for_state(client, second, bouncing.recipient, "suppressed")
    assert "bounced" in entry["reason"]


@pytest.mark.thorough
def test_after_a_complaint_nothing_more_is_sent_and_the_log_says_why(
    client: Client, subscriptions: Subscriptions
) -> None:
    complaining = subscriptions.add(recipient=f"complaint+{client.new_id()}@{SIMULATOR}")
    first, second = client.new_id(), client.new_id()
    client.send(HOME, status_changed(first, "accepted"))
    wait_for_state(client, first, complaining.recipient, "complained")
    client.send(HOME, status_changed(second, "accepted"))
    entry = wait_for_state(client, second, complaining.recipient, "suppressed")
    assert entry["reason"].startswith("complained on ")
    assert len(mails_to(client, complaining.recipient)) == 1


@pytest.mark.thorough
def test_a_soft_bounce_is_tried_again_three_times_and_then_given_up(
    client: Client, subscriptions: Subscriptions
) -> None:
    full = subscriptions.add(recipient=f"mailbox-full+{client.new_id()}@{SIMULATOR}")
    order_id = client.new_id("full")
    client.send(HOME, status_changed(order_id, "accepted"))
    for attempts, hours in ((1, 0.2), (2, 1.1), (3, 6.1)):
        entry = wait_for_attempts(client, order_id, full.recipient, attempts)
        assert entry["state"] == "queued"
        assert entry["reason"] == "soft bounce: MailboxFull; it is tried again"
        release(client, hours=hours)
    entry = wait_for_state(client, order_id, full.recipient, "bounced")
    assert entry["reason"] == "soft bounce: MailboxFull; tried 4 times"
    again = client.new_id("full")
    client.send(HOME, status_changed(again, "accepted"))
    # A full mailbox says nothing against the address.
    wait_for_attempts(client, again, full.recipient, 1)


def test_a_mail_reaches_an_internationalised_domain_and_no_other_text_is_ever_delivered(
    client: Client, subscriptions: Subscriptions
) -> None:
    name, order_id = client.new_id("sales"), client.new_id()
    subscriptions.add(recipient=f"{name}@blåbær.example")
    subscriptions.add(recipient=f"{name}ü@example.org")
    client.send(HOME, status_changed(order_id, "accepted"))
    wait_for_state(client, order_id, f"{name}@blåbær.example", "delivered")
    assert len(mails_to(client, f"{name}@xn--blbr-roah.example")) == 1
    entry = wait_for_state(client, order_id, f"{name}ü@example.org", "failed")
    assert "not an email address" in entry["reason"]
    assert mails_to(client, f"{name}ü@example.org") == []


def test_ses_refuses_here_what_it_refuses_on_aws(client: Client) -> None:
    ses = client.stack.access.client("sesv2")
    long = {"Name": "List-Unsubscribe", "Value": "x" * 871}
    simple = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
    for sender, recipient, headers in (
        (SENDER, "sales@müller.example", []),
        (SENDER, "sales@example.org", [long]),
        ("somebody@example.net", "sales@example.org", []),
    ):
        with pytest.raises(ClientError, match=r"BadRequestException|MessageRejected"):
            ses.send_email(
                FromEmailAddress=sender,
                Destination={"ToAddresses": [recipient]},
                Content={"Simple": {**simple, "Headers": headers}},
            )


@pytest.mark.thorough
def test_one_click_in_a_real_mail_ends_the_subscription(
    client: Client, subscriptions: Subscriptions
) -> None:
    leaving = subscriptions.add()
    first, second = client.new_id(), client.new_id()
    client.send(HOME, status_changed(first, "accepted"))
    wait_for_state(client, first, leaving.recipient, "delivered")
    (mail,) = mails_to(client, leaving.recipient)
    link = mail["headers"]["List-Unsubscribe"].strip("<>")
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert client.call("GET", link)[0] == 200
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client.call("POST", link, b"List-Unsubscribe=One-Click", form)[0] == 200
    client.send(HOME, status_changed(second, "accepted"))
    entry = wait_for_state(client, second, leaving.recipient, "skipped")
    assert entry["reason"].startswith("unsubscribed on ")
    assert len(mails_to(client, leaving.recipient)) == 1


@pytest.mark.thorough
def test_a_forged_unsubscribe_link_ends_nothing(client: Client) -> None:
    link = f"{client.stack.api_url}/unsubscribe/1.eyJzIjpbInN1YiJdfQ.AAAA"
    assert client.call("POST", link, b"List-Unsubscribe=One-Click")[0] in (400, 404)
