"""The number of messages in each dead-letter queue. Short: it takes no message up."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_VARIABLES: Final = {
    "inbox": "INBOX_DEAD_LETTERS_URL",
    "email": "EMAIL_DEAD_LETTERS_URL",
    "endpoint": "ENDPOINT_DEAD_LETTERS_URL",
    "batch": "BATCH_DEAD_LETTERS_URL",
    "mail_events": "MAIL_EVENTS_DEAD_LETTERS_URL",
    "announce": "ANNOUNCE_DEAD_LETTERS_URL",
    "invocations": "INVOCATIONS_DEAD_LETTERS_URL",
    "measure": "MEASURE_FAILURES_URL",
}


def dead_letter_urls(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The URL of every dead-letter queue, by the name that the command calls it."""
    return {name: environment[variable] for name, variable in _VARIABLES.items()}


def count_waiting(sqs: "SQSClient", *, queue_url: str) -> int:
    """About how many messages wait; SQS counts them within a minute or so.

    :raises ClientError, BotoCoreError: when SQS does not say
    """
    answer = sqs.get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])
