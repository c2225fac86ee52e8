"""Errors of input that can't be used or read. Short: every package raises them."""


class BadPayload(ValueError):
    """Authentic but unreadable: the message says what is wrong and where, without the data."""


class DatedAhead(BadPayload):
    """Dated further ahead than clocks differ; when its time has come it can be read."""


class OrdersUnavailable(Exception):
    """The orders can't be read now: nothing is known of them, and nothing may be concluded."""
