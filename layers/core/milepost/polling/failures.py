"""The reason why a poll failed, as text that may be shown. Short: one table of exceptions."""

from typing import Final

from milepost.common.errors import BadPayload
from milepost.polling.page_fetching import PollFailed
from milepost.polling.sinks import StoreUnavailable
from milepost.providers.base import BrokenPage, SignInFailed
from milepost.providers.http import FetchFailed

_IN_OUR_WORDS: Final = (
    PollFailed,
    FetchFailed,
    BrokenPage,
    SignInFailed,
    BadPayload,
    StoreUnavailable,
)


def describe_failure(error: Exception) -> str:
    """The failure as text, without messages of other exceptions, which may quote a secret."""
    if isinstance(error, _IN_OUR_WORDS):
        return str(error)
    return f"the poll ended with an unexpected error: {type(error).__name__}"
