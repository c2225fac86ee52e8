"""Subscriptions through the API: made, changed, paused, resumed, deleted; secrets of endpoints."""

import json
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from milepost.common.timestamps import parse_instant
from milepost.notifications.endpoints.secret_rotation import live_secrets
from milepost.notifications.notice import DEFAULT_KINDS
from milepost.notifications.subscription import FROM_FILE, Subscription
from tests.integration.operations_api.requests import ENDPOINT, MAIL, Ask
from tests.stack import Stack, aws


def test_a_subscription_by_mail_is_made_changed_and_deleted(ask: Ask) -> None:
    made = ask("POST", "/subscriptions", MAIL)
    assert made.status == 201
    assert (made.body["kinds"], made.body["secret"]) == (["rejected"], None)
    path = f"/subscriptions/{made.body['id']}"
    changed = ask("PUT", path, {**MAIL, "mode": "daily", "daily_at": "07:30"})
    assert (changed.body["mode"], changed.body["daily_at"]) == ("daily", "07:30")
    # Only who saves it is warned.
    assert changed.body.pop("warning") is None
    assert ask("GET", "/subscriptions").body["items"] == [changed.body]
    assert ask("DELETE", path).status == 204
    assert ask("GET", path).status == 404
    assert ask("PUT", path, MAIL).status == 404


def test_an_endpoint_gets_a_secret_that_is_shown_once_and_goes_with_it(
    ask: Ask, stack: Stack
) -> None:
    def secrets() -> dict[str, str]:
        kept = aws("secretsmanager").get_secret_value(SecretId=stack.resources["EndpointSecrets"])
        found: dict[str, str] = json.loads(kept["SecretString"])
        return found

    made = ask("POST", "/subscriptions", ENDPOINT).body
    assert made["secret"].startswith("whsec_")
    assert secrets() == {made["id"]: made["secret"]}
    assert "secret" not in ask("GET", f"/subscriptions/{made['id']}").body
    ask("DELETE", f"/subscriptions/{made['id']}")
    assert secrets() == {}


def test_an_endpoints_secret_is_rotated_once_for_a_key_and_the_old_one_signs_for_a_while(
    ask: Ask, stack: Stack
) -> None:
    made = ask("POST", "/subscriptions", ENDPOINT).body
    path = f"/subscriptions/{made['id']}/rotate-secret"
    first = ask("POST", path, {"keep_old_for_hours": 2}, key="k1")
    entry = stack.kept_secret("EndpointSecrets")[made["id"]]
    until = parse_instant(first.body["previous_until"])
    before = until - timedelta(seconds=1)
    assert live_secrets(entry, now=before) == (first.body["secret"], made["secret"])
    assert live_secrets(entry, now=until) == (first.body["secret"],)
    assert ask("POST", path, {"keep_old_for_hours": 2}, key="k1").body == first.body
    at_once = ask("POST", path, {"keep_old_for_hours": 0}, key="k2").body
    assert at_once["previous_until"] is None
    assert live_secrets(stack.kept_secret("EndpointSecrets")[made["id"]], now=before) == (
        at_once["secret"],
    )


def test_what_has_no_secret_has_none_to_rotate(ask: Ask) -> None:
    mail = ask("POST", "/subscriptions", MAIL).body
    endpoint = ask("POST", "/subscriptions", ENDPOINT).body
    path = "/subscriptions/{}/rotate-secret"
    assert ask("POST", path.format(mail["id"])).status == 409
    assert ask("POST", path.format("nobody")).status == 404
    assert ask("POST", path.format(endpoint["id"]), role="viewer").status == 403
    for hours in (-1, 721, "soon"):
        asked = {"keep_old_for_hours": hours}
        assert ask("POST", path.format(endpoint["id"]), asked).status == 422


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("jürgen@example.org", "Internationalized characters before the @-sign"),
        ("sales@example.org.", "end with a period"),
        ("mailto:sales@example.org", "invalid characters"),
        ("Sales <sales@example.org>", "display name"),
        ("sales\x00@example.org", "invalid characters"),
        ("sales@exam\u200bple.org", "unsafe characters"),
    ],
)
def test_a_subscription_of_what_is_no_address_is_refused_with_its_reason(
    email: str, why: str, ask: Ask
) -> None:
    answer = ask("POST", "/subscriptions", {**MAIL, "email": email})
    assert answer.status == 422
    assert why in str(answer.body["errors"])
    owner = ask("POST", "/subscriptions", {**ENDPOINT, "owner": email})
    assert (owner.status, why in str(owner.body["errors"])) == (422, True)


def test_an_internationalised_domain_is_kept_as_people_read_it(ask: Ask) -> None:
    made = ask("POST", "/subscriptions", {**MAIL, "email": " Jo.S@XN--BLBR-ROAH.example "}).body
    assert made["recipient"] == "Jo.S@blåbær.example"
    path = f"/subscriptions/{made['id']}"
    same = {**MAIL, "email": "jo.s@blåbær.example", "mode": "hourly"}
    assert ask("PUT", path, same).status == 200
    assert ask("PUT", path, {**MAIL, "email": "jo@blåbær.example"}).status == 409


