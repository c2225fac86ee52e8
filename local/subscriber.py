"""A queue in place of a team's own system, subscribed to the topic of announcements."""

import json
from typing import Final

from local.emulator_access import Access
from milepost.notifications.notice import DEFAULT_KINDS

_NAME: Final = "milepost-local-subscriber"


def subscribe_queue(access: Access, *, topic_arn: str) -> str:
    """Create the queue and subscribe it, with SNS's envelope; returns its URL.

    Its filter policy names the kinds that a subscriber gets who asks for nothing more.
    """
    sqs, sns = access.client("sqs"), access.client("sns")
    url: str = sqs.create_queue(QueueName=_NAME)["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    queue_arn = answer["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    policy = json.dumps({"kind": sorted(DEFAULT_KINDS)})
    sns.subscribe(
        TopicArn=topic_arn,
        Protocol="sqs",
        Endpoint=queue_arn,
        Attributes={"FilterPolicy": policy},
    )
    return url
