"""The connections of a stack at a glance."""

from collections.abc import Iterator
from typing import Any

from cli.connections.profiles import profile_of
from cli.connections.schedules import describe_expression
from cli.connections.stored import Stored
from cli.stack import Stack


def connection_rows(stored: Stored) -> Iterator[tuple[str, ...]]:
    """Id, provider, polls, credentials and signing secrets of each, in words."""
    for name in sorted(stored.ids):
        settings = stored.settings.get(name)
        yield (
            name,
            settings.provider if settings else "not applied",
            _polls(name, stored) or "off",
            _credentials(name, stored),
            _signing(name, stored),
        )


def overview_as_json(stored: Stored, stack: Stack) -> list[dict[str, Any]]:
    """The same for scripts; secrets as whether they are there."""
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
        }
        for name in sorted(stored.ids)
    ]


def missing_credentials(connection_id: str, stored: Stored) -> list[str]:
    """What the provider asks for and is not stored."""
    settings = stored.settings.get(connection_id)
    there = stored.credentials.get(connection_id, {})
    needed = profile_of(settings.provider).credentials if settings else ()
    return [one for one in needed if not there.get(one)]


def _polls(connection_id: str, stored: Stored) -> str | None:
    schedule = stored.schedules.get(connection_id)
    if schedule is None:
        return None
    return describe_expression(schedule["ScheduleExpression"], state=schedule["State"])


def _credentials(connection_id: str, stored: Stored) -> str:
    missing = missing_credentials(connection_id, stored)
    if missing:
        return f"{', '.join(missing)} missing"
    return "stored" if stored.credentials.get(connection_id) else "none"


def _signing(connection_id: str, stored: Stored) -> str:
    if connection_id not in stored.signing:
        return "no webhooks"
    match len(stored.signing_secrets(connection_id)):
        case 0:
            return "missing"
        case 1:
            return "stored"
        case count:
            return f"{count} live, rotating"
