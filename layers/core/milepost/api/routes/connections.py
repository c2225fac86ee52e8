"""Connections: their settings and health, and a poll outside its schedule."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import uuid4

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import ConfigDict, Field

from milepost.api.dependencies import Given, Services
from milepost.api.instants import Instant
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.problems import Conflict, Fault, NotFound, Problem
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection, UnknownConnection
from milepost.connections.drift import recent
from milepost.connections.health import (
    NOT_APPLIED,
    Condition,
    Contact,
    Health,
    health_of,
    is_still_scheduled,
    still_scheduled,
)
from milepost.connections.poll_request import PollRequest
from milepost.orders.report import MAX_CLOCK_SKEW

router = Router()

MOST_REQUESTS: Final = 50
"""Maximum number of waiting poll requests of one connection."""

ConnectionPath = Annotated[str, Path(description="A connection's id.", max_length=64)]


class HealthView(Shape):
    """The state of its polls, and when its last webhook arrived."""

    condition: str = Field(
        description="`works`, `failing`, `waiting` (the provider asked us to), `late`, "
        "`never_polled`, `not_polled` (it has no schedule), `unusable` (its stored settings "
        "can't be used; `last_error` says why), `not_applied` (its settings are gone, and its "
        "schedule still runs)."
    )
    last_success_at: str | None
    last_failure_at: str | None
    last_error: str | None
    failures: int = Field(description="Polls that failed in a row.")
    not_before: str | None = Field(description="Until when the provider asked us to wait.")
    lag_seconds: int | None = Field(description="How late its polls are.")
    is_polled_now: bool
    is_paused: bool = Field(
        description="Whether a poll ran out of time; the next one continues where it stopped."
    )
    seen_until: str | None = Field(
        description="The time of the last change that has been "
        "recorded; all earlier ones have been recorded "
        "too."
    )
    last_webhook_at: str | None = Field(description="To the minute.")


class PollRequestView(Shape):
    """A poll request that no complete poll has fulfilled yet; the next poll fulfils it."""

    id: str
    requested_at: str
    since: str | None
    announce: bool
    failed_at: str | None = Field(
        description="When a poll for this request last failed; the next poll tries again."
    )


class DriftView(Shape):
    """A change in the payloads of a connection's provider."""

    kind: str = Field(description="`new_field`, `new_type`, `missing_field` or `unknown_status`.")
    place: str = Field(description="The payload and the path of the field.")
    detail: str = Field(
        description="Its type with the form of a value, in which letters are `a` and digits `0`; "
        "for an unknown status the word."
    )
    seen_at: str


class ConnectionView(Shape):
    """One account at one provider."""

    id: str
    provider: str | None = Field(description="None if the stored settings don't name it.")
    settings: dict[str, Any] = Field(
        description="All settings; none is secret. Empty if they can't be used."
    )
    health: HealthView
    requests: list[PollRequestView] = Field(
        description="Requests for polls that have not been fulfilled, the oldest first."
    )
    drift: list[DriftView] = Field(
        description="What changed in the provider's payloads within 30 days, the newest first."
    )


class ConnectionList(Shape):
    """Every connection, by id."""

    items: list[ConnectionView]


class PollAsked(Shape):
    """What to poll in addition to new changes."""

    model_config = ConfigDict(extra="forbid")

    since: Instant | None = Field(
        default=None, description="Read everything that has changed since then again."
    )
    announce: bool = Field(
        default=False, description="Whether people are notified of changes that this finds."
    )


class PollStarted(Shape):
    """The request is stored, and a poll was started."""

    connection: str
    request: str = Field(
        description="The request's id: it is fulfilled when the connection's "
        "`requests` no longer contain it."
    )
    since: str | None


@router.get(
    "/connections",
    summary="Every connection and whether it works",
    tags=["connections"],
    operation_id="list_connections",
    responses=may_answer(200),
)
def list_connections(services: Given) -> ConnectionList:
    contacts, applied = services.operations.contacts.all(), services.connection_ids()
    names = [*applied, *still_scheduled(contacts, applied=applied, now=services.clock())]
    return ConnectionList(
        items=[_view_of(name, contacts.get(name, Contact()), services) for name in sorted(names)]
    )


@router.get(
    "/connections/<connection>",
    summary="One connection and whether it works",
    tags=["connections"],
    operation_id="show_connection",
    responses=may_answer(200, 404),
)
def show_connection(connection: ConnectionPath, services: Given) -> ConnectionView:
    contact = services.operations.contacts.get(connection)
    return _view_of(connection, contact, services)


