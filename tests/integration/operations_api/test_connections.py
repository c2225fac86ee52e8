"""Operating through the API: notices, suppressions, connections and polls."""

import json
from dataclasses import replace
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from milepost.api.routes.connections import MOST_REQUESTS
from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.aws.activity import LastWebhooks
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.poll_request import PollRequest
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.notice import Audience, State
from milepost.notifications.recipients import Choice
from milepost.polling.aws.lease import PollsTable
from milepost.polling.aws.poll_starts import PollStarts
from tests.builders import (
    KEY,
    NOON,
    OFFERGRID,
    minute,
    notice,
)
from tests.integration.operations_api.requests import HOME, Ask, Polls, asking
from tests.stack import Stack, aws


def test_who_was_not_notified_is_one_request_with_the_reasons(ask: Ask, stack: Stack) -> None:
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    orders = [replace(KEY, order_id=f"ord_{number}") for number in range(3)]
    skipped, failed, sent = (notice(key=key) for key in orders)
    log.enter(Choice(notice=skipped, skipped="no email address"), at=minute(-3))
    for one in (failed, sent):
        log.enter(Choice(notice=one), at=minute(-2))
    log.close(failed, state=State.FAILED, reason="refused", at=minute(-1))
    log.mark_sent(sent, message_id="m-1", at=minute(0))

    asked = {"state": "skipped,suppressed,failed,bounced", "role": "viewer"}
    first = ask("GET", "/notices", **asked, limit="1")
    second = ask("GET", "/notices", **asked, limit="1", cursor=first.body["next"])
    found = [*first.body["notices"], *second.body["notices"]]

    assert [(one["order"], one["state"], one["reason"]) for one in found] == [
        (failed.key.path_id, "failed", "refused"),
        (skipped.key.path_id, "skipped", "no email address"),
    ]
    assert second.body["next"] is None
    assert ask("GET", "/notices", cursor=first.body["next"]).status == 400
    assert ask("GET", "/notices", connection="nowhere").status == 422
    assert (
        ask("GET", "/notices", since="2026-03-02T00:00:00Z", until="2026-03-01T00:00:00Z").status
        == 422
    )


def test_a_suppression_is_found_and_lifted_without_its_address_in_the_path(
    ask: Ask, stack: Stack
) -> None:
    kept = SuppressionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    for name in ("sales", "it"):
        kept.suppress(f"{name}@example.org", reason="bounced on 2026-03-01", at=minute(-1))
    (first,) = ask("GET", "/suppressions", limit="1").body["suppressions"]
    assert first["since"] == format_instant(minute(-1))
    (found,) = ask("GET", "/suppressions", address=" SALES@example.org").body["suppressions"]
    assert (found["reason"], found["audience"]) == ("bounced on 2026-03-01", None)

    path = f"/suppressions/{found['id']}"
    assert ask("DELETE", path, role="viewer").status == 403
    assert ask("DELETE", path).status == 204
    assert ask("DELETE", path).status == 404
    assert kept.reason("sales@example.org", audience=Audience.TEAM) is None
    (left,) = ask("GET", "/suppressions").body["suppressions"]
    assert left["address"] == "it@example.org"
    assert ask("DELETE", "/suppressions/sales@example.org").status == 422


def test_a_connection_shows_its_settings_and_whether_it_works(ask: Ask, stack: Stack) -> None:
    stack.apply(replace(OFFERGRID, poll_minutes=5))
    table, dynamodb = stack.resources["PollsTable"], aws("dynamodb")
    lease = PollsTable(dynamodb, table_name=table).lease(
        HOME, now=minute(-60), duration=minute(5) - NOON
    )
    lease.succeed(cursor=minute(-61), validator=None, at=minute(-60))
    LastWebhooks(dynamodb, table_name=table).note(HOME, at=minute(-3))
    (shown,) = [one for one in ask("GET", "/connections").body["items"] if one["id"] == HOME]
    assert (shown["provider"], shown["settings"]["time_zone"]) == (
        "offergrid",
        "Australia/Melbourne",
    )
    health = shown["health"]
    assert (health["condition"], health["lag_seconds"]) == ("late", 55 * 60)
    assert health["last_success_at"] == format_instant(minute(-60))
    assert health["last_webhook_at"] == format_instant(minute(-3))
    assert ask("GET", f"/connections/{HOME}", role="viewer").body == shown


def test_a_connection_that_never_was_in_contact_is_shown_too(ask: Ask) -> None:
    health = ask("GET", f"/connections/{HOME}").body["health"]
    assert (health["condition"], health["last_webhook_at"]) == ("not_polled", None)


def test_a_poll_is_started_and_a_second_look_is_silent_unless_asked(ask: Ask, polls: Polls) -> None:
    assert ask("POST", f"/connections/{HOME}/poll").status == 202
    since = {"since": "2026-03-01T00:00:00+01:00"}
    assert ask("POST", f"/connections/{HOME}/poll", since).body["since"] == "2026-02-28T23:00:00Z"
    ask("POST", f"/connections/{HOME}/poll", {**since, "announce": True})
    assert [(one.since, one.announce) for _, one in polls.started] == [
        (None, False),
        (parse_instant("2026-02-28T23:00:00Z"), False),
        (parse_instant("2026-02-28T23:00:00Z"), True),
    ]
    assert ask("POST", f"/connections/{HOME}/poll", {"announce": True}).status == 409
    assert ask("POST", f"/connections/{HOME}/poll", {"since": "2026-03-01T00:00:00"}).status == 422
    future = ask("POST", f"/connections/{HOME}/poll", {"since": format_instant(minute(6))})
    assert (future.status, future.body["errors"][0]["where"]) == (422, "body.since")
    assert ask("POST", "/connections/nowhere/poll").status == 404
    assert ask("POST", f"/connections/{HOME}/poll", role="viewer").status == 403
    assert len(polls.started) == 3


def test_a_request_for_a_poll_is_shown_until_a_poll_has_done_it(
    app: ModuleType, stack: Stack
) -> None:
    table, dynamodb = stack.resources["PollsTable"], aws("dynamodb")
    invoked: list[dict[str, Any]] = []
    starts = PollStarts(
        SimpleNamespace(invoke=lambda **call: invoked.append(json.loads(call["Payload"]))),
        function="poll-orders",
        requests=PollRequests(dynamodb, table_name=table),
    )
    ask = asking(app, starts)
    made = ask("POST", f"/connections/{HOME}/poll", {"since": "2026-03-01T00:00:00Z"})
    (request,) = ask("GET", f"/connections/{HOME}").body["requests"]
    assert request == {
        "id": made.body["request"],
        "requested_at": format_instant(NOON),
        "since": "2026-03-01T00:00:00Z",
        "announce": False,
        "failed_at": None,
    }
    assert invoked == [{"connection": HOME}]
    lease = PollsTable(dynamodb, table_name=table).lease(
        HOME, now=NOON, duration=timedelta(minutes=5)
    )
    lease.succeed(cursor=None, validator=None, at=NOON, done=[request["id"]])
    assert ask("GET", f"/connections/{HOME}").body["requests"] == []


@pytest.mark.thorough
def test_requests_for_polls_of_one_connection_are_bounded(app: ModuleType, stack: Stack) -> None:
    requests = PollRequests(aws("dynamodb"), table_name=stack.resources["PollsTable"])
    for number in range(MOST_REQUESTS):
        requests.keep(HOME, PollRequest(id=str(number), requested_at=NOON))
    refused = asking(app, Polls())("POST", f"/connections/{HOME}/poll")
    assert (refused.status, str(MOST_REQUESTS) in str(refused.body)) == (409, True)
