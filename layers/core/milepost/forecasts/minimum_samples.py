"""Minimum numbers of orders for a figure to be shown. Short: every threshold, each with its reason.

With fewer, a figure would change with each further order, and people would act on chance.
"""

from typing import Final

FOR_FORECAST: Final = 30
"""Orders at risk at a landmark, before a forecast is made from them. Higher minimums are more
certain, but most teams would get no forecasts then: docs/forecasts.md compares them."""
FOR_WIDENING: Final = 30
"""Forecasts that must have come due before intervals are made wider or narrower by them."""
FOR_STAGE_SCORE: Final = 20
"""Orders that must have been in a stage in a scorecard's period for its times to say something."""
FOR_COMPARISON: Final = 20
"""Orders that must have left a stage before, and as many that should have left it lately, before
it can count as slowing down: the log-rank test's normal approximation is poor for few."""
FOR_PERCENTILE: Final = 20
"""Stages that must have ended before their median and 90th percentile are shown. Of fewer than ten,
the percentile would be the longest one."""
