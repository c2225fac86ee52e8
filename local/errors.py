"""What can keep the local stack from starting, said to a person."""


class CannotStart(Exception):
    """One line: what is wrong and what to do about it."""
