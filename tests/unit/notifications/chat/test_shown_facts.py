"""What is left of an order before its message to a chat is rendered."""

from dataclasses import replace

from milepost.common.status import Status
from milepost.notifications.chat.shown_facts import disclosed
from milepost.orders.deadlines import expected_by, next_step_by
from milepost.orders.order import Attention, Order
from tests.builders import OFFERGRID, report, tracked

WITHHELD = "shown with the order"
CUSTOMER = {"name": "Charlotte Nguyen", "business": "Nguyen Ltd", "email": "c@example.com"}


def order(status: Status = Status.REJECTED, **details: object) -> Order:
    return tracked(report(status, customer=CUSTOMER, **details)).order


def shown(one: Order, *, with_name: bool = False) -> dict[str, object]:
    return dict(disclosed(one, with_name=with_name, withheld=WITHHELD).details)


def reason_in(found: dict[str, object]) -> tuple[object, object]:
    return found.get("reason"), found.get("cause")


def test_the_providers_words_are_for_channels_that_may_read_names() -> None:
    one = order(reason="Max Mustermann said no")
    assert reason_in(shown(one)) == (WITHHELD, "other")
    assert shown(one, with_name=True)["reason"] == "Max Mustermann said no"


def test_words_that_repeat_what_the_order_knows_of_people_are_for_nobody() -> None:
    one = order(reason="Call Ms Nguyen on 0491 570 156")
    assert reason_in(shown(one, with_name=True)) == (WITHHELD, "other")


def test_a_cause_says_enough_also_one_that_is_recognised_in_the_words() -> None:
    named = order(reason="Max Mustermann was not at home")
    assert reason_in(shown(named)) == (None, "customer_not_home")
    stored = order(reason="Max Mustermann knows why", cause="meter_data")
    assert reason_in(shown(stored)) == (None, "meter_data")


def test_an_unknown_status_is_for_channels_that_may_read_names() -> None:
    one = tracked(report(None, raw="Max Mustermann called")).order
    hidden = disclosed(one, with_name=False, withheld=WITHHELD)
    assert "Mustermann" not in repr(hidden)
    assert hidden.attention[0].text.startswith("The provider named a status that we don't know")
    assert "Mustermann" in disclosed(one, with_name=True, withheld=WITHHELD).attention[0].text


def test_why_a_mail_of_the_provider_was_not_sent_stays_with_the_order() -> None:
    unsent = {"type": "order_confirmation", "sent": False, "not_sent_reason": "Max is away"}
    one = order(Status.PENDING, emails=[unsent])
    quoting = Attention("email_not_sent", "The order confirmation mail was not sent: Max is away.")
    hidden = disclosed(replace(one, attention=(quoting,)), with_name=False, withheld=WITHHELD)
    assert "Max" not in repr(hidden)
    assert hidden.attention[0].text.startswith("A mail of the provider to the customer was not")


def test_deadlines_and_first_dates_are_those_of_the_whole_order() -> None:
    fee = {"kind": "fee", "number": "N-1", "amount": "9", "paid": False, "due_on": "2026-04-01"}
    first = report(Status.SCHEDULED, appointment="2026-03-12", ordered_at="2026-02-02T08:00:00Z")
    moved = report(Status.SCHEDULED, 9, appointment="2026-03-31", invoices=[fee])
    one = tracked(first, moved).order
    made = disclosed(one, with_name=False, withheld=WITHHELD)
    assert [said.get("appointment") for said in made.said_of_it] == [
        said.get("appointment") for said in one.said_of_it
    ]
    assert made.details["invoices"] == [{"kind": "fee", "paid": False, "due_on": "2026-04-01"}]
    assert (expected_by(made, OFFERGRID), next_step_by(made, OFFERGRID)) == (
        expected_by(one, OFFERGRID),
        next_step_by(one, OFFERGRID),
    )


def test_notes_that_explain_a_rejection_stay_with_the_order() -> None:
    found = shown(order(notes=[{"kind": "other", "text": "No fibre"}]))
    assert (found.get("notes"), found["reason"]) == (None, WITHHELD)


def test_a_report_on_the_timeline_keeps_only_its_own_reason() -> None:
    before = report(Status.REJECTED, reason="Call Charlotte", customer=CUSTOMER)
    after = report(Status.ACCEPTED, 10, customer=CUSTOMER)
    made = disclosed(tracked(before, after).order, with_name=True, withheld=WITHHELD)
    said = [dict(entry.report.details) for entry in made.timeline]
    assert said == [{"reason": WITHHELD, "reason_source": "withheld", "cause": "other"}, {}]


def test_names_are_shown_with_leave_and_contact_data_never() -> None:
    found = shown(order(), with_name=True)["customer"]
    assert found == {"name": "Charlotte Nguyen", "business": "Nguyen Ltd"}
    assert "customer" not in shown(order())


def test_an_offer_or_reference_with_the_customers_name_is_left_out() -> None:
    found = shown(order(reference="NGUYEN-1", offer={"name": "Nguyen special", "id": "o-1"}))
    assert (found.get("reference"), found.get("offer")) == (None, {"id": "o-1"})
