"""Which errors of AWS are of something that is down, and not of us."""

from typing import Final

from botocore.exceptions import ClientError, HTTPClientError

from milepost.aws.signing_keys import NoKey
from milepost.judging import OrdersUnavailable

_TRANSIENT: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
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


def is_outage(error: Exception) -> bool:
    """Whether the same request may work in a while, without anybody mending something of ours."""
    if isinstance(error, HTTPClientError | NoKey | OrdersUnavailable):
        return True
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _TRANSIENT
