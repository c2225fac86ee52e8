"""The primary keys of FiguresTable; no other module builds or parses them.

Sort keys of figures begin with the month, as in ``2026-03``, so that a year is one query.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from milepost.common.status import StageLevel

SCORECARDS: Final = "scorecards"
"""The partition of all scorecards."""

_ORDER: Final = "order#"
_CONNECTION: Final = "connection#"
_PROVIDER: Final = "provider#"


def counts_key(connection: str) -> dict[str, str]:
    """The key of a connection's counts: a number for each status, named after it."""
    return {"pk": f"counts#{connection}", "sk": "statuses"}


def counted_key(order: str) -> dict[str, str]:
    """The key of the item with what was counted of one order.

    :param order: as ``OrderKey`` is written
    """
    return {"pk": f"{_ORDER}{order}", "sk": "counted"}


def counted_order(item: Mapping[str, Any]) -> str:
    """The order to which an item with counts belongs."""
    return str(item["pk"]).removeprefix(_ORDER)


def end_of_month(month: str) -> str:
    """A text that sorts after all sort keys of this month, and before those of the next."""
    return f"{month}~"


def stages_partition(connection: str) -> str:
    """The partition of the stage durations of a connection."""
    return f"stages#{connection}"


def stage_key(
    connection: str,
    *,
    month: str,
    service_type: str,
    status: str,
    raw_status: str,
    level: StageLevel,
) -> dict[str, str]:
    """The key of a stage's tally of one month."""
    sk = f"{month}#{quote(service_type, safe='')}#{status}"
    if raw_status or level is not StageLevel.BOTH:
        sk += f"#{quote(raw_status, safe='')}#{level}"
    return {"pk": stages_partition(connection), "sk": sk}


def parts_of_stage(sort_key: str) -> tuple[str, str, str, str, StageLevel]:
    """Month, service type, status, raw status and level of a stage's tally."""
    month, service_type, status, *of_raw = sort_key.split("#")
    raw_status, level = of_raw or ("", StageLevel.BOTH)
    return month, unquote(service_type), status, unquote(raw_status), StageLevel(level)


def outcomes_partition(connection: str) -> str:
    """The partition of the numbers of orders with the same outcome."""
    return f"outcomes#{connection}"


def outcome_key(
    connection: str, *, month: str, service_type: str, status: str, cause: str
) -> dict[str, str]:
    sk = f"{month}#{quote(service_type, safe='')}#{status}#{quote(cause, safe='')}"
    return {"pk": outcomes_partition(connection), "sk": sk}


def parts_of_outcome(sort_key: str) -> tuple[str, str, str, str]:
    """Month, service type, status and cause of an outcome."""
    month, service_type, status, cause = sort_key.split("#")
    return month, unquote(service_type), status, unquote(cause)


def acceptances_partition(connection: str) -> str:
    """The partition of the times until acceptance."""
    return f"acceptances#{connection}"


def acceptance_key(
    connection: str, *, month: str, service_type: str, identifiers: str
) -> dict[str, str]:
    sk = f"{month}#{quote(service_type, safe='')}#{identifiers}"
    return {"pk": acceptances_partition(connection), "sk": sk}


def parts_of_acceptance(sort_key: str) -> tuple[str, str, str]:
    """Month, service type and kind of identifiers of a tally of acceptances."""
    month, service_type, identifiers = sort_key.split("#")
    return month, unquote(service_type), identifiers


def forecasts_key(connection: str) -> dict[str, str]:
    """The key of a connection's table of forecasts."""
    return {"pk": f"forecasts#{connection}", "sk": "table"}


def connection_scorecard_key(connection: str) -> dict[str, str]:
    return {"pk": SCORECARDS, "sk": f"{_CONNECTION}{connection}"}


def provider_scorecard_key(provider: str) -> dict[str, str]:
    return {"pk": SCORECARDS, "sk": f"{_PROVIDER}{provider}"}


def is_of_provider(item: Mapping[str, Any]) -> bool:
    """Whether a scorecard is a provider's; if not, it is a connection's."""
    return str(item["sk"]).startswith(_PROVIDER)
