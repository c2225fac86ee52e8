"""Notifications of people and systems: the subscriber's queue, the mails, the delivery log."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

from local.stack import Stack
from milepost.aws.dynamodb_items import from_item

_AT_ONCE: Final = 10
_TO_GATHER_SECONDS: Final = 0.5


@dataclass(kw_only=True)
class Listener:
    """A subscriber of the topic: records each message by its stable id."""

    stack: Stack
    told: Counter[str] = field(default_factory=Counter)

    def run(self, stopped: Event) -> None:
        sqs, url = self.stack.client("sqs"), self.stack.subscriber_queue_url
        while True:
            answer = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=_AT_ONCE, WaitTimeSeconds=1
            )
            messages = answer.get("Messages", [])
            for message in messages:
                self.told[json.loads(json.loads(message["Body"])["Message"])["id"]] += 1
            if messages:
                entries = [
                    {"Id": str(place), "ReceiptHandle": one["ReceiptHandle"]}
                    for place, one in enumerate(messages)
                ]
                sqs.delete_message_batch(QueueUrl=url, Entries=entries)
            elif stopped.is_set():
                return
            if len(messages) < _AT_ONCE:
                # Else nearly each message would be a request of its own.
                time.sleep(_TO_GATHER_SECONDS)


def scan(stack: Stack, logical_id: str) -> list[Mapping[str, Any]]:
    """Every item of a table of the stack."""
    pages = stack.client("dynamodb").get_paginator("scan")
    found = pages.paginate(TableName=stack.resource_id(logical_id), ConsistentRead=True)
    return [from_item(item) for page in found for item in page["Items"]]


def mails_by_recipient(stack: Stack) -> Counter[str]:
    """The number of mails that each recipient got."""
    return Counter(recipient for mail in stack.mails() for recipient in mail["to"])


def notices_by_recipient(
    items: Sequence[Mapping[str, Any]], *, states: frozenset[str]
) -> Counter[str]:
    """The number of mails in the delivery log, in these states."""
    return Counter(
        str(item["recipient"])
        for item in items
        if item.get("channel") == "email" and item.get("state") in states
    )
