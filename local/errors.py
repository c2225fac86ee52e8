"""Errors that keep the local stack from starting."""


class CannotStart(Exception):
    """One line: what is wrong and what to do about it."""
