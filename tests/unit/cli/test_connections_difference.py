"""The difference between what a file asks for and what is stored."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cli.connections.desired_state import Wanted, WantedConnection
from cli.connections.difference import Change, Difference, FieldChange, compare
from cli.connections.file import Secrets
from cli.connections.schedules import Schedule, read_schedule
from cli.connections.stored_state import Stored, to_json
from milepost.connections.connection import CommissionTerms, Connection, SenderIdentity
from milepost.connections.settings import read_settings
from milepost.notifications.subscription import Subscription
from milepost.providers.registry import REGISTRY

SETTINGS = Connection(id="grid", provider="offergrid", base_url="https://api.example.com")
WANTED = WantedConnection(
    settings=SETTINGS,
    schedule=read_schedule("5 minutes"),
    scheme="standard-webhooks",
    secrets=Secrets(credentials={"api_key": "k-1"}, signing=None),
)
STORED = Stored(
    settings={"grid": SETTINGS},
    schedules={"grid": {"ScheduleExpression": "rate(5 minutes)", "State": "ENABLED"}},
    signing={"grid": {"scheme": "standard-webhooks", "secrets": ["s-2", "s-1"]}},
    credentials={"grid": {"api_key": "k-1"}},
    subscriptions={},
)
NOTHING = Stored(settings={}, schedules={}, signing={}, credentials={}, subscriptions={})


def same_expression(_: str, schedule: Schedule, stored: Mapping[str, Any]) -> bool:
    return bool(stored["ScheduleExpression"] == schedule.expression)


def difference(
    wanted: WantedConnection, stored: Stored = STORED, *, prune: bool = False
) -> Difference:
    everything = Wanted(connections={wanted.id: wanted}, subscriptions={})
    return compare(everything, stored, prune=prune, is_kept=same_expression)


def changed_fields(wanted: WantedConnection, stored: Stored = STORED) -> tuple[FieldChange, ...]:
    (change,) = difference(wanted, stored).connections
    return change.fields


def with_signing(*secrets: str) -> WantedConnection:
    return replace(WANTED, secrets=replace(WANTED.secrets, signing=secrets))


def test_what_is_as_wanted_makes_no_difference() -> None:
    assert difference(WANTED).is_empty


def test_a_new_connection_is_added_with_all_that_it_gets() -> None:
    (change,) = difference(WANTED, NOTHING).connections

    assert change.change is Change.ADDED
    after = {one.field: one.after for one in change.fields}
    assert after["base_url"] == "https://api.example.com"
    assert after["poll"] == "5 minutes"
    assert after["webhooks"] == "on"
    assert after["signing secret"] == "a new random one"
    assert after["credentials.api_key"] == "stored"


def test_each_changed_setting_is_a_line() -> None:
    wanted = replace(WANTED, settings=replace(SETTINGS, page_size=50, stage_days={"accepted": 2.0}))

    assert changed_fields(wanted) == (
        FieldChange("page_size", "100", "50"),
        FieldChange("stage_days", None, "accepted: 2.0"),
    )


def test_a_commission_is_told_in_words() -> None:
    terms = CommissionTerms(amount="75.50", currency="EUR", due_day=15, recurring="monthly")
    wanted = replace(WANTED, settings=replace(SETTINGS, commission=(terms,)))

    (change,) = changed_fields(wanted)

    assert change.after == "75.50 EUR for each month while active, due on day 15 of the next month"


def test_a_sender_is_told_in_words() -> None:
    sender = SenderIdentity(company="Example GmbH", legal="HRB 1", contact="030 5550123")
    wanted = replace(WANTED, settings=replace(SETTINGS, sender=sender))

    (change,) = changed_fields(wanted)

    assert change == FieldChange("sender", None, "Example GmbH; HRB 1; 030 5550123")


def test_a_setting_that_left_the_file_goes_back_to_nothing() -> None:
    stored = replace(STORED, settings={"grid": replace(SETTINGS, contact="a@example.org")})

    assert changed_fields(WANTED, stored) == (FieldChange("contact", "a@example.org", None),)


def test_another_credential_is_only_said_to_have_changed() -> None:
    wanted = replace(WANTED, secrets=Secrets(credentials={"api_key": "k-2"}, signing=None))

    assert changed_fields(wanted) == (FieldChange("credentials.api_key", "stored", "changed"),)


def test_signing_secrets_that_are_the_same_make_no_difference() -> None:
    assert difference(with_signing("s-2", "s-1")).is_empty


def test_a_file_that_would_undo_a_rotation_says_so() -> None:
    (change,) = changed_fields(with_signing("s-1"))

    assert change.after == "changed, back to one from before its rotation"


def test_webhooks_switched_off_are_a_change() -> None:
    assert changed_fields(replace(WANTED, scheme=None)) == (FieldChange("webhooks", "on", "off"),)


def test_polling_switched_off_is_a_change() -> None:
    wanted = replace(WANTED, schedule=None)

    assert changed_fields(wanted) == (FieldChange("poll", "5 minutes", "off"),)


def test_a_schedule_with_another_target_is_a_change_of_its_own() -> None:
    everything = Wanted(connections={"grid": WANTED}, subscriptions={})

    found = compare(everything, STORED, prune=False, is_kept=lambda *_: False)

    assert found.connections[0].fields == (
        FieldChange("poll", "5 minutes (set otherwise)", "5 minutes"),
    )


def test_what_the_file_does_not_name_is_left_alone_unless_pruned() -> None:
    stored = replace(STORED, settings={**STORED.settings, "old": SETTINGS})

    assert difference(WANTED, stored).left_alone == ("old",)
    (removed,) = difference(WANTED, stored, prune=True).connections
    assert (removed.id, removed.change) == ("old", Change.REMOVED)


def test_what_is_left_of_half_a_removal_can_still_be_pruned() -> None:
    stored = replace(STORED, credentials={**STORED.credentials, "old": {"api_key": "k"}})

    (removed,) = difference(WANTED, stored, prune=True).connections

    assert removed.id == "old"


def test_subscriptions_of_people_are_not_the_file_s_to_remove() -> None:
    by_hand = Subscription(id="person-1", recipient="a@example.org")
    from_file = Subscription(id="file-1", recipient="b@example.org", source="file")
    stored = replace(STORED, subscriptions={"person-1": by_hand, "file-1": from_file})

    assert difference(WANTED, stored).left_alone == ("the subscription of b@example.org",)
    (removed,) = difference(WANTED, stored, prune=True).subscriptions

    assert (removed.recipient, removed.change) == ("b@example.org", Change.REMOVED)


def test_an_ended_subscription_is_no_difference() -> None:
    wanted = Subscription(id="file-1", recipient="b@example.org", source="file")
    stored = replace(STORED, subscriptions={"file-1": replace(wanted, ended="unsubscribed")})
    everything = Wanted(connections={"grid": WANTED}, subscriptions={"file-1": wanted})

    assert compare(everything, stored, prune=False, is_kept=same_expression).is_empty


def test_settings_come_back_from_their_json_as_they_were() -> None:
    settings = replace(
        SETTINGS,
        customer_notices=frozenset({"completed", "accepted"}),
        stage_days={"accepted": 2.5},
        options={"statuses": {"Geöffnet": "pending"}},
        commission=(
            CommissionTerms(amount="75.50", currency="EUR", recurring="monthly"),
            CommissionTerms(amount="9", currency="EUR", supplier="Southern Fibre", service="tv"),
        ),
        sender=SenderIdentity(
            company="Example GmbH", legal="HRB 1\nBerlin", reply_to="a@b.example"
        ),
    )

    text = to_json(settings)
    assert read_settings(text, connection_id=settings.id, providers=REGISTRY) == settings


def test_a_text_that_is_new_changed_or_gone_is_a_line() -> None:
    new, changed, gone = (("accepted", "team", language) for language in ("da", "de", "en"))
    wanted = replace(WANTED, texts={new: "new", changed: "changed"})
    stored = replace(STORED, texts={"grid": {changed: "until now", gone: "gone"}})

    assert changed_fields(wanted, stored) == (
        FieldChange("templates.accepted.team.da", None, "stored"),
        FieldChange("templates.accepted.team.de", "stored", "changed"),
        FieldChange("templates.accepted.team.en", "stored", None),
    )
