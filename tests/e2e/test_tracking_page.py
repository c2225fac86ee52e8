"""The tracking page on the deployed stack: from a customer's mail until the link is revoked."""

import re

import pytest

from tests.e2e.conftest import CHARGE, Client
from tests.e2e.notification_checks import (
    charge_box_event,
    charge_box_order,
    mails_to,
    wait_for_state,
)

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]


def test_the_link_in_a_customers_mail_shows_the_order_until_it_is_revoked(client: Client) -> None:
    address = f"{client.new_id('customer')}@example.dk"
    customer = {"name": "Freja Holm", "email": address}
    order = charge_box_order(client, "Scheduled", customer=customer)
    client.send(CHARGE, charge_box_event(order))
    wait_for_state(client, order["id"], address, "delivered", CHARGE)
    (mail,) = mails_to(client, address)
    found = re.search(r"\S+/track/\S+", mail["text"])
    assert found is not None
    link = found[0]
    assert f'href="{link}"' in mail["html"]

    status, page = client.call("GET", link)
    assert (status, b"Hello Freja" in page, b"Example Charging ApS" in page) == (200, True, True)
    for hidden in ("Holm", address, order["order_number"]):
        assert hidden.encode() not in page
    status, page = client.call("GET", f"{link}?lang=da")
    assert (status, b"tirsdag den 12. marts 2030 kl. 03.00" in page) == (200, True)
    status, file = client.call("GET", f"{link}?calendar=1")
    assert (status, b"DTSTART:20300312T020000Z\r\n" in file) == (200, True)
    assert client.call("GET", f"{link[:-3]}AAA")[0] == 404

    stack = client.stack.stack_name
    orders = "orders", "link", order["id"], "--connection", CHARGE, "--stack", stack
    revoked = client.run(*orders, "--revoke", "--yes")
    assert revoked.returncode == 0, revoked.stderr
    assert client.call("GET", link)[0] == 410
    # Of a stack that is given by its name, the command knows the address on AWS.
    token = revoked.stdout.strip().rpartition("/track/")[2]
    assert client.call("GET", f"{link.rpartition('/')[0]}/{token}")[0] == 200
