"""`milepost notices`: resend, preview and release."""

import getpass
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from cli.stack import Stack
from milepost.common.status import Status
from milepost.connections.connection import SenderIdentity
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.notifications.mail.rendering.languages import words_of
from milepost.notifications.notice import Channel, State
from milepost.notifications.subscription import DigestReason
from tests.builders import KEY, OFFERGRID, RABOT, minute, report, tracked
from tests.stack import aws
from tests.unit.cli.conftest import Deployed
from tests.unit.cli.notice_log import CUSTOMER, OFF, TEAM, enter, keep_order, listed, one_line

pytestmark = pytest.mark.thorough
OWN = """{% extends layout %}
{% block subject %}Our own: {{ reference }}{% endblock %}
{% block lead %}All is well.{% endblock %}
"""


@pytest.fixture
def log(deployed: Deployed) -> NoticesTable:
    return NoticesTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])


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
    assert "was used for another request: use a new one" in one_line(result.output)
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
    renderer = deployed.stack.load("send_notice").mails.sender.renderer
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
