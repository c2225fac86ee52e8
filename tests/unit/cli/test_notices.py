"""``milepost notices``: the log that answers, a mail sent again, one previewed, digests sent."""

import csv
import io
import json
from dataclasses import replace

import pytest

from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.chat.addresses import webhook_name
from milepost.notifications.notice import Audience, Channel, State
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import order_item
from milepost.orders.order import Kind, OrderKey
from tests.builders import KEY, OFFERGRID, RABOT, minute, notice, report, tracked
from tests.stack import aws
from tests.unit.cli.conftest import Deployed
from tests.unit.cli.notice_log import CUSTOMER, OFF, TEAM, enter, keep_order, listed, one_line

pytestmark = pytest.mark.thorough
OTHER_ITEM = replace(TEAM, key=OrderKey(KEY.connection, KEY.order_id, "item-7c1e20-2"))


@pytest.fixture
def log(deployed: Deployed) -> NoticesTable:
    return NoticesTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])


def test_the_list_says_of_each_notice_why_it_was_or_was_not_sent(
    deployed: Deployed, log: NoticesTable
) -> None:
    keep_order(deployed)
    enter(log, TEAM)
    log.mark_sent(TEAM, message_id="m-1", at=minute(2))
    enter(log, CUSTOMER, OFF)

    result = deployed.run("notices", "list", KEY.order_id)

    lines = result.stdout.splitlines()
    assert lines[0].split() == ["when", "kind", "audience", "channel", "state"]
    assert "2026-03-02 12:02  accepted     team      email    sent" in lines
    assert "    sales@example.org" in lines
    assert "2026-03-02 12:01  accepted     customer  email    skipped" in lines
    assert f"    charlotte.nguyen@example.com: {OFF}" in lines


def test_an_order_is_found_under_whichever_connection_has_it(
    deployed: Deployed, log: NoticesTable
) -> None:
    keep_order(deployed)
    enter(log, TEAM)

    assert [one["id"] for one in listed(deployed, KEY.order_id)] == [TEAM.id]
    found = listed(deployed, KEY.order_id, "--connection", KEY.connection)
    assert [one["id"] for one in found] == [TEAM.id]
    elsewhere = deployed.run("notices", "list", KEY.order_id, "--connection", RABOT.id)
    assert elsewhere.exit_code == 1


def test_an_item_of_an_order_is_told_apart_from_the_others(
    deployed: Deployed, log: NoticesTable
) -> None:
    keep_order(deployed)
    other = tracked(report(Status.ACCEPTED, key=OTHER_ITEM.key), version=1)
    item = order_item(other, connection=OFFERGRID, new=())
    aws("dynamodb").put_item(TableName=deployed.stack.resources["OrdersTable"], Item=to_item(item))
    enter(log, TEAM)
    enter(log, OTHER_ITEM)

    assert len(listed(deployed, KEY.order_id)) == 2
    assert [one["id"] for one in listed(deployed, str(OTHER_ITEM.key))] == [OTHER_ITEM.id]


def test_the_query_of_an_endpoint_is_not_shown(deployed: Deployed, log: NoticesTable) -> None:
    keep_order(deployed)
    called = notice(recipient="https://crm.example.com/hooks?token=t0ps3cret")
    enter(log, replace(called, channel=Channel.HTTPS))

    (found,) = listed(deployed, KEY.order_id)
    shown = deployed.run("notices", "list", KEY.order_id).stdout

    assert found["recipient"] == "https://crm.example.com/hooks"
    assert "t0ps3cret" not in shown


def test_an_order_of_which_nothing_was_announced_is_said(deployed: Deployed) -> None:
    keep_order(deployed)

    assert f"The log has no notice of {KEY.order_id};" in deployed.say(
        "notices", "list", KEY.order_id
    )


@pytest.mark.parametrize("name", ["ord-unheard-of", "a:b:c", f"{KEY.connection}:nope", "x@y.org"])
def test_an_unknown_order_is_an_error_and_no_empty_list(deployed: Deployed, name: str) -> None:
    result = deployed.run("notices", "list", name)

    assert result.exit_code == 1
    assert f"There is no order {name}" in result.output


@pytest.mark.parametrize("separator", [":", "/"])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_an_order_is_named_in_every_spelling_that_is_printed(
    deployed: Deployed, log: NoticesTable, separator: str, parts: int
) -> None:
    keep_order(deployed)
    enter(log, TEAM)
    whole = (KEY.connection, KEY.order_id, KEY.item_id)
    name = separator.join(whole[:parts]) if parts > 1 else KEY.order_id

    assert [one["id"] for one in listed(deployed, name)] == [TEAM.id]


