"""Errors that every package may raise: what was read can't be used, or can't be read now."""


class BadPayload(ValueError):
    """Authentic but unreadable: the message says what is wrong and where, without the data."""


class DatedAhead(BadPayload):
    """Dated further ahead than clocks differ; when its time has come it can be read."""


class OrdersUnavailable(Exception):
    """The orders can't be read now: nothing is known of them, and nothing may be concluded."""
