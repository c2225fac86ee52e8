"""Idempotency keys of requests. Short: the routes that take one share it."""

from typing import Annotated, Final
from uuid import uuid4

from aws_lambda_powertools.event_handler.openapi.params import Header

from milepost.api import text_patterns
from milepost.api.problems import Problem

KEY_HEADER: Final = "idempotency-key"
KeyHeader = Annotated[
    str | None,
    Header(
        description="Makes repeating the request safe: a request is carried "
        "out once for each key. Created if absent.",
        pattern=text_patterns.IDEMPOTENCY_KEY,
        max_length=128,
        alias="Idempotency-Key",
    ),
]


def new_key() -> str:
    """A new key for a request without one."""
    return uuid4().hex


def reused(error: Exception) -> Problem:
    """The problem for a key that was already used with another request."""
    text = str(error)
    return Problem(422, f"{text[0].upper()}{text[1:]}.")
