"""Orders, groups and notices as the API shows them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.notifications.notice import Notice
from milepost.notifications.recipients import Choice
from milepost.orders.order import Kind, OrderKey
from milepost.orders.report import Source
from tests.builders import KEY, NOON, announcement, notice, report, tracked
from tests.unit.api.conftest import Answer, Desk, in_path

ID = KEY.path_id


def told(desk: Desk, **changes: Any) -> Notice:
    """A notice that is in the log."""
    one = notice(**changes)
    desk.notices.enter(Choice(notice=one), at=NOON)
    return one


def test_an_order_is_shown_with_who_did_what_when_in_whose_words(desk: Desk) -> None:
    done = report(
        None,
        7,
        raw=None,
        source=Source.PERSON,
        action="add_note",
        action_key="k1",
        person="lena",
        note="Called them",
    )
    accepted = report(Status.ACCEPTED, 5, raw="Accepted!", reference="R-1", amount=Decimal("1.50"))
    desk.orders.keep(tracked(report(Status.SUBMITTED), accepted, done))
    shown = desk.ask("GET", f"/orders/{ID}").body
    assert (shown["id"], shown["status"], shown["reference"]) == (ID, "accepted", "R-1")
    assert shown["details"]["amount"] == "1.50"
    submitted, moved, noted = shown["timeline"]
    assert (submitted["source"], submitted["effect"]) == ("webhook", "moved")
    assert (moved["at"], moved["raw_status"]) == ("2026-03-02T12:05:00Z", "Accepted!")
    assert (noted["person"], noted["note"], noted["details"]) == ("lena", "Called them", {})


def test_what_comes_next_is_told_with_its_date(desk: Desk) -> None:
    desk.orders.keep(tracked(report(Status.SUBMITTED), report(Status.ACCEPTED, 5)))
    shown = desk.ask("GET", f"/orders/{ID}").body["next"]
    assert shown["step"] == "The provider names the date."
    assert "2026-03-02" < shown["by"] <= shown["expected_by"]


def test_nothing_comes_next_for_a_closed_order(desk: Desk) -> None:
    desk.orders.keep(tracked(report(Status.REJECTED, reason="No coverage")))
    shown = desk.ask("GET", f"/orders/{ID}").body
    assert (shown["next"], shown["details"]["reason"]) == (None, "No coverage")


def test_an_order_of_a_connection_that_is_gone_is_still_shown(desk: Desk) -> None:
    desk.orders.keep(tracked(report(Status.ACCEPTED)))
    desk.connections.known.clear()
    shown = desk.ask("GET", f"/orders/{ID}")
    assert (shown.status, shown.body["provider"], shown.body["next"]) == (200, None, None)


@pytest.mark.parametrize("odd", ["a/b", "a:b", "50%", "ä ö", 'say "hi"', "a%2Fb", "?x=1#y"])
def test_ids_that_would_be_ambiguous_in_a_path_are_found(odd: str, desk: Desk) -> None:
    key = OrderKey("offergrid-home", odd, odd)
    desk.orders.keep(tracked(report(Status.ACCEPTED, key=key)))
    shown = desk.ask("GET", f"/orders/{in_path(key.path_id)}")
    assert (shown.status, shown.body["order_id"], shown.body["id"]) == (200, odd, key.path_id)
    group = shown.body["group"]
    assert desk.ask("GET", f"/groups/{in_path(group)}").body["id"] == group


def test_a_group_says_what_its_items_come_to(desk: Desk) -> None:
    other = replace(KEY, item_id="item-2")
    desk.orders.keep(
        tracked(report(Status.ACCEPTED)), tracked(report(Status.REJECTED, key=other, reason="No"))
    )
    shown = desk.ask("GET", f"/groups/{ID.rpartition(':')[0]}").body
    assert (shown["code"], shown["counts"]) == ("partly_rejected", {"accepted": 1, "rejected": 1})
    assert [one["status"] for one in shown["items"]] == ["rejected", "accepted"]


def test_notices_are_those_of_the_item_and_not_of_its_neighbours(desk: Desk) -> None:
    neighbour = replace(KEY, item_id="item-2")
    one = told(desk, recipient="sales@example.org")
    told(desk, recipient="sales@example.org", key=neighbour)
    desk.orders.keep(tracked(report(Status.ACCEPTED)))
    [shown] = desk.ask("GET", f"/orders/{ID}/notices").body["notices"]
    assert (shown["id"], shown["recipient"]) == (one.id.replace("/", ":"), "sales@example.org")
    assert (shown["state"], shown["at"]) == ("queued", "2026-03-02T12:00:00Z")
    assert desk.ask("GET", f"/orders/{ID}").body["notices"] == [shown]


@pytest.mark.parametrize(("to", "expected"), [(None, "a@example.org"), ("b@x.org", "b@x.org")])
def test_an_operator_resends_a_notice(to: str | None, expected: str, desk: Desk) -> None:
    first = announcement(Kind.ACCEPTED)
    desk.orders.keep(tracked(report(Status.ACCEPTED), announced=(first,)))
    one = told(desk, recipient="a@example.org")
    path = f"/notices/{one.id.replace('/', ':')}/resend"
    answer = desk.ask("POST", path, role="operator", body={"to": to} if to else None)
    assert (answer.status, answer.body["recipient"]) == (202, expected)
    assert (answer.body["requested_by"], answer.body["state"]) == ("lena", "queued")
    assert desk.emails.recipients == [expected]


def resent(desk: Desk, one: Notice, body: dict[str, Any] | None = None, key: str = "k") -> Answer:
    path = f"/notices/{one.id.replace('/', ':')}/resend"
    return desk.ask("POST", path, role="operator", body=body, key=key)


@pytest.mark.parametrize(
    "other", [{"to": "b@x.org"}, {"force": True}, {"to": "a@example.org", "force": True}]
)
def test_a_key_that_comes_again_with_other_contents_is_422_and_sends_nothing(
    other: dict[str, Any], desk: Desk
) -> None:
    desk.orders.keep(tracked(report(Status.ACCEPTED), announced=(announcement(Kind.ACCEPTED),)))
    one = told(desk, recipient="a@example.org")
    assert resent(desk, one).status == 202
    answer = resent(desk, one, other)
    assert (answer.status, len(desk.emails.puts)) == (422, 1)
    assert "use a new one" in answer.body["detail"]
    assert resent(desk, one, other, key="another").status == 202


def test_what_is_out_of_date_is_409_with_its_reason_unless_it_is_forced(desk: Desk) -> None:
    first = announcement(Kind.ACCEPTED)
    desk.orders.keep(
        tracked(report(Status.ACCEPTED), report(Status.CANCELLED, 5), announced=(first,))
    )
    one = told(desk, recipient="a@example.org")
    answer = resent(desk, one)
    assert (answer.status, desk.emails.puts) == (409, [])
    assert "out of date: the order is cancelled now" in answer.body["detail"]
    assert '"force": true' in answer.body["detail"]
    assert resent(desk, one, {"force": True}).status == 202
    assert desk.emails.recipients == ["a@example.org"]


def test_a_notice_of_an_erased_order_is_not_resent(desk: Desk) -> None:
    one = told(desk, recipient="a@example.org")
    answer = desk.ask("POST", f"/notices/{one.id.replace('/', ':')}/resend", role="operator")
    assert (answer.status, desk.emails.puts) == (409, [])
    assert "it was erased" in answer.body["detail"]


def test_a_viewer_resends_nothing(desk: Desk) -> None:
    one = told(desk, recipient="a@example.org")
    answer = desk.ask("POST", f"/notices/{one.id.replace('/', ':')}/resend")
    assert (answer.status, desk.emails.puts) == (403, [])
