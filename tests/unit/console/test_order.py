"""The page of one order: what it shows, and what its forms ask for."""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from milepost.common.status import Status
from milepost.connections.connection import TrackingPage
from milepost.console.order_facts import grouped_facts
from milepost.console.rendering import segment
from milepost.console.times import with_readable_times
from milepost.notifications.notice import Channel
from milepost.notifications.recipients import Choice
from milepost.orders.order import OrderKey
from milepost.orders.report import Source
from milepost.tracking_page.link import read_token
from tests.builders import KEY, NOON, OFFERGRID, announcement, notice, report, tracked
from tests.unit.api.conftest import KEY as SIGNING
from tests.unit.console.conftest import Browser

ADDRESS = f"/console/orders/{KEY.path_id}"
CUSTOMER = {"name": "Ada <Quinn>", "email": "ada@example.com"}


def put_order(browser: Browser) -> None:
    said = report(Status.ACCEPTED, customer=CUSTOMER, reference="R-7")
    unknown = report(None, 1, raw="hovering")
    noted = report(None, 2, source=Source.PERSON, action="note", person="kim", note="rang them")
    browser.desk.orders.keep(tracked(said, unknown, noted, announced=(announcement(),)))
    browser.desk.notices.enter(Choice(notice=notice()), at=NOON)


def test_an_order_shows_where_it_stands_and_everything_that_happened(browser: Browser) -> None:
    browser.sign_in("viewer")
    put_order(browser)
    shown = browser.get(ADDRESS)
    assert shown.status == 200
    for text in (
        "R-7",
        "Ada &lt;Quinn&gt;",
        "What comes next",
        "Status not known",
        "What to do:",
        "rang them",
        "Announced: accepted",
        "Mail to sales@example.org",
    ):
        assert text in shown.text
    timeline = shown.text.split('class="timeline"')[1]
    assert timeline.index("rang them") < timeline.index("Hovering")


def test_a_viewer_sees_no_form_that_would_be_refused(browser: Browser) -> None:
    put_order(browser)
    browser.sign_in("viewer")
    assert "/actions/" not in browser.get(ADDRESS).text
    browser.sign_in("operator")
    forms = set(
        re.findall(r'action="([^"]+/(?:actions|notices)/[^"]+)"', browser.get(ADDRESS).text)
    )
    assert {one.rpartition("/")[2] for one in forms} == {
        "acknowledge",
        "cancel",
        "note",
        "refresh",
    }
    token = browser.get(ADDRESS).token
    [resend] = re.findall(r'href="([^"]+/resend)"', browser.get(ADDRESS).text)
    shown = browser.get(f"{resend}?to=other@example.org&force=1")
    assert "Confirm: send it to other@example.org" in shown.text
    assert 'aria-label="Text of the mail"' in shown.text
    alone = browser.get(f"{resend}?html=1&force=1")
    assert alone.text.startswith("<!doctype html>")
    assert "sandbox" in alone.headers["content-security-policy"]
    unseen = {"shown": "0:", "to": "other@example.org", "force": "1"}
    for button in ({"preview": "1"}, {}):
        back = browser.post(resend, csrf=token, key="k-1", **unseen, **button)
        assert (back.status, back.location) == (303, f"{resend}?to=other%40example.org&force=1")
        assert ("Nothing is sent yet" in browser.get(back.location).text) is not bool(button)
    assert browser.desk.emails.recipients == []
    seen = unseen | {"shown": "1:other@example.org"}
    done = browser.post(resend, csrf=token, key="k-1", **seen)
    assert (done.status, done.location) == (303, ADDRESS)
    assert browser.desk.emails.recipients == ["other@example.org"]
    assert "is sent to other@example.org again" in browser.get(ADDRESS).text


def test_a_message_to_a_chat_is_shown_before_it_is_posted_again(browser: Browser) -> None:
    put_order(browser)
    name = "hooks.slack.com/0a1b2c3d4e5f"
    posted = notice(channel=Channel.SLACK, recipient=name, subscription="chat")
    browser.desk.notices.enter(Choice(notice=posted), at=NOON)
    browser.sign_in("operator")
    [resend] = [
        one
        for one in re.findall(r'href="([^"]+/resend)"', browser.get(ADDRESS).text)
        if "slack" in one
    ]
    shown = browser.get(f"{resend}?force=1").text
    message = shown.split('aria-labelledby="message"')[1].split("</section>")[0]
    assert "R-7" in message
    assert "Quinn" not in message
    assert "Text of the mail" not in shown
    assert 'name="to" type="email"' not in shown


