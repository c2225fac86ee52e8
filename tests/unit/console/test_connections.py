"""The pages about connections."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from milepost.connections.health import Contact
from milepost.connections.poll_request import PollRequest
from milepost.webhooks.secret_rotation import RotatedSecret, RotationInProgress, SecretState
from milepost.webhooks.send_test import WebhookTestOutcome
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


@dataclass
class SigningSecrets:
    """Implements ``secret_rotation.SigningSecretRotation`` for one connection."""

    valid: list[str] = field(default_factory=lambda: ["whsec_old"])
    can_be_made: bool = True

    def state(self, connection_id: str) -> SecretState:
        return SecretState(valid=len(self.valid), can_be_made=self.can_be_made)

    def rotate(self, connection_id: str, *, now: datetime, request: str) -> RotatedSecret:
        if len(self.valid) > 1:
            raise RotationInProgress(f"A rotation of {connection_id} is in progress")
        self.valid.insert(0, "whsec_new")
        return RotatedSecret(secret="whsec_new", previous_is_valid=True)

    def finish(self, connection_id: str, *, now: datetime) -> None:
        del self.valid[1:]


@dataclass
class WebhookTests:
    outcome: WebhookTestOutcome | None = None

    def run(self, connection_id: str, *, patience: float) -> WebhookTestOutcome:
        assert self.outcome is not None
        return self.outcome


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
    operations.signing_secrets = SigningSecrets()  # type: ignore[misc]
    operations.webhook_tests = WebhookTests()  # type: ignore[misc]
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
    shown = browser.get("/console/connections/offergrid-home").text
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


@pytest.fixture
def secrets(browser: Browser, polls: Polls) -> SigningSecrets:
    kept = browser.desk.api.services.operations.signing_secrets
    assert isinstance(kept, SigningSecrets)
    return kept


ADDRESS = "/console/connections/offergrid-home"


def test_a_signing_secret_is_rotated_shown_once_and_the_rotation_is_finished(
    browser: Browser, secrets: SigningSecrets
) -> None:
    browser.sign_in("operator")
    shown = browser.get(ADDRESS)
    assert "Rotate the signing secret" in shown.text
    made = browser.post(f"{ADDRESS}/rotate-secret", csrf=shown.token, key="k-1")
    assert "whsec_new" in made.text
    assert made.headers["cache-control"] == "no-store"
    assert not any("whsec" in one for one in made.cookies)
    during = browser.get(ADDRESS).text
    assert "A rotation is in progress" in during
    assert "Rotate the signing secret" not in during
    assert "whsec" not in during
    browser.post(f"{ADDRESS}/finish-rotation", csrf=shown.token)
    assert secrets.valid == ["whsec_new"]
    assert "The rotation is finished" in browser.get(ADDRESS).text
    kinds = [one.kind for one in browser.desk.activity.entries.values()]
    assert sorted(kinds) == ["finish_signing_secret_rotation", "rotate_signing_secret"]
    assert "whsec" not in str(browser.desk.activity.entries)


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        ({"status": 202, "arrived": True, "seconds": 1.5}, "read 1.5 seconds after"),
        ({"status": 202, "arrived": False, "seconds": None}, "not read within 10 seconds"),
        ({"status": 401, "arrived": None, "seconds": None}, "takes up to 5 minutes"),
        ({"status": 418, "arrived": None, "seconds": None}, "See the log of receive_webhook"),
        (
            {"status": None, "arrived": None, "seconds": None, "fault": "nobody answers"},
            "nobody answers.",
        ),
    ],
)
def test_a_test_webhook_says_what_came_of_it(
    browser: Browser, secrets: SigningSecrets, outcome: dict[str, Any], shown: str
) -> None:
    sent = WebhookTestOutcome(url="https://orders.example.org/webhooks/offergrid-home", **outcome)
    operations = browser.desk.api.services.operations
    operations.webhook_tests = WebhookTests(sent)  # type: ignore[misc]
    browser.sign_in("operator")
    done = browser.post(f"{ADDRESS}/send-test", csrf=browser.get(ADDRESS).token)
    assert done.status == 200
    assert shown in done.text


@pytest.mark.parametrize("groups", [["viewer"], ["viewer", "operator:rabot-energy"]])
def test_who_does_not_operate_a_connection_can_not_touch_its_secret(
    browser: Browser, secrets: SigningSecrets, groups: list[str]
) -> None:
    browser.sign_in(*groups)
    shown = browser.get(ADDRESS)
    assert "Send a test webhook" not in shown.text
    assert "Rotate" not in shown.text
    for what in ("send-test", "rotate-secret", "finish-rotation"):
        refused = browser.post(f"{ADDRESS}/{what}", csrf=shown.token)
        assert refused.status in {403, 404}, what
    assert secrets.valid == ["whsec_old"]
    assert not browser.desk.activity.entries or all(
        one.outcome == "refused" for one in browser.desk.activity.entries.values()
    )


def test_a_public_key_of_the_provider_is_not_made_here(
    browser: Browser, secrets: SigningSecrets
) -> None:
    secrets.can_be_made = False
    browser.sign_in("operator")
    shown = browser.get(ADDRESS).text
    assert "The provider signs with a key pair" in shown
    assert "Send a test webhook" not in shown


def test_a_page_without_what_can_not_be_read_shows_the_rest(
    browser: Browser, secrets: SigningSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_connection: str) -> SecretState:
        raise ConnectionError

    browser.desk.is_down = True
    monkeypatch.setattr(secrets, "state", fail)
    browser.sign_in("operator")
    shown = browser.get(ADDRESS)
    assert shown.status == 200
    assert "the provider answered 503" in shown.text
    assert "Send a test webhook" not in shown.text
