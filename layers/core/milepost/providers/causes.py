"""What went wrong, in one word: a provider's free text as one of the documented causes."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

CAUSES: Final[Mapping[str, re.Pattern[str]]] = {
    cause: re.compile(pattern, re.IGNORECASE)
    for cause, pattern in {
        "missing_unit_number": r"\b(unit|apartment|flat)\b.{0,20}\b(number|missing|required)\b"
        r"|\bmissing\b.{0,20}\bunit\b",
        "outside_service_area": r"outside.{0,20}(service )?area|out of (service )?area"
        r"|not (available|serviced|serviceable).{0,20}(address|area|location)|no coverage",
        "invalid_address": r"(invalid|incorrect|wrong|incomplete|unknown).{0,20}address"
        r"|address.{0,30}(invalid|incorrect|wrong|incomplete|not found|could not be found)",
        "customer_not_home": r"not (at )?home|no ?one (was )?(at )?home|nobody (was )?(at )?home"
        r"|no access to (the )?(property|premises)|missed appointment",
        "customer_unreachable": r"(could|can)( ?not|n?['’]t) (be )?(reach|contact)|unreachable"
        r"|unable to (reach|contact)|no (answer|response) from",
        "customer_cancelled": r"customer.{0,20}(cancel|withdr[ae]w|changed (their|his|her) mind)"
        r"|cancell?ed by (the )?customer",
        "equipment_not_available": r"equipment|hardware|modem|out of stock|stock",
        "installation_complications": r"installation|install|cabling|wiring|conduit|trench",
        "service_interruption": r"outage|interrupt|disruption|network fault",
    }.items()
}
"""Source: Offergrid's reseller documentation, "common issues". First match wins."""


@lru_cache(maxsize=256)
def cause_of(reason: str | None) -> str | None:
    """The cause that a reason names; ``other`` for a reason that names none of them."""
    if not reason:
        return None
    found = (cause for cause, pattern in CAUSES.items() if pattern.search(reason))
    return next(found, "other")
