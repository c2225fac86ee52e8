"""Reading a connection's stored settings, each connection by itself.

They are JSON that ``milepost connections apply`` wrote, and that people may have edited since. What
can't be used closes that connection alone, so everything here ends in ``UnusableConnection``.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from milepost.common.business_days import UnknownCountry, UnknownRegion, business_days_of
from milepost.common.causes import CAUSES, LONGEST_PATTERN, MOST_PATTERNS, is_phrase
from milepost.common.email_addresses import is_email
from milepost.common.status import Status
from milepost.connections.commission_terms import repeated_terms
from milepost.connections.connection import (
    BUSINESS,
    SEARCH_FIELDS,
    TRACKS,
    CommissionTerms,
    Connection,
    FollowUp,
    SenderIdentity,
    UnusableConnection,
)
from milepost.connections.declared_provider import ByVersion, Providers, UnusableProvider

NONE_DECLARED: Final[ByVersion] = {}


class Wrong(Exception):
    """What is wrong with a setting, in words that follow its name."""


MOST_REMINDER_HOURS: Final = 336
"""Two weeks before an appointment: nobody is reminded earlier."""
DEEPEST: Final = 20
"""Levels of objects and lists in ``options``."""
_A_YEAR: Final = 366
_MOST_OF_ANYTHING: Final = 1_000_000


def read_settings(
    text: str, *, connection_id: str, providers: Providers, declared: ByVersion = NONE_DECLARED
) -> Connection:
    """The connection that these settings describe; keys of newer versions are ignored.

    :param connection_id: by the name under which they are stored, which ``id`` has to repeat
    :param providers: the adapters that there are
    :param declared: the providers that files declare
    :raises UnusableConnection: says which setting is wrong and never what it is: somebody may have
        put a secret there
    """
    try:
        return _connection(text, connection_id, providers, declared)
    except Wrong as wrong:
        raise UnusableConnection(
            f"the settings of {connection_id} can't be used: {wrong}"
        ) from None


def provider_named_in(
    text: str, *, providers: Providers, declared: ByVersion = NONE_DECLARED
) -> str | None:
    """Which provider settings name, as far as they can be read at all."""
    try:
        named = _json(text).get("provider")
    except Wrong:
        return None
    if not isinstance(named, str):
        return None
    is_known = named in providers or any(name == named for name, _ in declared)
    return named if is_known else None


def _connection(
    text: str, connection_id: str, providers: Providers, declared: ByVersion
) -> Connection:
    said = _json(text)
    for name in ("id", "provider", "base_url"):
        if name not in said:
            raise Wrong(f"{name} is missing")
    values = {name: _read(name, read, said) for name, read in _FIELDS.items() if name in said}
    if values["id"] != connection_id:
        raise Wrong("id is not the name of the parameter")
    connection = Connection(**values)
    if connection.provider not in providers:
        connection = _with_declared(connection, providers, declared)
    _require_business_days(connection)
    return connection


def _with_declared(connection: Connection, providers: Providers, declared: ByVersion) -> Connection:
    """The connection with its provider's file, and what that says of stages."""
    if connection.provider_version is None:
        raise Wrong("provider is none that there is")
    stored = declared.get((connection.provider, connection.provider_version))
    if stored is None:
        raise Wrong("provider_version is none that is stored: apply the provider's file again")
    try:
        providers.check(stored)
    except UnusableProvider as unusable:
        raise Wrong(f"provider has a file that can't be used: {unusable}") from None
    usual = json.loads(stored.text).get("lifecycle", {}).get("stage_days", {})
    return replace(connection, declared=stored, provider_stage_days=usual)


def _require_business_days(connection: Connection) -> None:
    if connection.stage_days_count != BUSINESS:
        return
    try:
        business_days_of(connection.country, connection.region)
    except (UnknownCountry, UnknownRegion):
        raise Wrong("no business days are known of its country and region") from None


def _read(name: str, read: Callable[[Any], Any], said: Mapping[str, Any]) -> Any:
    try:
        return read(said[name])
    except Wrong as wrong:
        raise Wrong(f"{name} {wrong}") from None