@pytest.mark.parametrize("asked", [MAIL, ENDPOINT])
def test_a_subscription_that_is_asked_for_again_with_its_key_is_the_same(
    asked: Any, ask: Ask
) -> None:
    first, second = (ask("POST", "/subscriptions", asked, key="k1") for _ in range(2))
    assert (second.status, second.body) == (201, first.body)
    other = ask("POST", "/subscriptions", {**MAIL, "language": "da"}, key="k1")
    assert (other.status, "use a new one" in other.body["detail"]) == (422, True)
    assert ask("POST", "/subscriptions", asked, key="k2").body["id"] != first.body["id"]
    assert len(ask("GET", "/subscriptions").body["items"]) == 2


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"email": "nobody"},
        {**MAIL, **ENDPOINT},
        {**MAIL, "kinds": ["lost"]},
        {**MAIL, "connections": ["nowhere"]},
        {**MAIL, "time_zone": "Mars/Olympus"},
        {"url": "https://hooks.example.org/"},
        {"url": "https://169.254.169.254/latest", "owner": "it@example.org"},
        {"url": "http://hooks.example.org/", "owner": "it@example.org"},
        {**MAIL, "source": "file"},
        {**MAIL, "quiet_hours": {"start": "22:00", "end": "22:00"}},
    ],
)
def test_a_subscription_that_would_tell_nobody_is_refused_and_says_where(
    asked: Any, ask: Ask
) -> None:
    refused = ask("POST", "/subscriptions", asked)
    assert refused.status == 422
    assert refused.body["errors"]
    assert ask("GET", "/subscriptions").body["items"] == []


@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_list_means_what_leaving_it_out_means(empty: Any, ask: Ask) -> None:
    lists = dict.fromkeys(("kinds", "connections", "service_types"), empty)
    asked = {"email": "sales@example.org", **lists}
    quiet = {"start": "22:00", "end": "07:00"}
    made = ask("POST", "/subscriptions", {**asked, "quiet_hours": {**quiet, "passing": empty}}).body
    other = ask("POST", "/subscriptions", {"email": "sales@example.org", "quiet_hours": quiet}).body
    assert made["kinds"] == sorted(DEFAULT_KINDS)
    assert {**made, "id": ""} == {**other, "id": ""}


def test_what_a_key_has_made_is_answered_as_it_is_now_and_not_made_again(ask: Ask) -> None:
    made = ask("POST", "/subscriptions", MAIL, key="k1").body
    changed = ask("PUT", f"/subscriptions/{made['id']}", {**MAIL, "mode": "daily"}).body
    again = ask("POST", "/subscriptions", MAIL, key="k1")
    assert (again.status, again.body["mode"]) == (201, "daily")
    assert ask("GET", f"/subscriptions/{made['id']}").body | {"warning": None} == changed
    other = {**MAIL, "mode": "daily"}
    assert ask("POST", "/subscriptions", other, key="k1").status == 422


def test_the_recipient_of_a_subscription_stays(ask: Ask) -> None:
    made = ask("POST", "/subscriptions", MAIL).body
    assert ask("PUT", f"/subscriptions/{made['id']}", {"email": "other@example.org"}).status == 409


def test_what_the_file_declares_is_changed_there_and_nowhere_else(
    ask: Ask, app: ModuleType
) -> None:
    declared = Subscription(id="file-1", recipient="sales@example.org", source=FROM_FILE)
    app.api.services.operations.subscriptions.put(declared)
    for answer in (
        ask("PUT", "/subscriptions/file-1", MAIL),
        ask("DELETE", "/subscriptions/file-1"),
    ):
        assert answer.status == 409
        assert "connections.yaml" in answer.body["detail"]


def test_one_that_ended_stays_so_through_a_change_and_lives_again_when_resumed(
    ask: Ask, app: ModuleType
) -> None:
    path = f"/subscriptions/{ask('POST', '/subscriptions', MAIL).body['id']}"
    app.api.services.operations.subscriptions.end(path.rpartition("/")[2], reason="unsubscribed")
    assert ask("PUT", path, {**MAIL, "mode": "hourly"}).body["ended"] == "unsubscribed"
    assert ask("POST", f"{path}/resume").body["ended"] is None


def test_one_is_paused_and_resumed_and_an_ended_one_keeps_its_reason(
    ask: Ask, app: ModuleType
) -> None:
    path = f"/subscriptions/{ask('POST', '/subscriptions', MAIL).body['id']}"
    assert ask("POST", f"{path}/pause").body["ended"].startswith("paused on 20")
    assert ask("POST", f"{path}/resume").body["ended"] is None
    app.api.services.operations.subscriptions.end(path.rpartition("/")[2], reason="unsubscribed")
    assert ask("POST", f"{path}/pause").body["ended"] == "unsubscribed"
