"""What is left of an order before its message to a chat is rendered."""

from milepost.common.status import Status
from milepost.notifications.chat.shown_facts import disclosed
from milepost.orders.order import Order
from tests.builders import report, tracked

WITHHELD = "shown with the order"
CUSTOMER = {"name": "Charlotte Nguyen", "business": "Nguyen Ltd", "email": "c@example.com"}


def order(status: Status = Status.REJECTED, **details: object) -> Order:
    return tracked(report(status, customer=CUSTOMER, **details)).order


def shown(one: Order, *, with_name: bool = False) -> dict[str, object]:
    return dict(disclosed(one, with_name=with_name, withheld=WITHHELD).details)


def test_a_reason_that_names_nobody_is_in_the_providers_words() -> None:
    assert shown(order(reason="No fibre in this street"))["reason"] == "No fibre in this street"


def test_a_reason_that_names_somebody_is_replaced_unless_a_cause_says_enough() -> None:
    named = "Ms Nguyen was not at home"
    assert shown(order(reason=named))["reason"] == WITHHELD
    caused = shown(order(reason=named, cause="customer_not_home"))
    assert (caused.get("reason"), caused["cause"]) == (None, "customer_not_home")


def test_notes_that_explain_a_rejection_stay_with_the_order() -> None:
    found = shown(order(notes=[{"kind": "other", "text": "No fibre"}]))
    assert (found.get("notes"), found["reason"]) == (None, WITHHELD)


def test_a_report_on_the_timeline_keeps_only_its_own_reason() -> None:
    before = report(Status.REJECTED, reason="Call Charlotte", customer=CUSTOMER)
    after = report(Status.ACCEPTED, 10, customer=CUSTOMER)
    made = disclosed(tracked(before, after).order, with_name=True, withheld=WITHHELD)
    said = [dict(entry.report.details) for entry in made.timeline]
    assert said == [{"reason": WITHHELD}, {}]


def test_names_are_shown_with_leave_and_contact_data_never() -> None:
    found = shown(order(), with_name=True)["customer"]
    assert found == {"name": "Charlotte Nguyen", "business": "Nguyen Ltd"}
    assert "customer" not in shown(order())


def test_an_offer_or_reference_with_the_customers_name_is_left_out() -> None:
    found = shown(order(reference="NGUYEN-1", offer={"name": "Nguyen special", "id": "o-1"}))
    assert (found.get("reference"), found.get("offer")) == (None, None)
