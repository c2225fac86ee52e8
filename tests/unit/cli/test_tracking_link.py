"""``milepost orders link``: the link to an order's tracking page."""

import json
from dataclasses import replace

import pytest

from milepost.common.status import Status
from milepost.connections.connection import TrackingPage
from milepost.orders.order import OrderKey
from milepost.tracking_page.link import read_token
from tests.builders import OFFERGRID, report
from tests.stack import aws
from tests.unit.cli.conftest import Deployed

ITEM = OrderKey(OFFERGRID.id, "ord-1", "item-1")
KEY = "a key of sixty-four characters"


@pytest.fixture(autouse=True)
def _order(deployed: Deployed) -> None:
    deployed.stack.apply(replace(OFFERGRID, tracking=TrackingPage()))
    deployed.keep(report(Status.ACCEPTED, key=ITEM, reference="PP-1"))
    secret = deployed.stack.resources["UnsubscribeSecret"]
    aws("secretsmanager").put_secret_value(SecretId=secret, SecretString=KEY)


def test_the_link_is_below_the_apis_address_and_revoking_gives_another(deployed: Deployed) -> None:
    first = json.loads(deployed.say("orders", "link", "PP-1", "--json"))
    address, _, token = first["url"].rpartition("/")
    assert address.startswith("https://")
    assert address.endswith("/track")
    link = read_token(token, [KEY.encode()])
    assert (link.key, link.version) == (ITEM, 0)
    said = deployed.say("orders", "link", "PP-1", "--revoke", "--yes")
    later = read_token(said.split()[0].rpartition("/")[2], [KEY.encode()])
    assert later.version > 0


def test_without_a_tracking_page_it_says_what_to_set(deployed: Deployed) -> None:
    deployed.stack.apply(OFFERGRID)
    result = deployed.run("orders", "link", "PP-1")
    assert result.exit_code == 1
    assert "set `tracking` in its settings" in result.stderr
