"""``milepost subscriptions``: who is told, who no longer, and what endpoints verify by."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from milepost.aws.shared_secret import SharedSecret
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.endpoints.aws.endpoints import EndpointsTable
from milepost.notifications.endpoints.secret_rotation import live_secrets
from milepost.notifications.notice import Audience, Channel
from milepost.notifications.subscription import Mode, Subscription
from milepost.orders.order import Kind
from tests.builders import minute
from tests.signing import SECRET
from tests.stack import aws
from tests.unit.cli.conftest import Deployed

SALES = Subscription(id="file-4fa2c90de1b7a365", recipient="sales@example.org")
ENERGY = Subscription(
    id="person-1",
    recipient="energy-team@example.org",
    kinds=frozenset({Kind.REJECTED, Kind.OVERDUE}),
    connections=frozenset({"rabot-energy"}),
    mode=Mode.DAILY,
    language="de",
    ended="unsubscribed on 2026-03-04",
)
CRM = Subscription(
    id="file-90de1b7a3654fa2c",
    channel=Channel.HTTPS,
    recipient="https://crm.example.com/hooks?token=t0ps3cret",
    owner="ops@example.org",
    ended="switched off on 2026-03-04 after failing for 5 days",
)


@pytest.fixture
def table(deployed: Deployed) -> SubscriptionsTable:
    made = SubscriptionsTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])
    for one in (SALES, ENERGY, CRM):
        made.put(one)
    return made


@pytest.fixture
def suppressions(deployed: Deployed) -> SuppressionsTable:
    return SuppressionsTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])


def is_living(table: SubscriptionsTable, subscription: Subscription) -> bool:
    found = table.get(subscription.id)
    return found is not None and found.ended is None


def test_the_list_says_why_one_has_ended(deployed: Deployed, table: SubscriptionsTable) -> None:
    result = deployed.run("subscriptions", "list")

    lines = result.stdout.splitlines()
    assert lines[0].split() == ["subscription", "channel", "mode", "language", "state"]
    assert "file-4fa2c90de1b7a365  email    at once  en        active" in lines
    assert "    sales@example.org: the usual kinds of all connections" in lines
    assert "person-1               email    daily    de        ended" in lines
    text = " ".join(result.stdout.split())
    assert "overdue, rejected of rabot-energy; unsubscribed on 2026-03-04" in text
    assert "switched off on 2026-03-04 after failing for 5 days" in text
    assert "t0ps3cret" not in text


def test_for_scripts_the_list_has_every_setting_but_no_secret(
    deployed: Deployed, table: SubscriptionsTable
) -> None:
    found = json.loads(deployed.run("subscriptions", "list", "--json").stdout)

    by_id = {one["id"]: one for one in found}
    assert by_id["person-1"]["kinds"] == ["overdue", "rejected"]
    assert by_id["person-1"]["ended"] == "unsubscribed on 2026-03-04"
    assert by_id[CRM.id]["recipient"] == "https://crm.example.com/hooks"
    assert by_id[CRM.id]["owner"] == "ops@example.org"


def test_one_that_ended_lives_again(deployed: Deployed, table: SubscriptionsTable) -> None:
    result = deployed.run("subscriptions", "resume", ENERGY.id)

    assert result.exit_code == 0
    assert "it had ended: unsubscribed on 2026-03-04" in result.stdout
    assert is_living(table, ENERGY)


def test_an_endpoint_that_lives_again_has_all_its_days_to_fail(
    deployed: Deployed, table: SubscriptionsTable
) -> None:
    endpoints = EndpointsTable(aws("dynamodb"), table_name=deployed.stack.resources["NoticesTable"])
    deployed.run("subscriptions", "resume", CRM.id)
    living = endpoints.get(CRM.id)
    assert living is not None
    since = endpoints.failed(living, at=minute(0))
    assert since is not None
    claim = endpoints.claim_switching_off(
        living, failing_since=since, at=minute(1), until=minute(3)
    )
    assert claim is not None
    assert endpoints.switch_off(living, reason="switched off again", claim=claim)

    deployed.run("subscriptions", "resume", CRM.id)

    again = endpoints.get(CRM.id)
    assert again is not None
    assert (again.ended, again.failing_since) == (None, None)


def test_mails_go_again_to_an_address_that_bounced_when_told_so(
    deployed: Deployed, table: SubscriptionsTable, suppressions: SuppressionsTable
) -> None:
    reason = "bounced before: General, on 2026-03-04"
    suppressions.suppress(SALES.recipient, reason=reason, at=minute(0))

    unasked = deployed.run("subscriptions", "resume", SALES.id)
    still = suppressions.reason(SALES.recipient, audience=Audience.TEAM)
    told = deployed.run("subscriptions", "resume", SALES.id, "--yes")

    assert still == reason
    assert f"sales@example.org is still suppressed: {reason}" in unasked.output
    assert "sales@example.org gets mails again." in told.output
    assert suppressions.reason(SALES.recipient, audience=Audience.TEAM) is None


def test_a_customer_who_unsubscribed_at_the_same_address_has_not_been_asked(
    deployed: Deployed, table: SubscriptionsTable, suppressions: SuppressionsTable
) -> None:
    bounced, left = "bounced before: General, on 2026-03-04", "unsubscribed on 2026-03-05"
    suppressions.suppress(SALES.recipient, reason=bounced, at=minute(0))
    suppressions.suppress(SALES.recipient, reason=left, at=minute(0), audience=Audience.CUSTOMER)

    deployed.run("subscriptions", "resume", SALES.id, "--yes")

    assert suppressions.reason(SALES.recipient, audience=Audience.TEAM) is None
    assert suppressions.reason(SALES.recipient, audience=Audience.CUSTOMER) == left


def test_a_person_is_asked_before_mails_go_to_an_address_again(
    deployed: Deployed,
    table: SubscriptionsTable,
    suppressions: SuppressionsTable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cli.subscriptions.commands.is_interactive", lambda: True)
    suppressions.suppress(SALES.recipient, reason="complained on 2026-03-04", at=minute(0))

    deployed.run("subscriptions", "resume", SALES.id, given="n\n")
    after_no = suppressions.reason(SALES.recipient, audience=Audience.TEAM)
    deployed.run("subscriptions", "resume", SALES.id, given="y\n")

    assert after_no == "complained on 2026-03-04"
    assert suppressions.reason(SALES.recipient, audience=Audience.TEAM) is None


def test_an_endpoint_s_secret_is_shown(deployed: Deployed, table: SubscriptionsTable) -> None:
    deployed.stack.keep_secret("EndpointSecrets", {CRM.id: SECRET})

    assert deployed.run("subscriptions", "secret", CRM.id).stdout == f"{SECRET}\n"


def test_a_rotated_secret_is_printed_and_the_old_one_signs_for_a_day(
    deployed: Deployed, table: SubscriptionsTable
) -> None:
    deployed.stack.keep_secret("EndpointSecrets", {CRM.id: SECRET, "other": "whsec_other"})

    result = deployed.run("subscriptions", "rotate-secret", CRM.id)

    new = result.stdout.strip()
    kept = deployed.stack.kept_secret("EndpointSecrets")
    now = datetime.now(UTC)
    assert result.exit_code == 0
    assert live_secrets(kept[CRM.id], now=now) == (new, SECRET)
    assert live_secrets(kept[CRM.id], now=now + timedelta(hours=25)) == (new,)
    assert kept["other"] == "whsec_other"
    assert "also signs until" in result.stderr
    assert deployed.run("subscriptions", "secret", CRM.id).stdout.strip() == new


def test_an_endpoint_that_was_deleted_meanwhile_gets_no_secret_again(
    deployed: Deployed, table: SubscriptionsTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.stack.keep_secret("EndpointSecrets", {CRM.id: SECRET, "other": "whsec_other"})
    replace_version = SharedSecret._replace

    def delete_first(self: SharedSecret, version: str, text: str) -> bool:
        monkeypatch.setattr(SharedSecret, "_replace", replace_version)
        SharedSecret.change(self, lambda entries: entries.pop(CRM.id) and None)
        return replace_version(self, version, text)

    monkeypatch.setattr(SharedSecret, "_replace", delete_first)
    result = deployed.run("subscriptions", "rotate-secret", CRM.id)

    assert result.exit_code == 1
    assert f"{CRM.id} has no secret" in result.stderr
    assert deployed.stack.kept_secret("EndpointSecrets") == {"other": "whsec_other"}


def test_a_secret_that_others_know_is_ended_at_once(
    deployed: Deployed, table: SubscriptionsTable
) -> None:
    deployed.stack.keep_secret("EndpointSecrets", {CRM.id: SECRET})

    at_once = ("rotate-secret", CRM.id, "--keep-old-for", "0", "--json")
    assert deployed.run("subscriptions", *at_once).exit_code == 2
    result = deployed.run("subscriptions", *at_once, "--yes")

    said = json.loads(result.stdout)
    kept = deployed.stack.kept_secret("EndpointSecrets")
    assert live_secrets(kept[CRM.id], now=datetime.now(UTC)) == (said["secret"],)
    assert said["previous_until"] is None


def test_on_a_terminal_a_rotation_is_asked_about(
    deployed: Deployed, table: SubscriptionsTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.subscriptions.commands.is_interactive", lambda: True)
    deployed.stack.keep_secret("EndpointSecrets", {CRM.id: SECRET})

    result = deployed.run("subscriptions", "rotate-secret", CRM.id, given="n\n")

    assert result.exit_code == 1
    assert deployed.stack.kept_secret("EndpointSecrets") == {CRM.id: SECRET}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rotate-secret", SALES.id), 2, "only endpoints have secrets"),
        (("rotate-secret", CRM.id), 1, "has no secret"),
        (("rotate-secret", CRM.id, "--keep-old-for", "721"), 2, "720"),
        (("rotate-secret", "nobody"), 2, "There is no subscription nobody"),
        (("secret", SALES.id), 2, "only endpoints have secrets"),
        (("secret", CRM.id), 1, "has no secret"),
        (("secret", "nobody"), 2, "`milepost subscriptions list` shows them"),
        (("resume", "nobody"), 2, "There is no subscription nobody"),
    ],
)
def test_what_can_not_be_done_is_said(
    deployed: Deployed,
    table: SubscriptionsTable,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    result = deployed.run("subscriptions", *arguments)

    assert result.exit_code == code
    assert said in result.output


def test_a_test_is_sent_by_the_api_and_what_came_of_it_is_said(
    deployed: Deployed, table: SubscriptionsTable, suppressions: SuppressionsTable
) -> None:
    assert "is queued" in deployed.say("subscriptions", "send-test", SALES.id)
    [message] = deployed.stack.messages("EmailQueue")
    assert message == {"test_mail": {"subscription": SALES.id}}
    suppressions.suppress(SALES.recipient, reason="hard bounce", at=minute(0))
    refused = deployed.run("subscriptions", "send-test", SALES.id)
    assert refused.exit_code == 1
    assert "did not get it: the address is suppressed" in " ".join(refused.output.split())
    unknown = deployed.run("subscriptions", "send-test", "nobody")
    assert "There is no subscription nobody" in " ".join(unknown.output.split())
