"""Limits of an action's arguments. Short: ``request_checks`` has the checks."""

from datetime import timedelta
from typing import Final

LONGEST_NOTE: Final = 2_000
"""Characters."""
LONGEST_REASON: Final = 500
"""Characters."""
FARTHEST_PLAN: Final = timedelta(days=366)
