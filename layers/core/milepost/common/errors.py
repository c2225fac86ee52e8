"""Errors of input that can't be used or read. Short: every package raises them."""


class BadPayload(ValueError):
    """Authentic but unreadable: the message says what is wrong and where, without the data."""


class DatedAhead(BadPayload):
    """Dated further in the future than clocks may differ; it can be read once that time has
    come.
    """


class OrdersUnavailable(Exception):
    """The orders can't be read now: callers must not conclude anything about them."""
