"""The table of a stack's connections."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from cli.connections.health import condition_in_words, troubles
from cli.connections.provider_defaults import profile_of
from cli.connections.schedules import describe_expression
from cli.connections.stored_state import Stored
from cli.local_times import Moments, ago
from cli.stack import Stack

Seen: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Connections as the API shows them, with their health, by id."""


def connection_rows(stored: Stored, seen: Seen, *, now: datetime) -> Iterator[tuple[str, ...]]:
    """Id, provider, polling schedule, condition, last poll and last webhook of each connection."""
    for name in sorted(stored.ids):
        settings, health = stored.settings.get(name), _health(name, seen)
        yield (
            name,
            settings.provider if settings else _without_settings(name, stored),
            _polls(name, stored) or "off",
            condition_in_words(health) if health else "",
            ago(health.get("last_success_at"), now=now),
            ago(health.get("last_webhook_at"), now=now) or _webhooks(name, stored),
        )


def connection_records(stored: Stored, seen: Seen) -> Iterator[Mapping[str, Any]]:
    """The connections from the API; for a connection that the API doesn't return, the stored
    data.
    """
    for name in sorted(stored.ids):
        settings = stored.settings.get(name)
        unknown = {"id": name, "provider": settings.provider if settings else None}
        yield seen.get(name, unknown)


def remarks(connection_id: str, stored: Stored, seen: Seen, moments: Moments) -> Iterator[str]:
    """Details of a connection below its row: missing secrets, and failures."""
    yield from (f"{why}." for why in stored.unusable.get(connection_id, ()))
    missing = missing_credentials(connection_id, stored)
    if missing:
        yield f"{', '.join(missing)} missing: `milepost connections secret set`."
    if connection_id in stored.signing:
        match len(stored.signing_secrets(connection_id)):
            case 0:
                yield "its signing secret is missing, so no webhook is accepted."
            case 1:
                pass
            case count:
                yield (f"{count} signing secrets are active: a rotation is in progress.")
    if connection_id in seen and connection_id not in stored.unusable:
        yield from troubles(seen[connection_id], moments)


def overview_as_json(stored: Stored, seen: Seen, stack: Stack) -> list[dict[str, Any]]:
    """The same for scripts; for each secret, whether it is stored."""
    return [
        {
            "id": name,
            "provider": settings.provider if (settings := stored.settings.get(name)) else None,
            "base_url": settings.base_url if settings else None,
            "polls": _polls(name, stored),
            "webhook_url": stack.webhook_url(name) if name in stored.signing else None,
            "signing_secrets": len(stored.signing_secrets(name)),
            "credentials": sorted(stored.credentials.get(name, {})),
            "missing_credentials": missing_credentials(name, stored),
            "unusable": list(stored.unusable.get(name, ())),
            "health": _health(name, seen) or None,
        }
        for name in sorted(stored.ids)
    ]


def _without_settings(connection_id: str, stored: Stored) -> str:
    return "unusable" if connection_id in stored.unusable else "not applied"


def missing_credentials(connection_id: str, stored: Stored) -> list[str]:
    """The secrets that the provider requires and that are not stored."""
    settings = stored.settings.get(connection_id)
    there = stored.credentials.get(connection_id, {})
    needed = profile_of(settings.provider).credentials if settings else ()
    return [one for one in needed if not there.get(one)]


def _polls(connection_id: str, stored: Stored) -> str | None:
    schedule = stored.schedules.get(connection_id)
    if schedule is None:
        return None
    return describe_expression(schedule["ScheduleExpression"], state=schedule["State"])


def _health(connection_id: str, seen: Seen) -> Mapping[str, Any]:
    health: Mapping[str, Any] = seen.get(connection_id, {}).get("health", {})
    return health


def _webhooks(connection_id: str, stored: Stored) -> str:
    return "none yet" if connection_id in stored.signing else "no webhooks"
