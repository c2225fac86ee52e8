"""The pages about subscriptions."""

from dataclasses import dataclass, field, replace
from datetime import time
from typing import Any

import pytest

from milepost.notifications.chat.send_test import MessageTestOutcome
from milepost.notifications.explanation import why_not
from milepost.notifications.notice import CUSTOMER_KINDS, TEAM_KINDS, Channel
from milepost.notifications.subscription import QuietHours, Subscription
from milepost.orders.order import Kind
from tests.unit.console.conftest import Browser

ADDRESS = "/console/subscriptions"


@dataclass
class Kept:
    items: dict[str, Subscription] = field(default_factory=dict)

    def all(self) -> list[Subscription]:
        return list(self.items.values())

    def get(self, subscription_id: str) -> Subscription | None:
        return self.items.get(subscription_id)

    def put(self, subscription: Subscription) -> None:
        self.items[subscription.id] = subscription

    def change(self, wanted: Subscription, *, instead_of: Subscription) -> bool:
        self.items[wanted.id] = wanted
        return True

    def end(self, subscription_id: str, *, reason: str) -> None:
        self.items[subscription_id] = replace(self.items[subscription_id], ended=reason)

    def resume(self, subscription_id: str, *, ended: str | None) -> bool:
        self.items[subscription_id] = replace(self.items[subscription_id], ended=None)
        return True

    def delete(self, subscription_id: str) -> None:
        del self.items[subscription_id]


@pytest.fixture
def kept(browser: Browser) -> Kept:
    operations: Any = browser.desk.api.services.operations
    operations.subscriptions = Kept()
    operations.suppressions.of_address.return_value = []
    made: Kept = operations.subscriptions
    made.put(Subscription(id="s-1", recipient="ops@example.org", source="api"))
    made.put(Subscription(id="s-2", recipient="file@example.org", source="file"))
    return made


def test_a_viewer_sees_subscriptions_and_no_way_to_change_them(
    browser: Browser, kept: Kept
) -> None:
    browser.sign_in("viewer")
    shown = browser.get(ADDRESS).text
    assert "ops@example.org" in shown
    assert "Add a subscription" not in shown
    assert "Pause" not in browser.get(f"{ADDRESS}/s-1").text
    assert browser.get(f"{ADDRESS}/new").status == 403


def test_one_is_paused_reactivated_and_deleted(browser: Browser, kept: Kept) -> None:
    browser.sign_in("operator")
    one = f"{ADDRESS}/s-1"
    token = browser.get(one).token
    browser.post(f"{one}/pause", csrf=token)
    assert kept.items["s-1"].ended == "paused on 2026-03-02"
    assert "Reactivate" in browser.get(one).text
    browser.post(f"{one}/reactivate", csrf=token)
    assert kept.items["s-1"].ended is None
    assert browser.post(f"{one}/delete", csrf=token).location == ADDRESS
    assert "s-1" not in kept.items


def test_one_of_the_file_is_changed_in_the_file(browser: Browser, kept: Kept) -> None:
    browser.sign_in("operator")
    page = browser.get(f"{ADDRESS}/s-2")
    assert "connections.yaml declares" in page.text
    for change in ("pause", "delete"):
        assert browser.post(f"{ADDRESS}/s-2/{change}", csrf=page.token).status == 409


def test_one_is_added_and_what_is_wrong_is_said_beside_what_was_typed(
    browser: Browser, kept: Kept
) -> None:
    browser.sign_in("operator")
    token = browser.get(f"{ADDRESS}/new").token
    wrong = browser.post(ADDRESS, csrf=token, channel="email", recipient="nobody")
    assert wrong.status == 422
    assert "is not an email address" in wrong.text
    assert 'value="nobody"' in wrong.text
    form: dict[str, Any] = {
        "channel": "email",
        "recipient": "new@example.org",
        "kind": ["rejected", "failed"],
    }
    for _ in range(2):
        # The same form sent twice makes one subscription.
        assert browser.post(ADDRESS, csrf=token, key="k-1", **form).location == ADDRESS
    [made] = [one for one in kept.all() if one.recipient == "new@example.org"]
    assert made.kinds == {"rejected", "failed"}


