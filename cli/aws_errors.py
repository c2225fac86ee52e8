"""Explains AWS errors to an operator, and what to do about them."""

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

_NO_CREDENTIALS: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
)
_ENDED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_WRONG: Final = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId",
        "AuthFailure",
    }
)
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def explain(error: BotoCoreError | ClientError | ResponseParserError) -> str:
    """The meaning of an AWS error, and what to do about it."""
    if isinstance(error, ClientError):
        return _explain_answer(error)
    if (setting := _explain_setting(error)) is not None:
        return setting
    if isinstance(error, EndpointConnectionError):
        return "AWS could not be reached. Check the network, AWS_REGION and AWS_ENDPOINT_URL."
    return f"The request to AWS failed: {type(error).__name__}."


def _explain_setting(error: BotoCoreError | ResponseParserError) -> str | None:
    """The problem with the region, the profile or the credentials; None if the error is about
    something else.
    """
    if isinstance(error, NoRegionError):
        return (
            "No AWS region: give --region, or set AWS_REGION, to the region that the stack is "
            "deployed in."
        )
    if isinstance(error, InvalidRegionError):
        return (
            "The AWS region is no name of a region: check --region and AWS_REGION. A region looks "
            "like eu-central-1."
        )
    if isinstance(error, ProfileNotFound):
        return (
            f"There is no AWS profile {error.kwargs['profile']}: check --profile and AWS_PROFILE. "
            "`aws configure list-profiles` lists those that there are."
        )
    if isinstance(error, _NO_CREDENTIALS):
        return (
            f"No usable AWS credentials ({type(error).__name__}). Sign in, for instance with "
            "`aws sso login`, or give --profile, or set AWS_PROFILE."
        )
    return None


def _explain_answer(error: ClientError) -> str:
    code, asked = error.response["Error"]["Code"], error.operation_name
    said = error.response["Error"].get("Message", code)
    if code in _ENDED:
        return "The AWS credentials have expired: sign in again."
    if code in _WRONG:
        return f"AWS does not know these credentials ({code}): check AWS_PROFILE and the keys."
    if code in _DENIED:
        return f"These AWS credentials don't allow {asked}: {said}"
    return f"AWS refused {asked}: {said} ({code})"
