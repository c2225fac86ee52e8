"""Creates the topic and the event bus by variables. Short: two functions share it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from milepost.notifications.aws.event_bus import AnnouncementsBus
from milepost.notifications.aws.messages import AnnouncementsTopic

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sns import SNSClient


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
