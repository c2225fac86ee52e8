"""The choices for an order list. Short: the command imports it at each start."""

from enum import StrEnum


class Due(StrEnum):
    """When something is due, relative to today in the order's time zone. Weeks begin on Monday."""

    THIS_WEEK = "this_week"
    NEXT_WEEK = "next_week"
    OVERDUE = "overdue"


class Sort(StrEnum):
    """How a list is sorted; orders that are equal by it are sorted by their next date."""

    NEXT_DATE = "next_date"
    SINCE = "since"
    CUSTOMER = "customer"
    PROVIDER = "provider"
    FORECAST = "forecast"
    """By when they will probably be completed; orders without a forecast come last."""
