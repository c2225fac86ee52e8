"""What every page has, and what the pages show."""

import hashlib
import re
from pathlib import Path

import pytest

from milepost.common.status import Status
from milepost.console import static_files
from milepost.console.rendering import environment
from milepost.console.routing import all_routes
from tests.unit.console.conftest import LOGIN, Browser
from tests.unit.console.listed_orders import listed

STATIC = Path(static_files.__file__).parent / "static"


TEMPLATES = Path(static_files.__file__).parent / "templates"


def test_every_answer_has_the_headers_that_keep_a_page_safe(browser: Browser) -> None:
    browser.sign_in()
    for address in ("/console/orders", "/console/nothing", "/console/signed-out"):
        headers = browser.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert f"form-action 'self' {LOGIN};" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_what_a_provider_sent_is_text_and_no_markup(browser: Browser) -> None:
    browser.sign_in()
    browser.desk.lists.orders = [listed(reference="<img src=x onerror=alert(1)>")]
    text = browser.get("/console/orders").text
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


@pytest.mark.parametrize("name", sorted(one.name for one in TEMPLATES.glob("*.html")))
def test_a_template_has_no_inline_style_or_script_and_compiles(name: str) -> None:
    source = (TEMPLATES / name).read_text()
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:|<script(?![^>]*src=)", source)
    environment().get_template(name)


def test_filters_reach_the_list_and_a_wrong_one_is_named(browser: Browser) -> None:
    browser.sign_in()
    browser.get("/console/orders?status=accepted&status=rejected&connection=offergrid-home")
    [(wanted, _, _)] = browser.desk.lists.asked
    assert wanted.statuses == (Status.ACCEPTED, Status.REJECTED)
    assert wanted.connections == {"offergrid-home"}
    shown = browser.get("/console/orders?status=acepted")
    assert shown.status == 422
    assert "There is no status acepted" in shown.text


def test_fields_that_were_left_empty_leave_the_address(browser: Browser) -> None:
    for said, tidied in (
        ("orders?status=accepted&connection=&q=+&sort=next_date", "orders?status=accepted"),
        ("notices?state=&kind=accepted", "notices?kind=accepted"),
        ("figures?connection=", "figures"),
    ):
        moved = browser.get(f"/console/{said}")
        assert (moved.status, moved.headers["location"]) == (303, f"/console/{tidied}")
        assert browser.get(f"/console/{tidied}").location.startswith("/console/sign-in?")


def test_an_outage_is_a_page_that_says_so_and_our_own_failure_is_counted(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in()

    def fail(*_args: object, **_named: object) -> None:
        raise RuntimeError("secret of a customer")

    monkeypatch.setattr(browser.desk.orders, "read", fail)
    shown = browser.get("/console/orders/offergrid-main:ord_1:item_1")
    assert (shown.status, browser.failures) == (500, 1)
    assert "secret of a customer" not in shown.text
    browser.desk.is_down = True
    assert browser.get("/console/orders/offergrid-main:ord_1:item_1").status == 503


def test_a_list_that_cannot_be_read_leaves_its_filters_to_change(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in()

    def fail(*_args: object, **_named: object) -> None:
        raise RuntimeError("secret of a customer")

    monkeypatch.setattr(browser.desk.lists, "page", fail)
    shown = browser.get("/console/orders?customer=ada")
    assert (shown.status, browser.failures) == (200, 1)
    assert "The list can't be shown now" in shown.text
    assert 'name="customer" value="ada"' in shown.text
    assert "secret of a customer" not in shown.text


def test_files_are_kept_for_good_under_an_address_of_their_content(browser: Browser) -> None:
    address = static_files.address_of("console.css")
    kept = browser.get(address)
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["content-type"] == "text/css; charset=utf-8"
    old = browser.get("/console/static/000000000000/console.css")
    assert old.headers["cache-control"] == "public, max-age=60"
    for name in ("..%2fapp.py", "../app.py", "htmx.LICENSE.txt", "none.css"):
        assert browser.get(f"/console/static/000000000000/{name}").status == 404


def test_htmx_is_the_file_whose_hash_stands_beside_it() -> None:
    said, name = (STATIC / "htmx.sha256").read_text().split()
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == said


def test_every_route_is_below_the_console() -> None:
    assert all_routes()
    for route in all_routes():
        assert route.address == "/console" or route.address.startswith("/console/")
