"""Creates the services that publish announcements: the topic, the event bus, the queues."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.event_bus import AnnouncementsBus
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.topic_and_queues import AnnouncementsTopic, NoticeQueue
from milepost.notifications.dispatch import AnnouncementDispatcher, Fetches

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CLOUDEVENTS: Final = "cloudevents"
"""The value of the parameter TopicEnvelope for which messages of the topic are CloudEvents."""


def open_topic(environment: Mapping[str, str], sns: "SNSClient") -> AnnouncementsTopic:
    """The topic of announcements."""
    is_enveloped = environment["TOPIC_ENVELOPE"] == CLOUDEVENTS
    return AnnouncementsTopic(
        sns,
        topic_arn=environment["ANNOUNCEMENTS_TOPIC_ARN"],
        event_source=environment["EVENT_SOURCE"] if is_enveloped else None,
    )


def open_bus(
    environment: Mapping[str, str], events: Callable[[], "EventBridgeClient"]
) -> AnnouncementsBus | None:
    """The bus of announcements; None if the stack has none.

    :param events: creates the client, which takes time at a cold start
    """
    name = environment["EVENT_BUS_NAME"]
    if not name:
        return None
    return AnnouncementsBus(events(), bus_name=name, source=environment["EVENT_SOURCE"])


def open_dispatcher(
    environment: Mapping[str, str],
    *,
    dynamodb: "DynamoDBClient",
    sns: "SNSClient",
    sqs: "SQSClient",
    events: Callable[[], "EventBridgeClient"],
    fetches: Fetches | None = None,
) -> AnnouncementDispatcher:
    """The service that publishes an announcement, and queues or holds a notice for each recipient.

    :param events: creates the client, which takes time at a cold start
    :param fetches: fetches orders for contact data; without it, none is fetched
    """
    table_name = environment["NOTICES_TABLE"]
    return AnnouncementDispatcher(
        topic=open_topic(environment, sns),
        topic_name=environment["ANNOUNCEMENTS_TOPIC_ARN"],
        bus=open_bus(environment, events),
        emails=NoticeQueue(sqs, queue_url=environment["EMAIL_QUEUE_URL"]),
        endpoints=NoticeQueue(sqs, queue_url=environment["ENDPOINT_QUEUE_URL"]),
        holds=HoldsTable(dynamodb, table_name=table_name),
        log=NoticesTable(dynamodb, table_name=table_name),
        fetches=fetches,
    )
