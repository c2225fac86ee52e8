"""Actions at the sandboxes of all four providers: done once, recorded, refused in plain words."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.actions.action import (
    KeyReused,
    NoSuchOrder,
    NotAllowed,
    RefusedByProvider,
    UnknownAction,
)
from milepost.actions.request_checks import allowed_actions
from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.orders.details import Result
from milepost.orders.order import OrderKey
from milepost.orders.report import Source
from milepost.providers.base import BadArgument
from milepost.providers.registry import adapter
from tests.unit.actions.provider_counter import OG, PROVIDERS, SPIRII, SUBS, Counter

DONE: dict[tuple[str, str], tuple[str, Status]] = {
    (OG, "cancel"): ("accepted", Status.CANCELLED),
    (SPIRII, "fulfill"): ("Scheduled", Status.COMPLETED),
    (SPIRII, "cancel"): ("Pending", Status.CANCELLED),
    (SPIRII, "resend_confirmation"): ("Fulfilled", Status.COMPLETED),
    (SPIRII, "initiate_installation"): ("Pending", Status.PENDING),
    (SUBS, "check_invoice"): ("Application Fee Generated", Status.PENDING),
    (SUBS, "resend_authorization_code"): ("Contract Generated", Status.ACCEPTED),
}
"""Each provider's actions: a raw status in which it is done, and where the order stands then."""


@pytest.mark.parametrize(("name", "action"), DONE)
def test_an_action_is_done_at_the_provider_and_stands_on_the_timeline_with_its_person(
    name: str, action: str, counter: Counter
) -> None:
    before, after = DONE[name, action]
    key = counter.create(name)
    counter.move(key, status=before)
    reason = {"reason": "Customer withdrew"} if action == "cancel" else {}
    assert counter.ask(key, action, **reason).result is Result.DONE
    (noted,) = counter.noted(name)
    assert (noted["action"], noted["idempotency_key"]) == (action, "k1")
    assert noted.get("reason") == reason.get("reason")
    (report,) = counter.by_people(key)
    assert (report.details["action"], report.details["person"]) == (action, "kim")
    assert report.details.get("note") == reason.get("reason")
    assert counter.order(key).status is after, "what the provider says now is seen at once"


def test_every_action_of_every_provider_is_tried_here() -> None:
    there = {(name, action) for name, of in PROVIDERS.items() for action in adapter(of).actions}
    assert there == set(DONE)


def test_a_cancelled_item_leaves_the_other_items_of_its_order_alone(counter: Counter) -> None:
    key = counter.create(OG, items=[{}, {}])
    counter.ask(key, "cancel")
    statuses = {k.item_id: t.order.status for k, t in counter.orders.kept.items()}
    assert statuses.pop(key.item_id) is Status.CANCELLED
    assert list(statuses.values()) == [Status.PENDING]


@pytest.mark.parametrize(("name", "action"), [(OG, "cancel"), (SPIRII, "resend_confirmation")])
def test_a_repeated_key_gives_the_same_answer_and_does_nothing_twice(
    name: str, action: str, counter: Counter
) -> None:
    key = counter.create(name)
    first = counter.ask(key, action)
    again = counter.ask(key, action)
    assert again == replace(first, repeated=True)
    assert len(counter.noted(name)) == 1
    assert len(counter.by_people(key)) == 1


def test_asking_again_after_a_crash_between_the_providers_yes_and_our_record_is_safe(
    counter: Counter,
) -> None:
    key = counter.create(SPIRII)
    before = counter.tracked(key)
    counter.ask(key, "initiate_installation")
    counter.orders.kept[key] = before
    assert counter.ask(key, "initiate_installation").result is Result.DONE
    assert len(counter.noted(SPIRII)) == 1
    assert len(counter.by_people(key)) == 1


