"""Parses stored settings, each connection independently of the others.

They are JSON that ``milepost connections apply`` wrote, and that people may have edited since.
Invalid settings close only their own connection, so every error here is an ``UnusableConnection``.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

from milepost.common.business_days import UnknownCountry, UnknownRegion, business_days_of
from milepost.common.causes import CAUSES
from milepost.common.status import Status
from milepost.connections.connection import (
    SEARCH_FIELDS,
    CommissionTerms,
    Connection,
    FollowUp,
    SenderIdentity,
    TrackingPage,
    UnusableConnection,
)
from milepost.connections.declared_provider import ByVersion, Providers, UnusableProvider
from milepost.connections.matching_terms import repeated_terms
from milepost.connections.setting_values import (
    A_YEAR,
    MOST_OF_ANYTHING,
    MOST_TRACKING_DAYS,
    Wrong,
    mapping_of,
    matching,
    one_of,
    or_null,
    read_address,
    read_amount,
    read_day,
    read_days,
    read_email,
    read_hours,
    read_kinds,
    read_lines,
    read_options,
    read_order_page,
    read_phrases,
    read_text,
    read_zone,
    whole_number_up_to,
)
from milepost.connections.tracks import BUSINESS, TRACKS

NONE_DECLARED: Final[ByVersion] = {}


def read_settings(
    text: str, *, connection_id: str, providers: Providers, declared: ByVersion = NONE_DECLARED
) -> Connection:
    """The connection with these settings; keys of newer versions are ignored.

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
    """The provider that settings name, if they can be read."""
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
        raise Wrong("id differs from the name of the parameter")
    connection = Connection(**values)
    if connection.provider not in providers:
        connection = _with_declared(connection, providers, declared)
    _require_business_days(connection)
    return connection


def _with_declared(connection: Connection, providers: Providers, declared: ByVersion) -> Connection:
    """The connection with its provider's file, and the stages in that file."""
    if connection.provider_version is None:
        raise Wrong("provider doesn't exist")
    stored = declared.get((connection.provider, connection.provider_version))
    if stored is None:
        raise Wrong("provider_version is not stored: apply the provider's file again")
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
        raise Wrong("its country and region have no known business days") from None


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


def _follow_up(value: Any) -> FollowUp:
    if not isinstance(value, dict):
        raise Wrong("is no object")
    if "link" not in value:
        raise Wrong("has no link")
    return FollowUp(
        **{name: _read(name, read, value) for name, read in _FOLLOW_UP.items() if name in value}
    )


def _tracking(value: Any) -> TrackingPage:
    if not isinstance(value, dict):
        raise Wrong("is no object")
    return TrackingPage(
        **{name: _read(name, read, value) for name, read in _TRACKING.items() if name in value}
    )


def _search_fields(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        raise Wrong("is no list")
    read = one_of(*SEARCH_FIELDS)
    return frozenset(map(read, value))


def _commission(value: Any) -> tuple[CommissionTerms, ...]:
    # Terms for all orders may be given without a list.
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


_SENDER: Final[Mapping[str, Callable[[Any], Any]]] = {
    "company": read_text,
    "legal": or_null(read_lines),
    "contact": or_null(read_lines),
    "reply_to": or_null(read_email),
}
_TERMS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "amount": read_amount,
    "currency": matching("[A-Z]{3}", "EUR"),
    "due_day": whole_number_up_to(31),
    "recurring": one_of("none", "monthly"),
    "supplier": or_null(read_text),
    "service": or_null(read_text),
}
_FOLLOW_UP: Final[Mapping[str, Callable[[Any], Any]]] = {
    "link": read_address,
    "after_days": read_days,
}
_TRACKING: Final[Mapping[str, Callable[[Any], Any]]] = {
    "colour": matching("#[0-9a-fA-F]{6}", "#1f5a99"),
    "days": whole_number_up_to(MOST_TRACKING_DAYS),
}
_FIELDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "id": read_text,
    "provider": read_text,
    "provider_version": or_null(whole_number_up_to(MOST_OF_ANYTHING)),
    "base_url": read_address,
    "order_page": or_null(read_order_page),
    "token_url": or_null(read_address),
    "scopes": or_null(read_text),
    "page_size": whole_number_up_to(MOST_OF_ANYTHING),
    "requests_per_minute": whole_number_up_to(MOST_OF_ANYTHING),
    "poll_minutes": or_null(whole_number_up_to(A_YEAR * 24 * 60)),
    "service_type": or_null(read_text),
    "track": one_of(*TRACKS),
    "tracks": mapping_of(read_text, one_of(*TRACKS)),
    "statuses": mapping_of(
        read_text, one_of(*(one for one in Status if one is not Status.UNKNOWN))
    ),
    "stage_days": mapping_of(read_text, read_days),
    "stage_days_count": one_of("calendar", BUSINESS),
    "region": or_null(read_text),
    "escalate_after_days": read_days,
    "wait_days": mapping_of(read_text, read_days),
    "reminder_hours": read_hours,
    "follow_up": or_null(_follow_up),
    "time_zone": read_zone,
    "country": matching("[A-Z]{2}", "DE"),
    "language": read_text,
    "history_from": or_null(read_day),
    "contact": or_null(read_text),
    "customer_notices": read_kinds,
    "tracking": or_null(_tracking),
    "notices_per_hour": whole_number_up_to(MOST_OF_ANYTHING),
    "commission": lambda value: () if value is None else _commission(value),
    "sender": or_null(_sender),
    "causes": mapping_of(one_of(*CAUSES), read_phrases),
    "search_fields": _search_fields,
    "options": read_options,
}
