"""Who is let in, for how long, and how it ends."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from milepost.console.sign_in import ATTEMPT_COOKIE, SESSION_COOKIE, own_address
from tests.unit.console.conftest import LOGIN, Browser


def test_somebody_without_a_session_signs_in_and_comes_to_where_they_wanted(
    browser: Browser,
) -> None:
    asked = browser.get("/console/orders?due=overdue")
    assert asked.status == 303
    assert asked.location == "/console/sign-in?to=%2Fconsole%2Forders%3Fdue%3Doverdue"
    assert browser.sign_in(to="/console/orders?due=overdue").location == (
        "/console/orders?due=overdue"
    )
    assert browser.get("/console/orders?due=overdue").status == 200


def test_the_cookie_is_an_id_alone_that_no_script_and_no_other_host_gets(browser: Browser) -> None:
    [cookie] = [one for one in browser.sign_in().cookies if one.startswith(SESSION_COOKIE + "=")]
    value, *attributes = cookie.split("; ")
    assert SESSION_COOKIE.startswith("__Host-")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=43200"} == set(attributes)
    assert "refresh" not in value
    assert "lena" not in value


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example.org"},
        {"aud": "client-2"},
        {"token_use": "access"},
        {"exp": 1},
        {"nonce": "another"},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_lets_nobody_in(
    change: dict[str, object], browser: Browser
) -> None:
    browser.pool.changes = change
    assert browser.sign_in().status == 400
    assert not browser.sessions.kept


def test_an_answer_counts_in_the_browser_that_began_it_once_and_soon(browser: Browser) -> None:
    begun = browser.get("/console/sign-in")
    [state] = parse_qs(urlsplit(begun.location).query)["state"]
    back = f"/console/signed-in?code=good&state={state}"
    assert browser.get("/console/signed-in?code=good&state=another").status == 400
    # The sign-in was used up by that.
    assert browser.get(back).status == 400

    browser.get("/console/sign-in")
    browser.cookies.pop(ATTEMPT_COOKIE)
    assert browser.get(back).status == 400

    begun = browser.get("/console/sign-in")
    [state] = parse_qs(urlsplit(begun.location).query)["state"]
    browser.wait(minutes=16)
    assert browser.get(f"/console/signed-in?code=good&state={state}").status == 400


def test_somebody_in_no_group_gets_no_session_and_their_token_is_revoked(browser: Browser) -> None:
    shown = browser.sign_in("accounting")
    assert shown.status == 403
    assert "groups viewer and operator" in shown.text
    assert browser.pool.revoked == ["refresh-1"]
    assert not browser.sessions.kept


def test_a_session_ends_after_twelve_hours(browser: Browser) -> None:
    browser.sign_in()
    browser.wait(hours=11, minutes=59)
    assert browser.get("/console/orders").status == 200
    browser.wait(minutes=1)
    assert browser.get("/console/orders").status == 303


def test_a_session_ends_when_the_person_is_disabled_or_leaves_the_groups(browser: Browser) -> None:
    browser.sign_in()
    browser.pool.is_disabled = True
    browser.wait(minutes=16)
    assert browser.get("/console/orders").status == 303
    assert not browser.sessions.kept

    browser.pool.is_disabled = False
    browser.sign_in()
    browser.pool.groups = ()
    browser.wait(minutes=16)
    assert browser.get("/console/orders").status == 303


def test_a_renewal_takes_a_role_away(browser: Browser) -> None:
    browser.sign_in("operator")
    assert "Operator" in browser.get("/console/orders").text
    browser.pool.groups = ("viewer",)
    browser.wait(minutes=16)
    assert "may look, not act" in browser.get("/console/orders").text


def test_a_session_outlives_a_short_outage_of_the_user_pool_and_no_long_one(
    browser: Browser,
) -> None:
    browser.sign_in()
    browser.pool.is_down = True
    browser.wait(minutes=50)
    assert browser.get("/console/orders").status == 200
    browser.wait(minutes=11)
    assert browser.get("/console/orders").status == 503


def test_signing_out_ends_the_session_here_and_at_the_pool(browser: Browser) -> None:
    browser.sign_in()
    token = browser.get("/console/orders").token
    out = browser.post("/console/sign-out", csrf=token)
    assert out.location == f"{LOGIN}/logout"
    assert browser.pool.revoked == ["refresh-1"]
    assert not browser.sessions.kept
    assert SESSION_COOKIE not in browser.cookies


def test_a_session_whose_token_an_earlier_version_encrypted_otherwise_ends_and_breaks_nothing(
    browser: Browser,
) -> None:
    for leave in (
        lambda: (browser.wait(minutes=16), browser.get("/console/orders"))[1],
        lambda: browser.post("/console/sign-out", csrf=browser.get("/console/orders").token),
    ):
        browser.sign_in()
        [(key, session)] = browser.sessions.kept.items()
        browser.sessions.kept[key] = replace(session, sealed_token="AQICAHh4")
        assert browser.get("/console/orders").status == 200
        assert leave().status == 303
        assert not browser.sessions.kept
        assert not browser.pool.revoked


@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/console//x", "/consoles", ""],
)
def test_nobody_is_led_away_from_the_console(address: str) -> None:
    assert own_address(address) == "/console"
