"""Event names and kinds are read as status words are: case and white space don't count."""

from typing import Any

import pytest

from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.orders.report import Report
from milepost.providers.detail_parts import read_notes
from milepost.providers.registry import adapter
from tests.builders import NOON, OFFERGRID, offergrid_event, offergrid_item, offergrid_order
from tests.payloads import SUBS, service_request

SPELLINGS = ["{}", " {} ", "{}\n", "\t{}", "\u00a0{}", "upper", "title"]


def spelled(form: str, word: str) -> str:
    return {"upper": word.upper(), "title": word.title()}.get(form) or form.format(word)


def read_event(**fields: Any) -> Report:
    event = offergrid_event(**fields)
    (report,) = adapter("offergrid").read_event(event, connection=OFFERGRID, seen_at=NOON)
    return report


@pytest.mark.parametrize("form", SPELLINGS)
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("order.scheduled", Status.SCHEDULED),
        ("order.completed", Status.COMPLETED),
        ("order.rejected", Status.REJECTED),
    ],
)
def test_an_event_is_known_by_its_name_however_it_is_spelled(
    form: str, name: str, status: Status
) -> None:
    plain, other = read_event(event=name), read_event(event=spelled(form, name))
    assert (other.status, other.raw_status, other.id) == (status, plain.raw_status, plain.id)


@pytest.mark.parametrize("form", SPELLINGS)
def test_a_change_of_status_has_its_new_status_however_the_event_is_spelled(form: str) -> None:
    name = spelled(form, "order.status_changed")
    assert read_event(event=name, newStatus="accepted").status is Status.ACCEPTED
    with pytest.raises(BadPayload, match="newStatus: missing"):
        read_event(event=name, newStatus=None)


@pytest.mark.parametrize("name", ["order.schedule", "orderscheduled", "order scheduled", "ordér"])
def test_an_event_of_another_name_is_not_guessed(name: str) -> None:
    report = read_event(event=name)
    assert (report.status, report.raw_status) == (None, name)


@pytest.mark.parametrize("form", SPELLINGS)
def test_the_kinds_of_an_invoice_and_an_installer_are_known_however_they_are_spelled(
    form: str,
) -> None:
    invoice = {"id": "i-1", "kind": spelled(form, "connection_fee"), "paid": True}
    installer = {"kind": spelled(form, "meter_installer"), "name": "Grid & Sons"}
    subs = adapter("subs")
    request = service_request(
        milestone="Contract Generated",
        invoices=[invoice],
        installer=installer,
        authorization_code={"sent": True},
    )
    (report,) = subs.read_order(request, connection=SUBS, requested_at=NOON)
    assert report.details["invoices"][0]["kind"] == "connection_fee"
    assert report.details["installer"]["kind"] == "meter_installer"
    # It is signed, since the connection fee has come.
    assert subs.rules.waits(Status.ACCEPTED, report.details) is None


@pytest.mark.parametrize("form", SPELLINGS)
def test_a_commission_is_paid_however_that_is_spelled(form: str) -> None:
    item = offergrid_item(commission={"amount": 10, "status": spelled(form, "paid")})
    order = offergrid_order(items=[item])
    (report,) = adapter("offergrid").read_order(order, connection=OFFERGRID, requested_at=NOON)
    assert report.details["commission"]["status"] == "paid"


@pytest.mark.parametrize("label", ["Next steps", " next  STEPS ", "Next\u00a0steps", "NEXT STEPS"])
def test_a_note_is_of_its_kind_however_the_label_is_spelled(label: str) -> None:
    assert read_notes(f"{label}: call ahead") == [{"kind": "next_steps", "text": "call ahead"}]
