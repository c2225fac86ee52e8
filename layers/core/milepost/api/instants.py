"""Instants in requests, with a time zone. Short: several routes share it."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

from milepost.common.allowed_years import require_near

Instant = Annotated[AwareDatetime, AfterValidator(require_near)]
"""Such as ``2026-03-01T09:00:00Z``."""
