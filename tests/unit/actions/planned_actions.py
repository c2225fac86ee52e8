"""Planned actions."""

from datetime import timedelta

SPIRII = "spirii-charge"
HOUR = timedelta(hours=1)
