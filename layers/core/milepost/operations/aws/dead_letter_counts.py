"""The number of messages in each dead-letter queue. Short: it takes no message up."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def count_waiting(sqs: "SQSClient", *, queue_url: str) -> int:
    """About how many messages wait; SQS counts them within a minute or so.

    :raises ClientError, BotoCoreError: when SQS does not say
    """
    answer = sqs.get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])
