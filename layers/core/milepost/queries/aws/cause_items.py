"""Items of FiguresTable with figures of causes: why orders ended, and how fast they were accepted.

There is a number for each connection, month, service type, status and cause, and a tally for each
connection, month, service type and kind of identifiers.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from milepost.aws import figures_keys
from milepost.common.status import Status
from milepost.queries.cause_figures import Acceptance, AcceptanceKey, Ending, OutcomeKey

NUMBER: Final = "n"


def outcome_key(key: OutcomeKey) -> dict[str, str]:
    """The key of the number of orders with the same outcome."""
    return figures_keys.outcome_key(
        key.connection,
        month=key.month,
        service_type=key.service_type,
        status=key.status,
        cause=key.cause,
    )


def acceptance_key(key: AcceptanceKey) -> dict[str, str]:
    """The key of a tally of acceptances."""
    return figures_keys.acceptance_key(
        key.connection,
        month=key.month,
        service_type=key.service_type,
        identifiers=key.identifiers,
    )


def outcome_of(connection_id: str, item: Mapping[str, Any]) -> tuple[OutcomeKey, int]:
    """The outcomes in an item."""
    month, service_type, status, cause = figures_keys.parts_of_outcome(item["sk"])
    key = OutcomeKey(connection_id, month, service_type, Status(status), cause)
    return key, int(item.get(NUMBER, 0))


def acceptance_key_of(connection_id: str, sk: str) -> AcceptanceKey:
    """The tally of acceptances of a sort key."""
    return AcceptanceKey(connection_id, *figures_keys.parts_of_acceptance(sk))


def stored_ending(one: Ending | None) -> Sequence[str] | None:
    """The stored form of an ending, which is a part of what was counted of its order."""
    return [str(one.status), one.month, one.service_type, one.cause] if one else None


def read_ending(stored: Iterable[Any] | None) -> Ending | None:
    if stored is None:
        return None
    status, month, service_type, cause = stored
    return Ending(Status(status), month, service_type, cause)


def stored_acceptance(one: Acceptance | None) -> Sequence[str | int] | None:
    """The stored form of an acceptance, which is a part of what was counted of its order."""
    return [one.month, one.service_type, one.identifiers, one.milliseconds] if one else None


def read_acceptance(stored: Iterable[Any] | None) -> Acceptance | None:
    if stored is None:
        return None
    month, service_type, identifiers, milliseconds = stored
    return Acceptance(month, service_type, identifiers, int(milliseconds))
