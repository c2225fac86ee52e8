"""Which errors of AWS mean that a service is unavailable."""

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own, of which a connection that is refused is one
    HTTPClientError,
    ParamValidationError,
)
from botocore.parsers import ResponseParserError

from milepost.aws.signing_keys import NoKey
from milepost.common.errors import OrdersUnavailable

_TRANSIENT: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "Throttled",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "InternalServerError",
        "InternalServiceError",
        "InternalFailure",
        "ServiceUnavailable",
        "SlowDown",
    }
)
"""Besides any error whose HTTP status is 500 or more. Source: "Common errors" of each service."""
AWS_FAILED: Final = (BotoCoreError, ClientError, ResponseParserError)
"""All that botocore raises when a call to AWS fails; a response that can't be read is not one of
its ``exceptions``."""
_SERVER_ERROR: Final = 500
_NO_ANSWER: Final = (HTTPClientError, ConnectionError, ResponseParserError)

_ABOUT_THE_ITEM: Final = frozenset(
    {"ValidationException", "ItemCollectionSizeLimitExceededException"}
)


def refuses_item(error: Exception) -> bool:
    """Whether DynamoDB refuses this single item, for example because it is too large."""
    if isinstance(error, ParamValidationError):
        return True
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _ABOUT_THE_ITEM


def name_of(error: Exception) -> str:
    """AWS's error code, or the error's class; never its message, which may quote the request."""
    code = error.response["Error"].get("Code") if isinstance(error, ClientError) else None
    return code or type(error).__name__


def is_outage(error: Exception) -> bool:
    """Whether the same request may succeed later, without a change in Milepost."""
    if isinstance(error, (*_NO_ANSWER, NoKey, OrdersUnavailable)):
        return True
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _SERVER_ERROR or error.response["Error"]["Code"] in _TRANSIENT


def item_in_the_way(error: ClientError) -> Mapping[str, Any]:
    """The item for which a condition failed; any other error is raised again."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    item: Mapping[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
    return item
