"""Tracks: how long an order may take in total. Short: one table, shared by settings and
deadlines.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

_DAY: Final = timedelta(days=1)

TRACKS: Final[Mapping[str, timedelta]] = {
    "fast": 7 * _DAY,
    "standard": 14 * _DAY,
    "extended": 30 * _DAY,
}
"""How long an order takes at most from its start, by track.

Source: Offergrid's reseller documentation (3 to 7, 7 to 14, 14 to 30 days), used for every provider
that names no times of its own; ``stage_days`` of a connection says otherwise.
"""


BUSINESS: Final = "business"
"""The clock of deadlines that counts business days only."""
