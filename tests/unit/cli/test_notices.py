"""``milepost notices``: the log that answers, a mail sent again, one previewed, digests sent."""

import csv
import getpass
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from cli.stack import Stack
from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.connections.connection import SenderIdentity
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held import HoldsTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.chat.addresses import webhook_name
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.notifications.mail.rendering.languages import words_of
from milepost.notifications.notice import Audience, Channel, Notice, State
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import DigestReason, Subscription
from milepost.orders.aws.table import order_item
from milepost.orders.order import Kind, OrderKey
from tests.builders import KEY, OFFERGRID, RABOT, announcement, minute, notice, report, tracked
from tests.stack import aws
from tests.unit.cli.conftest import Deployed

pytestmark = pytest.mark.thorough

TEAM = notice(Kind.ACCEPTED)
CUSTOMER = notice(
    Kind.ACCEPTED, recipient="charlotte.nguyen@example.com", audience=Audience.CUSTOMER
)
OFF = f"customer notices of kind accepted are off for {OFFERGRID.id}"
OTHER_ITEM = replace(TEAM, key=OrderKey(KEY.connection, KEY.order_id, "item-7c1e20-2"))
OWN = """{% extends layout %}
{% block subject %}Our own: {{ reference }}{% endblock %}
{% block lead %}All is well.{% endblock %}
"""


@pytest.fixture
def log(deployed: Deployed) -> NoticesTable:
    return NoticesTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])


def enter(log: NoticesTable, one: Notice, skipped: str | None = None) -> None:
    log.enter(Choice(notice=one, skipped=skipped), at=minute(1))


def keep_order(deployed: Deployed) -> None:
    order = tracked(report(Status.ACCEPTED), announced=(announcement(Kind.ACCEPTED),), version=1)
    item = order_item(order, connection=OFFERGRID, new=())
    aws("dynamodb").put_item(TableName=deployed.stack.resources["OrdersTable"], Item=to_item(item))


def one_line(text: str) -> str:
    return " ".join(text.split())


