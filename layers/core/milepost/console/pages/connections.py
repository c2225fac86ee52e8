"""Connections: whether each works, polls outside the schedule, test webhooks, signing secrets."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from milepost.api.idempotency_key import new_key
from milepost.api.problems import Problem
from milepost.api.routes.connections import (
    ConnectionView,
    list_connections,
    show_connection,
)
from milepost.common.timestamps import format_instant, parse_instant
from milepost.connections.health import Condition
from milepost.console.page_context import Visit
from milepost.console.query_values import day_of, start_of
from milepost.console.rendering import segment
from milepost.console.responses import Answer
from milepost.console.routing import Pages

pages = Pages()

TONES: Final[Mapping[str, tuple[str, str]]] = {
    Condition.WORKS: ("good", "✓"),
    Condition.NOT_POLLED: ("good", "✓"),
    Condition.NEVER_POLLED: ("warn", "○"),
    Condition.LATE: ("warn", "◷"),
    Condition.WAITING: ("warn", "◷"),
    Condition.FAILING: ("bad", "!"),
    Condition.UNUSABLE: ("bad", "✕"),
    Condition.NOT_APPLIED: ("bad", "✕"),
}
"""The style and the symbol of each condition."""
ADVICE: Final[Mapping[str, str]] = {
    Condition.WORKS: "Nothing to do.",
    Condition.NOT_POLLED: "It has no schedule: changes arrive only by webhook.",
    Condition.NEVER_POLLED: (
        "It was applied, but not polled yet. Poll it now, or wait for its schedule."
    ),
    Condition.LATE: (
        "Polls do not fail, but they are later than the schedule. "
        "Poll it now. If that does not help, see the runbook, "
        "“Polls are late”."
    ),
    Condition.WAITING: ("The provider asked us to wait. Polls continue automatically afterwards."),
    Condition.FAILING: (
        "Read the error below. Polls are retried automatically; "
        "after you have corrected something, poll it now."
    ),
    Condition.UNUSABLE: "Correct its settings in connections.yaml and apply the file. Until then "
    "nothing is done for it.",
    Condition.NOT_APPLIED: "Apply the file of connections again, or delete the schedule.",
}
"""What to do in each condition."""
TEST_ADVICE: Final[Mapping[int | None, str]] = {
    None: "Check that the public address of the API is right and can be reached.",
    401: "The signing secret was changed a moment ago: a change takes up to 5 minutes.",
    404: "No connection receives webhooks at this address: apply connections.yaml again.",
    429: "Too many requests come to this address: try again in a minute.",
    503: "The signing secrets could not be read, or the queue could not be written: see the "
    "runbook, or run milepost doctor.",
}
"""What to do about a test webhook that was not accepted, by the status of the response."""


@pages.get("/console/connections")
def show_connections(visit: Visit) -> Answer:
    """Every connection."""
    found = list_connections(visit.services).items
    conditions = Counter(TONES[one.health.condition][0] for one in found)
    return visit.page(
        "connections.html",
        found=[(one, next_poll(one)) for one in found],
        tones=TONES,
        in_trouble=conditions["bad"] + conditions["warn"],
    )


@pages.get("/console/connections/{connection}")
def show_one_connection(visit: Visit) -> Answer:
    """One connection with all its details."""
    one = show_connection(visit.path["connection"], visit.services)
    is_usable = one.health.condition not in (Condition.UNUSABLE, Condition.NOT_APPLIED)
    reads: dict[str, Callable[[], Any]] = {"address": lambda: webhook_address(visit, one.id)}
    operates = visit.operates(one.id)
    if is_usable and operates:
        secrets = visit.services.operations.signing_secrets
        reads["signing"] = lambda: secrets.state(one.id)
    parts = visit.parts(**reads)
    return visit.page(
        "connection.html",
        one=one,
        next_poll=next_poll(one),
        tone=TONES[one.health.condition],
        advice=ADVICE[one.health.condition],
        operates=operates,
        can_be_polled=is_usable,
        webhook_address=parts["address"],
        signing=parts.get("signing"),
        key=new_key(),
    )


@pages.post("/console/connections/{connection}/poll")
def poll_now(visit: Visit) -> Answer:
    """Poll it without waiting for the schedule."""
    connection = visit.path["connection"]
    since = start_of(day_of(visit.form, "since"))
    if since and since > visit.services.clock():
        raise Problem(422, "The day to read from is in the future.")
    asked = {
        "since": format_instant(since) if since else None,
        "announce": bool(since and visit.form.one("announce")),
    }
    visit.changes.make("POST", f"/connections/{segment(connection)}/poll", body=asked)
    return visit.go_to(
        f"/console/connections/{segment(connection)}",
        done=f"A poll of {connection} was started. Reload the page later to see its result.",
    )


@pages.post("/console/connections/{connection}/send-test")
def send_test(visit: Visit) -> Answer:
    """Send a test webhook, and show whether it arrived."""
    connection = visit.path["connection"]
    made = visit.changes.make("POST", f"/connections/{segment(connection)}/send-test")
    return visit.page("connection_test.html", made=made, advice=TEST_ADVICE.get(made["status"]))


@pages.post("/console/connections/{connection}/rotate-secret")
def rotate_secret(visit: Visit) -> Answer:
    """Make a new signing secret, which is shown once."""
    connection = visit.path["connection"]
    made = visit.changes.make(
        "POST", f"/connections/{segment(connection)}/rotate-secret", key=visit.form.one("key")
    )
    return visit.page("connection_secret.html", made=made)


@pages.post("/console/connections/{connection}/finish-rotation")
def finish_rotation(visit: Visit) -> Answer:
    """Keep only the new signing secret valid."""
    connection = visit.path["connection"]
    visit.changes.make("POST", f"/connections/{segment(connection)}/finish-rotation")
    return visit.go_to(
        f"/console/connections/{segment(connection)}",
        done="The rotation is finished: within 5 minutes only the new secret is accepted.",
    )


def next_poll(one: ConnectionView) -> datetime | None:
    """The approximate time of the next poll; None if it has no schedule, or was never polled."""
    minutes, health = one.settings.get("poll_minutes"), one.health
    tried = [said for said in (health.last_success_at, health.last_failure_at) if said]
    if not minutes or not tried:
        return None
    due = parse_instant(max(tried)) + timedelta(minutes=minutes)
    return max(due, parse_instant(health.not_before)) if health.not_before else due


def webhook_address(visit: Visit, connection: str) -> str:
    """Where the connection's provider sends its webhooks."""
    return f"{visit.services.public_url()}/webhooks/{segment(connection)}"