def test_a_service_type_that_no_order_has_is_told_after_it_is_added_and_changed(
    browser: Browser, kept: Kept
) -> None:
    browser.sign_in("operator")
    token = browser.get(f"{ADDRESS}/new").token
    form = {"channel": "email", "recipient": "new@example.org", "kind": ["rejected"]}
    told = "is known to have the service type internett; known are: business, "
    browser.post(ADDRESS, csrf=token, key="k-1", **form, services="internett")
    assert told in browser.get(ADDRESS).text
    [made] = [one for one in kept.all() if one.recipient == "new@example.org"]
    assert made.service_types == {"internett"}
    browser.post(f"{ADDRESS}/{made.id}/change", csrf=token, **form, services="internett, tv")
    assert told in browser.get(f"{ADDRESS}/{made.id}").text
    browser.post(f"{ADDRESS}/{made.id}/change", csrf=token, **form, services="tv")
    assert "is known to have" not in browser.get(f"{ADDRESS}/{made.id}").text


def test_a_chats_address_is_not_shown_again_also_if_something_else_is_wrong(
    browser: Browser, kept: Kept
) -> None:
    browser.sign_in("operator")
    token = browser.get(f"{ADDRESS}/new").token
    address = "https://hooks.slack.com/services/T0/B0/SECRET"
    form = {"channel": "slack", "recipient": address, "kind": ["rejected"]}
    wrong = browser.post(ADDRESS, csrf=token, **form)
    assert (wrong.status, "SECRET" in wrong.text) == (422, False)
    assert "when the chat is switched off" in wrong.text
    form |= {"owner": "it@example.org", "customer_names": "yes", "mode": "daily"}
    assert browser.post(ADDRESS, csrf=token, key="k-1", **form).location == ADDRESS
    [made] = [one for one in kept.all() if one.channel == "slack"]
    assert (made.customer_names, made.mode, "SECRET" in str(made)) == (True, "daily", False)
    shown = browser.get(f"{ADDRESS}/{made.id}").text
    assert made.recipient in shown
    assert "Slack" in shown
    changed = {**form, "mode": "hourly", "customer_names": ""}
    browser.post(f"{ADDRESS}/{made.id}/change", csrf=token, **changed)
    assert (kept.items[made.id].mode, kept.items[made.id].customer_names) == ("hourly", False)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"ended": "unsubscribed on 2026-03-01"}, "It is over"),
        ({"kinds": frozenset({"failed"})}, "does not ask for “rejected”"),
        ({"connections": frozenset({"rabot-energy"})}, "other connections: rabot-energy"),
        ({"service_types": frozenset({"power"})}, "other services: power"),
    ],
)
def test_why_somebody_is_not_notified_is_explained(
    changes: dict[str, Any], why: str | None
) -> None:
    one = Subscription(id="s", recipient="a@example.org", **changes)
    said = why_not(one, kind=Kind.REJECTED, connection="offergrid-home", service_type="internet")
    assert said is None if why is None else why in str(said)


def test_the_explanation_names_who_is_notified_first(browser: Browser, kept: Kept) -> None:
    kept.end("s-2", reason="unsubscribed")
    browser.sign_in("viewer")
    shown = browser.get(f"{ADDRESS}/explain?kind=rejected&connection=offergrid-home").text
    assert shown.index("ops@example.org") < shown.index("file@example.org")
    assert "It is over: unsubscribed." in shown


