"""The pages about connections."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from milepost.connections.health import Contact
from milepost.connections.poll_request import PollRequest
from tests.builders import NOON
from tests.unit.console.conftest import Browser


@dataclass
class Contacts:
    kept: dict[str, Contact] = field(default_factory=dict)

    def get(self, connection_id: str) -> Contact:
        return self.kept.get(connection_id, Contact())

    def all(self) -> dict[str, Contact]:
        return self.kept


@dataclass
class Polls:
    started: list[tuple[str, PollRequest]] = field(default_factory=list)

    def start(self, connection_id: str, request: PollRequest) -> None:
        self.started.append((connection_id, request))


@pytest.fixture
def polls(browser: Browser) -> Polls:
    operations, polls = browser.desk.api.services.operations, Polls()
    failed = Contact(
        last_success_at=NOON - timedelta(hours=2),
        last_failure_at=NOON - timedelta(minutes=3),
        failures=4,
        last_error="the provider answered 503",
    )
    operations.contacts = Contacts({"offergrid-home": failed})  # type: ignore[misc]
    operations.polls = polls  # type: ignore[misc]
    return polls


def test_a_connection_that_fails_is_seen_in_the_list_and_says_why(
    browser: Browser, polls: Polls
) -> None:
    browser.sign_in()
    shown = browser.get("/console/connections").text
    assert "Failing" in shown
    assert "the provider answered 503" in shown
    assert "with problems" in shown


def test_the_webhook_address_is_shown_as_the_provider_needs_it(
    browser: Browser, polls: Polls
) -> None:
    browser.sign_in()
    shown = browser.get("/console/connections/offergrid-home", host="orders.example.org").text
    assert "https://orders.example.org/webhooks/offergrid-home" in shown


def test_a_viewer_has_no_button_to_poll_and_an_operator_polls_once(
    browser: Browser, polls: Polls
) -> None:
    browser.sign_in("viewer")
    address = "/console/connections/offergrid-home"
    assert "Poll now" not in browser.get(address).text
    browser.sign_in("operator")
    token = browser.get(address).token
    done = browser.post(f"{address}/poll", csrf=token, since="2026-03-01", announce="yes")
    assert (done.status, done.location) == (303, address)
    [(connection, request)] = polls.started
    assert connection == "offergrid-home"
    assert (request.since, request.announce) == (NOON.replace(day=1, hour=0), True)
    assert "was started" in browser.get(address).text
    [entry] = browser.desk.activity.entries.values()
    assert (entry.kind, entry.outcome) == ("poll_connection", "done")


def test_a_poll_that_cannot_be_recorded_is_not_made(browser: Browser, polls: Polls) -> None:
    browser.sign_in("operator")
    address = "/console/connections/offergrid-home"
    token = browser.get(address).token
    browser.desk.activity.starts_fail = True
    assert browser.post(f"{address}/poll", csrf=token).status == 503
    assert not polls.started
