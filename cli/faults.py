"""What can go wrong for an operator, said so that a person knows what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

DONE: Final = 0
COULD_NOT: Final = 1
WRONG_USE: Final = 2

EXIT_CODES: Final = "Exit codes: 0 done, 1 could not be done, 2 wrong use or an invalid file."


class Fault(Exception):
    """Ends the command with ``code``; its text is what the operator reads."""

    code = COULD_NOT


class CannotDo(Fault):
    """The stack, AWS or the machine does not let it be done."""


class WrongUse(Fault):
    """What was asked for can't be meant."""

    code = WRONG_USE


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a file; ``line`` counts from 1.

    ``path`` when it stands in another file, to which the first one leads.
    """

    where: str
    what: str
    line: int | None = None
    path: Path | None = None


class InvalidFile(WrongUse):
    """A file that can't be used, with everything that is wrong in it."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.problems = problems
        lines = [_one_line(path, problem) for problem in problems]
        super().__init__("\n".join(lines))


def _one_line(path: Path, problem: Problem) -> str:
    file = problem.path or path
    place = f"{file}:{problem.line}" if problem.line else str(file)
    return (
        f"{place}: {problem.where}: {problem.what}" if problem.where else f"{place}: {problem.what}"
    )


_NO_CREDENTIALS: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    ProfileNotFound,
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


def explain(error: BotoCoreError | ClientError) -> str:
    """What an error of AWS means, and what to do about it."""
    if isinstance(error, ClientError):
        return _explain_answer(error)
    if isinstance(error, NoRegionError):
        return "No AWS region: set AWS_REGION to the region that the stack is deployed in."
    if isinstance(error, _NO_CREDENTIALS):
        return (
            f"No usable AWS credentials ({error}). Sign in, for instance with `aws sso login`, "
            "or set AWS_PROFILE."
        )
    if isinstance(error, EndpointConnectionError):
        return f"{error} Check the network, AWS_REGION and AWS_ENDPOINT_URL."
    return f"AWS could not be asked: {error}"


def _explain_answer(error: ClientError) -> str:
    code, asked = error.response["Error"]["Code"], error.operation_name
    said = error.response["Error"].get("Message", code)
    if code in _ENDED:
        return "The AWS credentials have expired: sign in again."
    if code in _WRONG:
        return f"AWS does not know these credentials ({code}): check AWS_PROFILE and the keys."
    if code in _DENIED:
        return f"These AWS credentials may not do {asked}: {said}"
    return f"AWS refused {asked}: {said} ({code})"