def test_an_id_with_escapes_in_it_is_found(browser: Browser) -> None:
    key = OrderKey(KEY.connection, "a/50%41", "b:c")
    browser.desk.orders.keep(tracked(report(Status.ACCEPTED, key=key)))
    browser.sign_in()
    path = key.path_id.replace("%", "%25")
    assert browser.get(f"/console/orders/{path}").status == 200


def test_an_order_that_there_is_not_is_a_page_that_says_so(browser: Browser) -> None:
    browser.sign_in()
    shown = browser.get("/console/orders/offergrid-main:none:none")
    assert shown.status == 404
    assert "There is no order" in shown.text


def test_other_items_that_cannot_be_read_leave_the_rest_of_the_page(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in()
    put_order(browser)

    def fail(*_args: object) -> None:
        raise RuntimeError("gone")

    monkeypatch.setattr(browser.desk.orders, "read_group", fail)
    shown = browser.get(ADDRESS)
    assert shown.status == 200
    assert "The other items of this order can't be shown now" in shown.text
    assert "Timeline" in shown.text


def test_every_fact_is_shown_once() -> None:
    facts = {"customer": CUSTOMER, "address": {"city": "Bonn", "street": "Weg 1"}, "spn": "4"}
    facts |= {"installer": {"name": "Volt"}}
    lines = [line for _, group in grouped_facts(facts) for line in group]
    assert lines == [
        ("Name", "Ada <Quinn>", False),
        ("Email", "ada@example.com", False),
        ("Address", "Weg 1, Bonn", False),
        ("Spn", "4", False),
        ("Installer", "name: Volt", False),
    ]


PORTAL = "https://portal.example/orders/{order_id}?item={item_id}"


@pytest.mark.parametrize(
    ("order_id", "address"),
    [
        ("a/../b?x#y", "https://portal.example/orders/a%2F..%2Fb%3Fx%23y?item=item-1"),
        ("..", None),
    ],
)
def test_an_order_is_opened_at_its_provider_if_the_connection_has_its_address(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, order_id: str, address: str | None
) -> None:
    key = OrderKey(KEY.connection, order_id, "item-1")
    browser.desk.orders.keep(tracked(report(Status.ACCEPTED, key=key)))
    browser.sign_in("viewer")
    path = f"/console/orders/{segment(key.path_id)}"
    assert "Open at" not in browser.get(path).text
    known = browser.desk.connections.known
    with_page = replace(known[KEY.connection], order_page=PORTAL)
    monkeypatch.setitem(known, KEY.connection, with_page)
    assert re.findall(r'href="(https://portal[^"]*)"', browser.get(path).text) == (
        [address] if address else []
    )


def test_times_in_a_sentence_are_in_the_readers_zone() -> None:
    said = "The order has been pending since 2026-11-18T22:01:57.118Z, until 2026-99-18T22:01Z."
    assert with_readable_times(said, ZoneInfo("Europe/Berlin")) == (
        "The order has been pending since Wed 18 Nov 2026, 23:01 CET, until 2026-99-18T22:01Z."
    )


def tracking_link(shown: str) -> str:
    [found] = re.findall(r'href="https://orders.example.org/track/([^"]+)"', shown)
    assert f'data-copy="https://orders.example.org/track/{found}"' in shown
    return str(found)


def test_the_link_to_the_tracking_page_is_shown_and_replaced_by_operators(browser: Browser) -> None:
    put_order(browser)
    browser.sign_in("viewer")
    assert "tracking page" not in browser.get(ADDRESS).text
    tracked_page = TrackingPage(days=10)
    browser.desk.connections.known[KEY.connection] = replace(OFFERGRID, tracking=tracked_page)
    shown = browser.get(ADDRESS)
    assert "Revoke every link" not in shown.text
    assert read_token(tracking_link(shown.text), [SIGNING]).key == KEY
    revoke = f"{ADDRESS}/tracking-link/revoke"
    assert browser.post(revoke, csrf=shown.token).status == 403
    browser.sign_in("operator")
    first = browser.get(ADDRESS)
    assert "Revoke every link" in first.text
    assert browser.post(revoke, csrf=first.token).status == 303
    after = browser.get(ADDRESS).text
    assert "Every earlier link to the tracking page is invalid" in after
    version = browser.desk.link_versions.current(KEY)
    assert read_token(tracking_link(first.text), [SIGNING]).version != version
    assert read_token(tracking_link(after), [SIGNING]).version == version
    kinds = [one.kind for one in browser.desk.activity.entries.values()]
    assert kinds == ["revoke_tracking_links"]


def test_an_operator_of_another_connection_sees_no_form_that_would_be_refused(
    browser: Browser,
) -> None:
    put_order(browser)
    browser.sign_in("viewer", "operator:rabot-energy")
    shown = browser.get(ADDRESS).text
    assert "/actions/" not in shown
    assert "/resend" not in shown