def test_one_is_changed_and_keeps_what_the_form_does_not_name(browser: Browser, kept: Kept) -> None:
    quiet = QuietHours(start=time(22), end=time(6), passing=frozenset({Kind.REJECTED}))
    kept.put(Subscription(id="s-3", recipient="ada@example.org", source="api", quiet_hours=quiet))
    browser.sign_in("operator")
    form = browser.get(f"{ADDRESS}/s-3/change")
    assert 'name="quiet_from" type="time" value="22:00"' in form.text
    said = {"kind": ["rejected"], "language": "de", "quiet_from": "21:00", "quiet_to": "06:00"}
    said |= {"passing": ["rejected"], "mode": "daily", "daily_at": "07:30", "time_zone": "UTC"}
    done = browser.post(f"{ADDRESS}/s-3/change", csrf=form.token, **said)
    assert done.location == f"{ADDRESS}/s-3"
    one = kept.items["s-3"]
    assert (one.recipient, one.kinds, one.language) == ("ada@example.org", {Kind.REJECTED}, "de")
    assert (str(one.mode), one.daily_at) == ("daily", time(7, 30))
    assert one.quiet_hours == replace(quiet, start=time(21))
    wrong = browser.post(f"{ADDRESS}/s-3/change", csrf=form.token, **said | {"time_zone": "Here"})
    assert wrong.status == 422
    assert "no time zone" in wrong.text
    assert browser.post(f"{ADDRESS}/s-2/change", csrf=form.token, **said).status == 409


def test_each_mail_is_shown_in_each_language_before_anybody_gets_it(browser: Browser) -> None:
    browser.sign_in("viewer")
    for audience, kinds in (("team", TEAM_KINDS), ("customer", CUSTOMER_KINDS)):
        for kind in (*kinds, "digest"):
            query = f"kind={kind}&audience={audience}&language=de&connection=offergrid-home"
            shown = browser.get(f"{ADDRESS}/preview?{query}")
            assert "The mail can" not in shown.text, query
            assert "MUSTER" in shown.text.upper(), query
    alone = browser.get(f"{ADDRESS}/preview?{query}&html=1")
    assert alone.text.startswith("<!doctype html>")
    assert "script-src" not in alone.headers["content-security-policy"]


@pytest.mark.parametrize("channel", ["slack", "teams"])
def test_each_message_to_a_chat_is_shown_before_anybody_gets_it(
    browser: Browser, channel: str
) -> None:
    browser.sign_in("viewer")
    for kind in (*TEAM_KINDS, "digest"):
        query = f"kind={kind}&channel={channel}&language=de&connection=offergrid-home"
        shown = browser.get(f"{ADDRESS}/preview?{query}")
        assert "The message can" not in shown.text, query
        assert "MUSTER" in shown.text.upper(), query
        assert 'aria-labelledby="message"' in shown.text


def test_a_chats_preview_names_the_customer_only_if_it_is_asked_for(browser: Browser) -> None:
    browser.sign_in("viewer")
    query = "kind=rejected&channel=slack&connection=offergrid-home&audience=customer"
    without, named = (
        browser.get(f"{ADDRESS}/preview?{query}{more}") for more in ("", "&names=yes")
    )
    assert without.status == named.status == 200
    assert len(named.text) > len(without.text)


@pytest.mark.parametrize(
    ("subscription", "outcome", "shown"),
    [
        ("s-3", MessageTestOutcome(status=200, failure=None), "The chat accepted it (HTTP 200)"),
        ("s-3", MessageTestOutcome(status=404, failure="answered 404 no_service"), "answered 404"),
        ("s-1", MessageTestOutcome(status=None, failure=None), "The mail is queued"),
        (
            "s-1",
            MessageTestOutcome(status=None, failure="the address is suppressed: x"),
            "suppressed: x.",
        ),
    ],
)
def test_a_test_is_sent_and_the_answer_is_shown(
    browser: Browser, kept: Kept, subscription: str, outcome: MessageTestOutcome, shown: str
) -> None:
    browser.desk.api.services.operations.message_tests.run.return_value = outcome  # type: ignore[attr-defined]
    kept.put(Subscription(id="s-3", recipient="a chat", source="api", channel=Channel.SLACK))
    browser.sign_in("viewer")
    assert "Send a test" not in browser.get(f"{ADDRESS}/{subscription}").text
    browser.sign_in("operator")
    page = browser.get(f"{ADDRESS}/{subscription}")
    assert "Send a test" in page.text
    done = browser.post(f"{ADDRESS}/{subscription}/send-test", csrf=page.token)
    assert done.status == 200
    assert shown in done.text
