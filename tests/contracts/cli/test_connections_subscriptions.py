"""``milepost connections apply``: subscriptions, endpoints with their secrets, and texts."""

import pytest

from cli.connections.signing_forms import is_signing_secret
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.notifications.notice import Channel
from milepost.orders.order import Kind
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from tests.contracts.cli.operator import (
    FILE,
    FILE_WITH_ENDPOINT,
    FILE_WITH_TEXT,
    FILE_WITHOUT_RABOT,
    SESSION,
    SIGNING_SECRET,
    TEXT,
    Operator,
    _put_subscription_by_hand,
)


def test_subscriptions_of_the_file_are_kept_with_stable_ids(operator: Operator) -> None:
    operator.apply("--yes")

    found = {one.recipient: one for one in operator.subscriptions.all()}
    assert set(found) == {"sales@example.org", "late@example.org"}
    assert found["late@example.org"].kinds == frozenset({Kind.OVERDUE})
    assert found["late@example.org"].connections == frozenset({"rabot-energy"})
    assert {one.source for one in found.values()} == {"file"}


def test_a_service_type_that_no_order_is_known_to_have_is_a_warning(operator: Operator) -> None:
    known = FILE.replace("[rabot-energy]\n", "[rabot-energy]\n    service_types: [Energy]\n")
    operator.declare(known)
    assert "service type" not in operator.apply("--dry-run").output
    operator.declare(known.replace("[Energy]", "[electricity]"))
    applied = operator.apply("--yes")
    assert applied.exit_code == 0
    assert (
        "late@example.org: No order at its connections is known to have the service type "
        "electricity; known are: energy."
    ) in applied.output


def test_a_subscription_to_what_is_pruned_is_refused(operator: Operator) -> None:
    operator.apply("--yes")
    operator.declare(FILE_WITHOUT_RABOT + "subscriptions:" + FILE.partition("subscriptions:")[2])

    kept, pruned = operator.apply("--yes"), operator.apply("--yes", "--prune")

    assert kept.exit_code == 0
    assert pruned.exit_code == 2
    assert "subscriptions[1].connections[0]: there is no connection rabot-energy" in pruned.output
    assert "rabot-energy" in operator.settings.all()


@pytest.mark.thorough
def test_only_subscriptions_from_a_file_go_when_they_leave_it(operator: Operator) -> None:
    operator.apply("--yes")
    sales = next(
        one for one in operator.subscriptions.all() if one.recipient == "sales@example.org"
    )
    _put_subscription_by_hand("person-1")
    operator.declare(FILE.split("subscriptions:", maxsplit=1)[0])

    left_alone = operator.apply("--yes")
    assert "the subscription of sales@example.org is not in the file" in left_alone.output
    operator.apply("--yes", "--prune")

    assert [one.id for one in operator.subscriptions.all()] == ["person-1"]
    assert sales.id.startswith("file-")


@pytest.mark.thorough
def test_who_unsubscribed_is_not_subscribed_again_by_the_file(operator: Operator) -> None:
    operator.apply("--yes")
    sales = next(
        one for one in operator.subscriptions.all() if one.recipient == "sales@example.org"
    )
    operator.subscriptions.end(sales.id, reason="unsubscribed on 2026-03-04")
    operator.declare(
        FILE.replace("email: sales@example.org", "email: sales@example.org\n    language: de")
    )

    operator.apply("--yes")

    kept = operator.subscriptions.get(sales.id)
    assert kept is not None
    assert kept.language == "de"
    assert kept.ended == "unsubscribed on 2026-03-04"


def test_an_endpoint_is_subscribed_with_a_secret_of_its_own(operator: Operator) -> None:
    operator.declare(FILE_WITH_ENDPOINT)

    result = operator.apply("--yes")

    (crm,) = [one for one in operator.subscriptions.all() if one.channel is Channel.HTTPS]
    assert crm.recipient == "https://crm.example.com/hooks?token=t0ps3cret"
    assert (crm.owner, crm.kinds) == ("ops@example.org", frozenset({Kind.REJECTED}))
    secret = operator.endpoint_secret(crm.id) or ""
    assert is_signing_secret(STANDARD_WEBHOOKS, secret)
    assert "+ subscription of https://crm.example.com/hooks is added" in result.output
    assert "t0ps3cret" not in result.output
    assert secret not in result.output


@pytest.mark.thorough
def test_an_endpoint_s_secret_stays_through_a_second_apply(operator: Operator) -> None:
    operator.declare(FILE_WITH_ENDPOINT)
    operator.apply("--yes")
    (crm,) = [one for one in operator.subscriptions.all() if one.channel is Channel.HTTPS]
    first = operator.endpoint_secret(crm.id)

    again = operator.apply("--yes")
    assert "Nothing to change." in again.output
    assert operator.writes == []

    operator.declare(FILE_WITH_ENDPOINT.replace("kinds: [rejected]", "kinds: [completed]"))
    operator.apply("--yes")
    assert operator.endpoint_secret(crm.id) == first