def _json(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Wrong("they are not JSON") from None
    if not isinstance(said, dict):
        raise Wrong("they are not one JSON object")
    return said


def _no_number(_name: str) -> NoReturn:
    raise ValueError


# Each of these takes a value as JSON gave it, and raises Wrong with what follows the setting's
# name: "is no whole number".


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Wrong("is no text of one line")
    return value


def _address(value: Any) -> str:
    wrong = "is no plain address such as https://api.example.com/v1"
    try:
        parts = urlsplit(_text(value))
        is_plain = parts.port != 0 and not (parts.username or parts.password or parts.fragment)
    except (ValueError, Wrong):
        raise Wrong(wrong) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or not is_plain:
        raise Wrong(wrong)
    if not value.isascii() or " " in value:
        raise Wrong(wrong)
    return str(value)


def _whole(most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            raise Wrong(f"is no whole number from 1 to {most}")
        return value

    return read


def _days(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or not 0 <= value <= 10 * _A_YEAR:
        raise Wrong("is no number of days")
    return float(value) if isinstance(value, float) else value


def _hours(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise Wrong("is no list")
    for one in value:
        is_number = isinstance(one, int | float) and not isinstance(one, bool)
        if not is_number or not 0 < one <= MOST_REMINDER_HOURS:
            raise Wrong(f"has what is no number of hours up to {MOST_REMINDER_HOURS}")
    return tuple(sorted({float(one) for one in value}, reverse=True))


def _follow_up(value: Any) -> FollowUp:
    if not isinstance(value, dict):
        raise Wrong("is no object")
    if "link" not in value:
        raise Wrong("has no link")
    return FollowUp(
        **{name: _read(name, read, value) for name, read in _FOLLOW_UP.items() if name in value}
    )


def _zone(value: Any) -> str:
    try:
        ZoneInfo(_text(value))
    except (ValueError, KeyError, OSError, Wrong):
        raise Wrong("is no time zone such as Europe/Berlin") from None
    return str(value)


def _matching(pattern: str, example: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise Wrong(f"is nothing like {example}")
        return value

    return read


def _one_of(*known: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise Wrong(f"is none of {', '.join(known)}")
        return value

    return read


def _mapping(
    key: Callable[[Any], str], value: Callable[[Any], Any]
) -> Callable[[Any], dict[str, Any]]:
    def read(said: Any) -> dict[str, Any]:
        if not isinstance(said, dict):
            raise Wrong("is no object")
        return {key(name): value(one) for name, one in said.items()}

    return read


def _kinds(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        raise Wrong("is no list")
    return frozenset(map(_text, value))


def _search_fields(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        raise Wrong("is no list")
    read = _one_of(*SEARCH_FIELDS)
    return frozenset(map(read, value))


def _phrases(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_PATTERNS:
        raise Wrong(f"is no list of at most {MOST_PATTERNS} phrases")
    if not all(isinstance(one, str) and is_phrase(one) for one in value):
        raise Wrong(f"is no list of phrases of up to {LONGEST_PATTERN} characters")
    return tuple(value)


def _options(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong("is no object")
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    if level:
        raise Wrong(f"is nested deeper than {DEEPEST} levels")
    return value


def _commission(value: Any) -> tuple[CommissionTerms, ...]:
    # Terms for all orders may stand alone, without a list around them.
    terms = tuple(map(_terms, value if isinstance(value, list) else [value]))
    if repeated_terms(terms) is not None:
        raise Wrong("has several terms for the same supplier and service")
    return terms


def _terms(value: Any) -> CommissionTerms:
    if not isinstance(value, dict):
        raise Wrong("is no object")
    for name in ("amount", "currency"):
        if name not in value:
            raise Wrong(f"has no {name}")
    return CommissionTerms(
        **{name: _read(name, read, value) for name, read in _TERMS.items() if name in value}
    )


def _sender(value: Any) -> SenderIdentity:
    if not isinstance(value, dict):
        raise Wrong("is no object")
    if "company" not in value:
        raise Wrong("has no company")
    return SenderIdentity(
        **{name: _read(name, read, value) for name, read in _SENDER.items() if name in value}
    )


def _lines(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong("is no text")
    for line in value.splitlines():
        if line:
            _text(line)
    return value


def _email(value: Any) -> str:
    if not isinstance(value, str) or not is_email(value):
        raise Wrong("is no email address")
    return value


def _amount(value: Any) -> str:
    try:
        amount = Decimal(_text(value))
    except (InvalidOperation, Wrong):
        raise Wrong("is no amount") from None
    if not amount.is_finite() or not 0 <= amount < 10**12:
        raise Wrong("is no amount")
    return str(value)


def _or_null(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


_SENDER: Final[Mapping[str, Callable[[Any], Any]]] = {
    "company": _text,
    "legal": _or_null(_lines),
    "contact": _or_null(_lines),
    "reply_to": _or_null(_email),
}
_TERMS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "amount": _amount,
    "currency": _matching("[A-Z]{3}", "EUR"),
    "due_day": _whole(31),
    "recurring": _one_of("none", "monthly"),
    "supplier": _or_null(_text),
    "service": _or_null(_text),
}
_FOLLOW_UP: Final[Mapping[str, Callable[[Any], Any]]] = {
    "link": _address,
    "after_days": _days,
}
_FIELDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "id": _text,
    "provider": _text,
    "provider_version": _or_null(_whole(_MOST_OF_ANYTHING)),
    "base_url": _address,
    "token_url": _or_null(_address),
    "scopes": _or_null(_text),
    "page_size": _whole(_MOST_OF_ANYTHING),
    "requests_per_minute": _whole(_MOST_OF_ANYTHING),
    "poll_minutes": _or_null(_whole(_A_YEAR * 24 * 60)),
    "service_type": _or_null(_text),
    "track": _one_of(*TRACKS),
    "tracks": _mapping(_text, _one_of(*TRACKS)),
    "statuses": _mapping(_text, _one_of(*(one for one in Status if one is not Status.UNKNOWN))),
    "stage_days": _mapping(_text, _days),
    "stage_days_count": _one_of("calendar", BUSINESS),
    "region": _or_null(_text),
    "escalate_after_days": _days,
    "wait_days": _mapping(_text, _days),
    "reminder_hours": _hours,
    "follow_up": _or_null(_follow_up),
    "time_zone": _zone,
    "country": _matching("[A-Z]{2}", "DE"),
    "language": _text,
    "contact": _or_null(_text),
    "customer_notices": _kinds,
    "notices_per_hour": _whole(_MOST_OF_ANYTHING),
    "commission": lambda value: () if value is None else _commission(value),
    "sender": _or_null(_sender),
    "causes": _mapping(_one_of(*CAUSES), _phrases),
    "search_fields": _search_fields,
    "options": _options,
}