def listed(deployed: Deployed, *arguments: str) -> list[dict[str, Any]]:
    result = deployed.run("notices", "list", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


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


def test_a_mail_is_resent_to_another_address_and_the_log_says_who_asked(
    deployed: Deployed, log: NoticesTable
) -> None:
    keep_order(deployed)
    enter(log, CUSTOMER, OFF)

    asked = ("notices", "resend", CUSTOMER.id, "--to", "new@example.org", "--by", "Kim")
    refused = deployed.run(*asked)
    result = deployed.run(*asked, "--force")

    assert refused.exit_code == 2
    assert f"Not sent: {OFF}. To send it anyway, use --force." in one_line(refused.output)
    assert result.exit_code == 0, result.output
    (queued,) = deployed.stack.messages("EmailQueue")
    assert (queued["recipient"], queued["audience"], queued["copy"]) == (
        "new@example.org",
        "customer",
        1,
    )
    (new,) = [one for one in listed(deployed, KEY.order_id) if one["id"] == result.stdout.strip()]
    assert (new["resend_of"], new["requested_by"]) == (CUSTOMER.id, "Kim")
    assert new["state"] == State.QUEUED


def test_resent_again_with_the_same_key_it_is_still_one_mail(
    deployed: Deployed, log: NoticesTable
) -> None:
    keep_order(deployed)
    enter(log, TEAM)

    printed = {
        deployed.run("notices", "resend", TEAM.id, "--key", key).stdout
        for key in ("monday", "monday", "tuesday")
    }

    assert len(printed) == 2
    assert {one["copy"] for one in deployed.stack.messages("EmailQueue")} == {1, 2}


def test_a_key_that_was_used_for_another_address_is_refused(
    deployed: Deployed, log: NoticesTable
) -> None:
    keep_order(deployed)
    enter(log, TEAM)
    asked = ("notices", "resend", TEAM.id, "--key", "monday")

    deployed.run(*asked)
    result = deployed.run(*asked, "--to", "new@example.org")

    assert result.exit_code == 2
    assert "was used for another request: take a new one" in one_line(result.output)
    assert len(deployed.stack.messages("EmailQueue")) == 1


def test_without_a_name_the_log_says_the_caller_s_identity(
    deployed: Deployed, log: NoticesTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_order(deployed)
    enter(log, TEAM)
    arn = aws("sts").get_caller_identity()["Arn"]

    deployed.run("notices", "resend", TEAM.id)
    monkeypatch.setattr("cli.stack.Stack.client", _without("sts"))
    deployed.run("notices", "resend", TEAM.id)

    asked = [one["requested_by"] for one in listed(deployed, KEY.order_id)[1:]]
    assert asked == [arn.rpartition(":")[2], getpass.getuser()]


@pytest.mark.parametrize(
    ("identity", "code", "said"),
    [
        ("ord-1", 2, "a notice's id looks like connection/order/item/1/email"),
        (TEAM.id, 1, "`milepost notices list` names those of an order"),
        (replace(TEAM, channel=Channel.SNS).id, 1, "only mails can"),
    ],
)
def test_what_can_not_be_resent_is_said(
    deployed: Deployed, identity: str, code: int, said: str
) -> None:
    result = deployed.run("notices", "resend", identity)

    assert result.exit_code == code
    assert said in result.output
    assert deployed.stack.messages("EmailQueue") == []


def test_a_preview_has_the_connection_s_language_and_writes_html(
    deployed: Deployed, tmp_path: Path
) -> None:
    page = tmp_path / "mail.html"

    result = deployed.run(
        *("notices", "preview", "rejected", "--connection", RABOT.id),
        *("--language", "de", "--audience", "customer", "--html", str(page), "--text"),
    )

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Subject: [Muster] ")
    assert "DIES IST EIN MUSTER" in result.stdout
    assert '<html lang="de"' in page.read_text()


@pytest.mark.parametrize("reason", list(DigestReason))
def test_a_digest_is_previewed_with_the_heading_of_its_reason(
    deployed: Deployed, reason: DigestReason
) -> None:
    sender = SenderIdentity(company="Example GmbH", reply_to="ask@example.org")
    deployed.stack.apply(replace(RABOT, sender=sender))

    said = deployed.say(
        *("notices", "preview", "digest", "--connection", RABOT.id, "--reason", str(reason)),
        *("--language", "de"),
    )

    assert said.startswith("Subject: [Muster] 11 neue Meldungen: 1 abgelehnt, ")
    assert "\nFrom: Example GmbH\nReply-To: ask@example.org\n" in said
    assert f"\n{words_of('de')['digest'][reason]}\n" in said


def test_a_text_of_the_connection_s_own_is_previewed_and_sent(deployed: Deployed) -> None:
    table = OverridesTable(
        aws("dynamodb"),
        table_name=deployed.stack.resources["NoticesTable"],
        clock=iter(range(10)).__next__,
    )
    table.put(OFFERGRID.id, ("accepted", "team", "en"), OWN)

    shown = deployed.run("notices", "preview", "accepted", "--connection", OFFERGRID.id)
    other = deployed.run("notices", "preview", "accepted", "--connection", RABOT.id)
    renderer = deployed.stack.load("send_notice").sender.renderer
    sent = renderer.render(TEAM, tracked(report(Status.ACCEPTED, reference="PP-20417")))

    assert shown.stdout.startswith("Subject: [Sample] Our own: SAMPLE-20417\n\n")
    assert "Our own" not in other.stdout
    assert sent.subject == "Our own: PP-20417"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("accepted", "--connection", "nowhere"),
            "there are: offergrid-business, offergrid-home, rabot-energy",
        ),
        (
            ("overdue", "--connection", OFFERGRID.id, "--audience", "customer"),
            "no mail of kind overdue for the customer",
        ),
        (("acepted", "--connection", OFFERGRID.id), "acepted"),
    ],
)
def test_what_has_no_preview_is_wrong_use(
    deployed: Deployed, arguments: tuple[str, ...], said: str
) -> None:
    result = deployed.run("notices", "preview", *arguments)

    assert result.exit_code == 2
    assert said in result.output


def test_what_is_held_until_a_time_is_let_go_before_it(deployed: Deployed) -> None:
    holds = HoldsTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])
    far = replace(TEAM, recipient="later@example.org")
    holds.hold(TEAM, due_at=minute(10**9))
    holds.hold(far, due_at=minute(10**9 + 1))

    early = deployed.run("notices", "release")
    released = deployed.run("notices", "release", "--until", f"{minute(10**9):%Y-%m-%dT%H:%M:%SZ}")

    assert (early.stdout, released.stdout) == ("Released: 0.\n", "Released: 1.\n")
    (queued,) = deployed.stack.messages("EmailQueue")
    assert queued["batch"]["recipient_digest"].startswith(TEAM.recipient_hash)


def test_an_instant_without_a_zone_is_refused(deployed: Deployed) -> None:
    result = deployed.run("notices", "release", "--until", "2026-03-04T18:00")

    assert result.exit_code == 2
    assert "a time without a zone" in result.output


def _without(service: str) -> Any:
    usual = Stack.client

    def client(stack: Stack, name: str) -> Any:
        if name == service:
            raise NoCredentialsError
        return usual(stack, name)

    return client


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
