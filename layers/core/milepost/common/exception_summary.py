"""Summaries of exceptions for logs: the class and where it was raised, never the message.

Messages of libraries quote their input: ``Invalid header value b'Bearer ...'``. They must not reach
a log, a stored item or a response. Imports little, since it runs in every function.
"""

from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, Final, TypeVar

MOST_PLACES: Final = 8
_DEEPEST_CHAIN: Final = 4
_LONGEST_CODE: Final = 80
Answer = TypeVar("Answer")


class OwnWords(Exception):
    """An exception of Milepost whose message may be logged, since it contains no data and no
    secrets.
    """


class HandlerFailed(Exception):
    """An invocation failed. Raised instead of the original exception, whose message Lambda's
    runtime would log."""


def describe(error: BaseException) -> str:
    """The class of an exception and of its causes, each with the places in the code where it was
    raised.
    """
    said: list[str] = []
    one: BaseException | None = error
    while one is not None and len(said) < _DEEPEST_CHAIN:
        said.append(
            f"{type(one).__name__}{_code_of(one)} at {', '.join(places(one)) or 'an unknown place'}"
        )
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "; from ".join(said)


def _code_of(error: BaseException) -> str:
    """What AWS refused, by a code from a fixed list: ``(AccessDeniedException of PutItem)``.

    Source: botocore, ``ClientError.response`` and ``operation_name``.
    """
    response = getattr(error, "response", None)
    said = response.get("Error") if isinstance(response, dict) else None
    code = said.get("Code") if isinstance(said, dict) else None
    operation = getattr(error, "operation_name", None)
    if (
        not isinstance(code, str)
        or not code.replace(".", "").isalnum()
        or len(code) > _LONGEST_CODE
    ):
        return ""
    return f" ({code} of {operation})" if str(operation).isidentifier() else f" ({code})"


def places(error: BaseException) -> list[str]:
    """Where it was raised, the innermost place last: ``polling.py:120``."""
    found: list[str] = []
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename.rpartition("/")[2]
        found.append(f"{name}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return found[-MOST_PLACES:]


def fail_without_message(
    handler: Callable[[Any, Any], Answer],
) -> Callable[[Any, Any], Answer]:
    """Make a handler raise only ``HandlerFailed`` or ``OwnWords``, whatever exception occurs in
    it.
    """

    @wraps(handler)
    def handle(event: Any, context: Any) -> Answer:
        try:
            return handler(event, context)
        except OwnWords:
            raise
        except Exception as error:
            raise HandlerFailed(describe(error)) from None

    return handle