@router.post(
    "/connections/<connection>/poll",
    summary="Poll now, without waiting for the schedule",
    tags=["connections"],
    operation_id="poll_connection",
    status_code=202,
    responses=may_answer(202, 404, 409),
)
def poll_connection(
    connection: ConnectionPath,
    services: Given,
    asked: Annotated[PollAsked | None, Body()] = None,
) -> PollStarted:
    found = find_connection(connection, services)
    if asked and asked.announce and asked.since is None:
        raise Conflict(
            "A poll for new changes always notifies people: "
            "`announce` is only for a request with `since`."
        )
    if asked and asked.since and asked.since - services.clock() > MAX_CLOCK_SKEW:
        late = "is later than it is now, so nothing can have changed since"
        raise Problem(422, f"`since` {late}.", errors=[Fault(where="body.since", what=late)])
    if len(services.operations.contacts.get(found.id).requests) >= MOST_REQUESTS:
        raise Conflict(
            f"{MOST_REQUESTS} requests for polls of {found.id} are already "
            "waiting: the next complete poll fulfils them all."
        )
    request = PollRequest(
        id=uuid4().hex,
        requested_at=services.clock(),
        since=asked.since if asked else None,
        announce=asked.announce if asked else False,
    )
    services.operations.polls.start(found.id, request)
    return PollStarted(connection=found.id, request=request.id, since=_instant(request.since))


def find_connection(connection_id: str, services: Services) -> Connection:
    """The connection with this id.

    :raises NotFound: when there is none
    """
    try:
        return services.connections.get(connection_id)
    except UnknownConnection:
        listed = ", ".join(services.connection_ids()) or "none"
        raise NotFound(f"There is no connection {connection_id}; there are: {listed}.") from None


def _view_of(connection_id: str, contact: Contact, services: Services) -> ConnectionView:
    now = services.clock()
    if bad := services.connections.unusable().get(connection_id):
        return _closed_view(
            connection_id, contact, Condition.UNUSABLE, bad.why, provider=bad.provider, now=now
        )
    is_applied = connection_id in services.connections.all()
    if not is_applied and is_still_scheduled(contact, now=now):
        return _closed_view(
            connection_id, contact, Condition.NOT_APPLIED, NOT_APPLIED, provider=None, now=now
        )
    connection = find_connection(connection_id, services)
    return ConnectionView(
        id=connection.id,
        provider=connection.provider,
        settings=_settings(connection),
        health=_health_view(
            health_of(connection, contact, now=now),
            contact,
            last_error=contact.last_error if contact.failures else None,
            now=now,
        ),
        requests=_request_views(contact),
        drift=_drift_views(contact, now=now),
    )


def _closed_view(
    connection_id: str,
    contact: Contact,
    condition: Condition,
    why: str,
    *,
    provider: str | None,
    now: datetime,
) -> ConnectionView:
    """A connection that can't be used, and why."""
    health = Health(condition=condition, lag=None)
    return ConnectionView(
        id=connection_id,
        provider=provider,
        settings={},
        health=_health_view(health, contact, last_error=why, now=now),
        requests=_request_views(contact),
        drift=_drift_views(contact, now=now),
    )


def _request_views(contact: Contact) -> list[PollRequestView]:
    return [
        PollRequestView(
            id=one.id,
            requested_at=format_instant(one.requested_at),
            since=_instant(one.since),
            announce=one.announce,
            failed_at=_instant(one.failed_at),
        )
        for one in contact.requests
    ]


def _drift_views(contact: Contact, *, now: datetime) -> list[DriftView]:
    return [
        DriftView(
            kind=str(one.kind),
            place=one.place,
            detail=one.detail,
            seen_at=format_instant(one.seen_at),
        )
        for one in recent(contact.drift.changes, now=now)
    ]


def _health_view(
    health: Health, contact: Contact, *, last_error: str | None, now: datetime
) -> HealthView:
    return HealthView(
        condition=str(health.condition),
        last_success_at=_instant(contact.last_success_at),
        last_failure_at=_instant(contact.last_failure_at),
        last_error=last_error,
        failures=contact.failures,
        not_before=_instant(contact.not_before if contact.failures else None),
        lag_seconds=None if health.lag is None else int(health.lag.total_seconds()),
        is_polled_now=contact.polling_until is not None and contact.polling_until >= now,
        is_paused=contact.is_paused,
        seen_until=_instant(contact.cursor),
        last_webhook_at=_instant(contact.last_webhook_at),
    )


def _settings(connection: Connection) -> dict[str, Any]:
    settings = asdict(connection)
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in settings.items()
        if name not in ("id", "provider")
    }


def _instant(moment: Any) -> str | None:
    return format_instant(moment) if moment else None
