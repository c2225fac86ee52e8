"""Messages and answers as they go over HTTP, between our client and the platforms' stand-ins."""

from collections.abc import Iterator

import pytest

from local.chat_server import ChatServer
from milepost.notifications.chat.message import ChatMessage
from milepost.notifications.chat.platforms import PLATFORM_OF
from milepost.notifications.endpoints.aws.http import EndpointHttp
from milepost.notifications.endpoints.retry_policy import Failure
from milepost.notifications.notice import Channel
from tests.builders import NOON

CHATS = (Channel.SLACK, Channel.TEAMS)
BUSY = {Channel.SLACK: "rate_limited", Channel.TEAMS: "WorkflowTriggerRateLimited"}
GONE = {Channel.SLACK: "no_service", Channel.TEAMS: "WorkflowTriggerIsNotEnabled"}


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as made:
        yield made


def post(server: ChatServer, channel: Channel) -> Failure | None:
    platform = PLATFORM_OF[channel]
    request = platform.request(ChatMessage(title="Größe 😀"), url=server.url(channel))
    http = EndpointHttp(allow_private=True, seconds=10)
    answer = http.post(request.url, headers=request.headers, body=request.body)
    return platform.failure_of(answer, now=NOON)


@pytest.mark.parametrize("channel", CHATS)
def test_a_message_arrives_as_it_was_written(server: ChatServer, channel: Channel) -> None:
    assert post(server, channel) is None
    (taken,) = server.platforms[channel].taken
    assert "Größe 😀" in str(taken)


@pytest.mark.parametrize("channel", CHATS)
def test_errors_are_read_from_the_body_and_waits_from_the_header(
    server: ChatServer, channel: Channel
) -> None:
    platform = server.platforms[channel]
    platform.trouble = GONE[channel]
    gone = post(server, channel)
    platform.trouble = BUSY[channel]
    busy = post(server, channel)
    assert gone is not None
    assert busy is not None
    assert (gone.is_gone, GONE[channel] in gone.reason) == (True, True)
    assert (busy.is_gone, busy.pause.total_seconds()) == (False, 30)
