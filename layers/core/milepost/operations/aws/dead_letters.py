"""Dead-letter queues in SQS, and how their messages are redriven.

A message is received, sent on and deleted, instead of by SQS's own move task. So the caller gets
the outcome of each message, single messages can be chosen, and invocations can be redriven in the
same way.
"""

import json
import time
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from milepost.aws.errors import AWS_FAILED
from milepost.operations.dead_letters import (
    CannotRedrive,
    DeadLetter,
    MessagesInFlight,
    json_or_text,
    read_payload,
)

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_HIDDEN_SECONDS: Final = 60
"""How long a message is in flight: longer than redriving one may take."""
_RENEW_AFTER: Final = 20.0
"""Seconds after which the visibility timeout of a message that was received, but not yet processed,
is extended."""
_A_RECEIPT: Final = 10
_HIDDEN: "Final[QueueAttributeNameType]" = "ApproximateNumberOfMessagesNotVisible"


class SqsLetters:
    """Implements ``dead_letters.Letters``."""

    def __init__(
        self,
        client: "SQSClient",
        *,
        queue_url: str,
        wait_seconds: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # A short poll asks only some of SQS's servers, so messages would seem to be missing.
        self._client = client
        self._queue_url = queue_url
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._held: dict[str, DeadLetter] = {}

    def count(self) -> int:
        return self._count("ApproximateNumberOfMessages", _HIDDEN)

    def walk(self, *, most: int, whole: bool = False) -> Generator[DeadLetter, None, None]:
        seen = 0
        try:
            while seen < most and (letters := self._receive(most - seen)):
                self._held |= {letter.id: letter for letter in letters}
                received_at = self._clock()
                for letter in letters:
                    seen += 1
                    if self._clock() - received_at > _RENEW_AFTER and not self._keep(letter):
                        continue
                    yield letter
            # This also counts messages that this process received in a response that was lost.
            if whole and self._count(_HIDDEN) > len(self._held):
                raise MessagesInFlight
        finally:
            self._put_back(list(self._held.values()))
            self._held.clear()

    def remove(self, letter: DeadLetter) -> None:
        self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=letter.receipt)
        self._held.pop(letter.id, None)

    def _receive(self, most: int) -> list[DeadLetter]:
        answer = self._client.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=min(most, _A_RECEIPT),
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=self._wait_seconds,
            AttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return [_letter(message) for message in answer.get("Messages", [])]

    def _count(self, *names: "QueueAttributeNameType") -> int:
        answer = self._client.get_queue_attributes(
            QueueUrl=self._queue_url, AttributeNames=list(names)
        )
        return sum(int(answer["Attributes"][name]) for name in names)

    def _keep(self, letter: DeadLetter) -> bool:
        """Extend a message's visibility timeout; False if another process has received it since."""
        if self._hide(letter, seconds=_HIDDEN_SECONDS):
            return True
        self._held.pop(letter.id, None)
        return False

    def _put_back(self, letters: list[DeadLetter]) -> None:
        """Make the remaining messages visible again."""
        for one in letters:
            self._hide(one, seconds=0)

    def _hide(self, letter: DeadLetter, *, seconds: int) -> bool:
        try:
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=letter.receipt, VisibilityTimeout=seconds
            )
        except ClientError as error:
            if _code(error) not in _NOT_OURS:
                raise
            return False
        return True


_NOT_OURS: Final = frozenset(
    {"MessageNotInflight", "InvalidParameterValue", "ReceiptHandleIsInvalid"}
)
"""Errors of SQS for a message that is visible again, that somebody else has received, or that was
deleted. Source: Amazon SQS API, ChangeMessageVisibility."""


def _code(error: ClientError) -> str:
    """The error's code, without the namespace prefix of SQS."""
    code: str = error.response["Error"]["Code"]
    return code.rpartition(".")[2]


def _letter(message: Mapping[str, Any]) -> DeadLetter:
    sent = int(message["Attributes"]["SentTimestamp"]) / 1000
    attributes = message.get("MessageAttributes", {})
    return DeadLetter(
        id=message["MessageId"],
        body=message["Body"],
        sent_at=datetime.fromtimestamp(sent, UTC),
        attributes={name: one.get("StringValue", "") for name, one in attributes.items()},
        receipt=message["ReceiptHandle"],
    )


