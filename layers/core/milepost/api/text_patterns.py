"""The patterns of ids and other texts in requests, and a description of each. Short: a table."""

from collections.abc import Mapping
from typing import Final

ACTION: Final = r"^[a-z_]+$"
CUSTOMER_ID: Final = r"^[0-9a-f]{16}(?:[0-9a-f]{8})?$"
CURSOR: Final = r"^[A-Za-z0-9_-]*$"
EXPORT_ID: Final = r"^[0-9a-f]{24}$"
GROUP_ID: Final = r"^[^:]+:[^:]+$"
IDEMPOTENCY_KEY: Final = r"^[!-9;-~]+$"
KEPT_ID: Final = r"^[^:]+:\d{4}-\d\d-\d\d:[0-9a-f]{32}$"
MONTH: Final = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
NOTICE_ID: Final = r"^[^:]+(:[^:]+){5,6}$"
SHORT_HEX_ID: Final = r"^[0-9a-f]{16}$"
"""Of a batch."""
SUPPRESSION_ID: Final = r"^[0-9a-f]{32}(:(team|customer))?$"
VIEW_ID: Final = r"^[a-z0-9][a-z0-9-]*$"

LOOKS_LIKE: Final[Mapping[str, str]] = {
    ACTION: "a name has small letters and underscores alone",
    CUSTOMER_ID: "a customer's id has 16 or 24 hex digits, as in 12f803998b2500a3",
    SHORT_HEX_ID: "the id has 16 hex digits, as in 12f803998b2500a3",
    CURSOR: "a cursor is the `next` of a page, unchanged: start without one",
    EXPORT_ID: "an export's id has 24 hex digits, as in 6a1b2c3d12f803998b2500a3",
    GROUP_ID: "a group's id looks like connection:order",
    IDEMPOTENCY_KEY: "a key has letters, digits and signs of ASCII, without spaces and colons",
    KEPT_ID: "an id of the quarantine looks like connection:2026-03-01:0a1b2c..., with 32 hex "
    "digits at its end",
    MONTH: "a month looks like 2026-03",
    NOTICE_ID: "a notice's id looks like connection:order:item:1:email:0a1b2c3d4e5f",
    SUPPRESSION_ID: "a suppression's id has 32 hex digits, and :customer or :team where it is for "
    "that audience alone",
    VIEW_ID: "a view's id has small letters, digits and hyphens alone",
}
"""The error text for each pattern, for values that don't match it."""