@pytest.mark.thorough
def test_an_endpoint_s_secret_can_be_named_and_changed(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_SECRET", SIGNING_SECRET)
    operator.declare(FILE_WITH_ENDPOINT)
    operator.apply("--yes")
    (crm,) = [one for one in operator.subscriptions.all() if one.channel is Channel.HTTPS]
    first = operator.endpoint_secret(crm.id)
    operator.declare(FILE_WITH_ENDPOINT + "    secret: env:CRM_SECRET\n")

    result = operator.apply("--yes")

    # The endpoint may change over later, so the old secret signs as well for a day.
    assert operator.endpoint_secrets(crm.id) == (SIGNING_SECRET, first)
    assert "Nothing to change." in operator.apply("--yes").output
    assert "secret  stored → changed" in result.output
    assert SIGNING_SECRET not in result.output


@pytest.mark.thorough
def test_an_endpoint_that_leaves_the_file_takes_its_secret_along(operator: Operator) -> None:
    operator.declare(FILE_WITH_ENDPOINT)
    operator.apply("--yes")
    (crm,) = [one for one in operator.subscriptions.all() if one.channel is Channel.HTTPS]
    operator.declare(FILE)

    operator.apply("--yes", "--prune")

    assert operator.subscriptions.get(crm.id) is None
    assert operator.endpoint_secret(crm.id) is None


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://crm.example.com/hooks", "refused: not https"),
        ("https://10.1.2.3/hooks", "refused: private address"),
        ("https://[::ffff:169.254.169.254]/", "refused: metadata address"),
        ("https://localhost:8443/hooks", "refused: loopback address"),
    ],
)
def test_a_deployed_stack_subscribes_public_endpoints_alone(
    operator: Operator, url: str, said: str
) -> None:
    operator.declare(f"{FILE}  - {{url: '{url}', owner: ops@example.org}}\n")

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert f"connections.yaml:16: subscriptions[2].url: {said}" in result.output
    assert operator.writes == []


@pytest.mark.thorough
def test_a_text_of_a_connection_s_own_is_what_is_sent_until_it_leaves_the_file(
    operator: Operator,
) -> None:
    operator.keep_text(TEXT)
    operator.declare(FILE_WITH_TEXT)
    added = operator.apply("--yes")
    assert "templates.accepted.team.en  stored" in added.output
    assert (operator.text("offergrid-home"), operator.text("rabot-energy")) == (TEXT, None)

    again = operator.apply("--yes")
    assert "Nothing to change." in again.output
    assert operator.writes == []

    operator.keep_text(TEXT.replace("well", "very well"))
    operator.apply("--yes")
    assert "very well" in (operator.text("offergrid-home") or "")

    operator.declare(FILE)
    operator.apply("--yes")
    assert operator.text("offergrid-home") is None


@pytest.mark.thorough
def test_texts_go_with_a_connection_that_is_pruned(operator: Operator) -> None:
    operator.keep_text(TEXT)
    operator.declare(FILE_WITH_TEXT)
    operator.apply("--yes")
    rabot = "  - id: rabot-energy" + FILE.partition("  - id: rabot-energy")[2]
    operator.declare(f"connections:\n{rabot}")

    operator.apply("--yes", "--prune")

    assert operator.text("offergrid-home") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT.replace("reference", "referense"), ":2: connections[0] (offergrid-home).templates"),
        (TEXT.replace("reference }}", "reference }"), "accepted.j2:2:"),
        ("Hello", "begin with {% extends layout %}"),
    ],
)
def test_a_broken_text_is_refused_with_its_own_line_and_nothing_is_written(
    operator: Operator, text: str, said: str
) -> None:
    operator.keep_text(text)
    operator.declare(FILE_WITH_TEXT)

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert said in result.output
    assert operator.writes == []


def test_a_text_that_is_not_there_or_that_nobody_gets_is_refused(operator: Operator) -> None:
    operator.keep_text(TEXT)
    operator.declare(
        FILE_WITH_TEXT.replace(
            "{team: {en: texts/accepted.j2}}",
            "{team: {en: texts/missing.j2}}, overdue: {customer: {en: texts/accepted.j2}}",
        )
    )

    result = operator.apply("--yes")

    assert result.exit_code == 2
    assert "texts/missing.j2 can't be read: No such file or directory" in result.output
    assert "there is no mail of kind overdue for the customer" in result.output


def test_texts_are_read_again_after_five_minutes(operator: Operator) -> None:
    operator.keep_text(TEXT)
    operator.declare(FILE_WITH_TEXT)
    now = [0.0]
    table = OverridesTable(SESSION.client("dynamodb"), table_name="notices", clock=lambda: now[0])
    place = ("offergrid-home", "accepted", "team", "en")
    found = []

    found.append(table.get(*place))
    operator.apply("--yes")
    for now[0] in (299.0, 301.0):
        found.append(table.get(*place))

    assert found == [None, None, TEXT]


def test_secrets_of_another_files_endpoints_stay(operator: Operator) -> None:
    operator.declare(FILE_WITH_ENDPOINT)
    operator.apply("--yes")
    operator.keep_endpoint_secret("file-of-another", SIGNING_SECRET)
    operator.declare(FILE)

    operator.apply("--yes", "--prune")

    assert operator.endpoint_secret("file-of-another") == SIGNING_SECRET