def test_a_person_says_which_month_s_commission_was_paid(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.move(key, status="Fulfilled")
    done = counter.ask(key, "commission_paid", text="2026-03")
    (report,) = counter.by_people(key)
    assert (done.result, report.details.get("note")) == (Result.DONE, "2026-03")


@pytest.mark.parametrize("text", ["", "March", "2026-13", "2026-3", "2026-03-01"])
def test_commission_is_paid_for_a_month(text: str, counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.move(key, status="Fulfilled")
    with pytest.raises(BadArgument, match="such as 2026-03"):
        counter.ask(key, "commission_paid", text=text)


def test_no_commission_is_paid_for_an_order_that_earned_none(counter: Counter) -> None:
    key = counter.create(SPIRII)
    with pytest.raises(NotAllowed, match="the order has earned no commission") as refused:
        counter.ask(key, "commission_paid", text="2026-03")
    assert "commission_paid" not in refused.value.allowed


def test_two_keys_are_two_actions(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.ask(key, "resend_confirmation", id="k1")
    counter.ask(key, "resend_confirmation", id="k2")
    assert len(counter.noted(SPIRII)) == 2
    assert len(counter.by_people(key)) == 2


def test_a_key_is_not_taken_for_something_else(counter: Counter) -> None:
    key = counter.create(SPIRII)
    counter.ask(key, "note", text="called the customer")
    with pytest.raises(KeyReused, match="use a new one"):
        counter.ask(key, "cancel")
    with pytest.raises(KeyReused):
        counter.ask(key, "note", text="another text")
    assert counter.noted(SPIRII) == []


@pytest.mark.parametrize(
    ("name", "before", "action"),
    [(OG, "completed", "cancel"), (SPIRII, "Fulfilled", "fulfill"),
     (SPIRII, "Cancelled", "resend_confirmation"), (SUBS, "Completed", "check_invoice"),
     (SUBS, "Inspection Initiated", "resend_authorization_code")],
)  # fmt: skip
def test_an_action_that_the_status_does_not_allow_is_refused_with_those_it_does(
    name: str, before: str, action: str, counter: Counter
) -> None:
    key = counter.create(name)
    counter.move(key, status=before)
    status = counter.order(key).status
    with pytest.raises(NotAllowed, match=f"an order that is {status}") as refused:
        counter.ask(key, action)
    assert refused.value.status is status
    assert action not in refused.value.allowed
    assert {"refresh", "note"} <= set(refused.value.allowed)
    assert counter.noted(name) == []
    assert not counter.by_people(key)


def test_the_providers_refusal_comes_back_in_its_own_words_and_is_recorded(
    counter: Counter,
) -> None:
    key = counter.create(SPIRII)
    counter.move(key, seen=False, status="Fulfilled")
    with pytest.raises(RefusedByProvider) as refused:
        counter.ask(key, "cancel", reason="too late")
    assert refused.value.words == f"Order {key.order_id} is Fulfilled"
    (report,) = counter.by_people(key)
    assert report.details["outcome"] == refused.value.words
    assert (report.details["result"], report.details["answered"]) == ("refused", 409)
    assert counter.order(key).status is Status.COMPLETED, "it is fetched: we were behind"
    with pytest.raises(RefusedByProvider) as again:
        counter.ask(key, "cancel", reason="too late")
    assert again.value.words == refused.value.words
    assert len(counter.by_people(key)) == 1


def test_a_mail_that_the_provider_does_not_send_is_no_error_and_says_why(counter: Counter) -> None:
    inactive = "Email type is not active for this onboarding flow"
    email = {"type": "order_confirmation", "sent": False, "not_sent_reason": inactive}
    key = counter.create(SPIRII, emails=[email])
    assert counter.ask(key, "resend_confirmation").outcome == f"not sent: {inactive}"


def test_a_paid_invoice_moves_the_request_on_when_it_is_checked(counter: Counter) -> None:
    key = counter.create(SUBS)
    (invoice,) = counter.order(key).details["invoices"]
    assert counter.ask(key, "check_invoice", id="k1").outcome == (
        f"invoice {invoice['number']} is not paid"
    )
    counter.sandboxes.accounts[SUBS].settle_invoice(invoice["id"])  # type: ignore[attr-defined]
    done = counter.ask(key, "check_invoice", id="k2", invoice=invoice["number"])
    assert done.outcome == f"invoice {invoice['number']} is paid"
    assert counter.order(key).status is Status.SUBMITTED


def test_an_invoice_that_the_order_does_not_have_is_not_checked(counter: Counter) -> None:
    key = counter.create(SUBS)
    with pytest.raises(BadArgument, match="no such invoice; the order has NE-"):
        counter.ask(key, "check_invoice", invoice="inv-of-somebody-else")


def test_without_an_unpaid_invoice_there_is_none_to_check(counter: Counter) -> None:
    key = counter.create(SUBS)
    counter.move(key, status="Inspection Initiated")
    assert "check_invoice" not in allowed_actions(counter.order(key), adapter("subs"))
    with pytest.raises(NotAllowed, match="no invoice of the order is unpaid"):
        counter.ask(key, "check_invoice")


SAYS_NOTHING = [
    (SPIRII, "resend_confirmation", {"data": {"email": {"sent": None}}}),
    (SPIRII, "resend_confirmation", {"data": {"email": {"sent": "maybe"}}}),
    (SUBS, "check_invoice", {"data": {"invoice": {"id": 7, "paid": None}}}),
    (SUBS, "check_invoice", {"data": {"invoice": None}}),
    (SUBS, "resend_authorization_code", {"data": {"authorization_code": {}}}),
    (SUBS, "resend_authorization_code", {"data": []}),
]


@pytest.mark.parametrize(("name", "action", "body"), SAYS_NOTHING)
def test_an_answer_that_does_not_say_it_is_not_taken_for_a_no(
    name: str, action: str, body: dict[str, Any]
) -> None:
    try:
        said = adapter(PROVIDERS[name]).actions[action].read_outcome(body)
    except BadPayload:
        return
    assert said == "done"


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_action_of_another_provider_is_unknown(name: str, counter: Counter) -> None:
    key = counter.create(name)
    with pytest.raises(UnknownAction, match=r"there are .*acknowledge, .*note, refresh"):
        counter.ask(key, "teleport")


def test_an_argument_that_the_action_does_not_take_is_refused(counter: Counter) -> None:
    key = counter.create(SPIRII)
    with pytest.raises(BadArgument, match="cancel has no argument 'why': it takes reason"):
        counter.ask(key, "cancel", why="x")
    with pytest.raises(BadArgument, match="reason must be a text"):
        counter.ask(key, "cancel", reason={"a": 1})


@pytest.mark.parametrize("key", ["", "a b", "a\r\nx-admin: 1", "ü", "x" * 129, "k:run"])
def test_a_key_that_could_not_be_a_header_is_refused(key: str, counter: Counter) -> None:
    order = counter.create(SPIRII)
    with pytest.raises(BadArgument, match="idempotency key"):
        counter.ask(order, "cancel", id=key)


def test_an_order_that_was_never_reported_or_was_erased_is_not_acted_on(counter: Counter) -> None:
    unknown = OrderKey(SPIRII, "so-0", "so-0")
    with pytest.raises(NoSuchOrder, match="no order spirii-charge:so-0:so-0"):
        counter.ask(unknown, "cancel")
    key = counter.create(SPIRII)
    counter.orders.kept[key] = replace(counter.tracked(key), erased_at=counter.now())
    with pytest.raises(NoSuchOrder, match="erased"):
        counter.ask(key, "cancel")
    assert counter.noted(SPIRII) == []


def test_what_people_did_is_no_news_to_anybody(counter: Counter) -> None:
    key = counter.create(OG)
    before = len(counter.orders.announced)
    counter.ask(key, "note", id="k1", text="called")
    counter.ask(key, "refresh", id="k2")
    assert len(counter.orders.announced) == before
    assert all(e.report.status is None for e in counter.order(key).timeline
               if e.report.source is Source.PERSON)  # fmt: skip