def test_the_log_is_printed_as_csv(deployed: Deployed, log: NoticesTable) -> None:
    keep_order(deployed)
    enter(log, CUSTOMER, OFF)

    said = deployed.say("notices", "list", KEY.order_id, "--csv")

    row = next(csv.DictReader(io.StringIO(said)))
    assert row["order"] == KEY.path_id
    assert (row["state"], row["recipient"]) == ("skipped", "charlotte.nguyen@example.com")
    assert row["reason"] == OFF


def test_the_notices_of_all_orders_of_a_customer_are_found_by_their_email(
    deployed: Deployed, log: NoticesTable
) -> None:
    customer = {"email": CUSTOMER.recipient}
    deployed.keep(report(Status.ACCEPTED, 1, key=KEY, reference="PP-1", customer=customer))
    enter(log, TEAM)
    enter(log, CUSTOMER, OFF)
    found = listed(deployed, CUSTOMER.recipient.upper())
    assert {one["state"] for one in found} == {State.QUEUED, State.SKIPPED}
    assert deployed.run("notices", "list", "nobody@example.org").exit_code == 1


def test_notices_of_every_order_are_one_list_with_its_filters(
    deployed: Deployed, log: NoticesTable
) -> None:
    enter(log, TEAM)
    enter(log, replace(CUSTOMER, key=OTHER_ITEM.key), OFF)

    said = deployed.say("notices", "list", "--undelivered")
    assert one_line(said).count(OFF) == 1
    assert "sales@example.org" not in said
    found = deployed.tell("notices", "list", "--to", "SALES@example.org")
    assert [one["recipient"] for one in found["notices"]] == ["sales@example.org"]
    rows = deployed.say("notices", "list", "--connection", KEY.connection, "--csv").splitlines()
    assert len(rows) == 3
    assert "no such notice" in deployed.say("notices", "list", "--state", "bounced")


def test_a_suppressed_address_is_listed_and_lifted(deployed: Deployed) -> None:
    kept = SuppressionsTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])
    kept.suppress("sales@example.org", reason="bounced on 2026-03-01", at=minute(0))

    assert "bounced on 2026-03-01" in deployed.say("suppressions", "list")
    assert "Sales@example.org gets mails again" in deployed.say(
        "suppressions", "lift", "Sales@example.org", "--yes"
    )
    assert "No address" in deployed.say("suppressions", "list")
    assert deployed.run("suppressions", "lift", "sales@example.org", "--yes").exit_code == 1


def test_why_somebody_got_the_notices_of_an_order_or_did_not(
    deployed: Deployed, log: NoticesTable
) -> None:
    keep_order(deployed)
    enter(log, CUSTOMER, OFF)
    customer = CUSTOMER.recipient.upper()
    table = SubscriptionsTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])
    url = "https://hooks.slack.com/services/T0/B0/s3cret"
    ended = Subscription(
        id="chat",
        channel=Channel.SLACK,
        recipient=webhook_name(url),
        kinds=frozenset({Kind.REJECTED}),
    )
    table.put(ended)

    [asked] = deployed.tell("notices", "explain", KEY.order_id, "--to", customer)["announcements"]
    assert (asked["kind"], asked["notice"]["state"]) == ("accepted", "skipped")
    assert asked["why"].endswith(OFF)
    for name in ("chat", ended.recipient, url):
        said = deployed.tell("notices", "explain", KEY.order_id, "--to", name)
        [asked] = said["announcements"]
        assert asked["notice"] is None
        assert asked["why"] == "Subscription chat: It does not ask for “accepted”."
        assert "s3cret" not in json.dumps(said)
    assert "It is still to be published." in one_line(
        deployed.say("notices", "explain", KEY.order_id, "--to", "topic")
    )


def test_what_stops_further_notices_is_said_beside_those_of_the_order(
    deployed: Deployed, log: NoticesTable
) -> None:
    keep_order(deployed)
    enter(log, TEAM)
    name = deployed.stack.resources["NoticesTable"]
    SuppressionsTable(aws("dynamodb"), table_name=name).suppress(
        TEAM.recipient, reason="hard bounce", at=minute(3), audience=Audience.TEAM
    )

    shown = one_line(deployed.say("notices", "explain", KEY.order_id, "--to", TEAM.recipient))

    assert f"{TEAM.recipient} (team), 2026-03-02 12:01: waits to be sent" in shown
    assert "No mail for the team goes to this address: hard bounce" in shown
    assert deployed.run("notices", "explain", KEY.order_id, "--to", " ").exit_code == 2