class BackIntoQueue:
    """Implements ``dead_letters.RedriveTarget`` for messages that came from another queue."""

    def __init__(self, client: "SQSClient", *, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def content(self, letter: DeadLetter) -> Any:
        return json_or_text(letter.body)

    def take_up(self, letter: DeadLetter) -> None:
        try:
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=letter.body)
        except AWS_FAILED as error:
            raise CannotRedrive(f"the queue did not accept it: {name_of(error)}") from None

    def forget(self, letter: DeadLetter) -> None:
        """Does nothing: such a message is stored only in its queue."""


class StartAgain:
    """Implements ``dead_letters.RedriveTarget`` for failed asynchronous invocations of functions.

    A letter is Lambda's record of an invocation, with its payload, or the input that a schedule
    could not pass on. Sources: Lambda developer guide, "Capturing records of Lambda asynchronous
    invocations"; EventBridge Scheduler user guide, "Configuring a dead-letter queue".
    """

    def __init__(self, client: "LambdaClient") -> None:
        self._client = client

    def content(self, letter: DeadLetter) -> Any:
        return json_or_text(letter.body)

    def take_up(self, letter: DeadLetter) -> None:
        function, payload = _invocation(letter)
        try:
            self._client.invoke(
                FunctionName=function,
                InvocationType="Event",
                Payload=json.dumps(payload).encode(),
            )
        except AWS_FAILED as error:
            raise CannotRedrive(f"the function can't be started: {name_of(error)}") from None

    def forget(self, letter: DeadLetter) -> None:
        """Does nothing: no other copy of the message is stored."""


def _invocation(letter: DeadLetter) -> tuple[str, Any]:
    """The function, and its input."""
    said = json_or_text(letter.body)
    if target := letter.attributes.get("TARGET_ARN"):
        return target, said
    try:
        return _unqualified(said["requestContext"]["functionArn"]), said["requestPayload"]
    except (KeyError, TypeError):
        raise CannotRedrive("it doesn't name the function") from None


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])


class ReannounceTarget:
    """Implements ``dead_letters.RedriveTarget`` for records of the stream that could not be
    announced.

    A letter names an object in S3: the stream's records as they were passed to ``announce``. A
    record that no longer exists counts as redriven: an erasure removed it, or another letter about
    it was redriven (when an erasure writes a record without a customer, S3 sends a second letter).
    Source: Lambda developer guide, "Retain discarded records for a DynamoDB event source".
    """

    def __init__(
        self, functions: "LambdaClient", make_s3: "Callable[[], S3Client]", *, announce: str
    ) -> None:
        self._functions = functions
        self._make_s3 = make_s3
        self._announce = announce

    def content(self, letter: DeadLetter) -> Any:
        try:
            record = self._read(letter)
        except CannotRedrive as why:
            return {"letter": json_or_text(letter.body), "missing": str(why)}
        if record is None:
            return {"letter": json_or_text(letter.body), "missing": "its record no longer exists"}
        return {**record, "payload": read_payload(record)}

    def take_up(self, letter: DeadLetter) -> None:
        record = self._read(letter)
        if record is None:
            return
        payload = json.dumps(read_payload(record))
        try:
            answer = self._functions.invoke(FunctionName=self._announce, Payload=payload.encode())
        except AWS_FAILED as error:
            raise CannotRedrive(f"announce can't be started: {name_of(error)}") from None
        said = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or said.get("batchItemFailures"):
            raise CannotRedrive("announce still fails on it: its log says why")

    def forget(self, letter: DeadLetter) -> None:
        try:
            place = stream_position(letter)
        except CannotRedrive:
            return
        self._make_s3().delete_object(Bucket=place["Bucket"], Key=place["Key"])

    def _read(self, letter: DeadLetter) -> dict[str, Any] | None:
        """The record; None if it no longer exists."""
        try:
            place = stream_position(letter)
            answer = self._make_s3().get_object(Bucket=place["Bucket"], Key=place["Key"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        try:
            record: dict[str, Any] = json.loads(answer["Body"].read())
            record["payload"]
        except (ValueError, KeyError, TypeError):
            raise CannotRedrive("its record is not one of Lambda's") from None
        return record


def stream_position(letter: DeadLetter) -> dict[str, str]:
    """The bucket and key of the records that a message names.

    :raises CannotRedrive: when the letter doesn't name them
    """
    try:
        said = json.loads(letter.body)["detail"]
        return {"Bucket": said["bucket"]["name"], "Key": said["object"]["key"]}
    except (ValueError, KeyError, TypeError):
        raise CannotRedrive("it names no object in S3") from None


def name_of(error: Exception) -> str:
    """The error code of an AWS error, without its message."""
    if isinstance(error, ClientError):
        code: str = error.response["Error"]["Code"]
        return code
    return type(error).__name__
