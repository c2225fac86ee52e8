"""What the answers of each platform mean for a message, and for its webhook."""

from datetime import timedelta

import pytest

from local.chat_platforms import ChatPlatform
from milepost.notifications.chat.platforms import PLATFORM_OF
from milepost.notifications.endpoints.retry_policy import Answer, Failure
from milepost.notifications.notice import Channel
from tests.builders import NOON

GONE = {
    Channel.SLACK: (
        *("action_prohibited", "channel_is_archived", "channel_not_found", "invalid_token"),
        *("no_active_hooks", "no_service", "no_team"),
    ),
    Channel.TEAMS: (
        *("DirectApiAuthorizationRequired", "WorkflowNotFound", "WorkflowTriggerIsNotEnabled"),
    ),
}
FINAL = {
    Channel.SLACK: ("invalid_payload",),
    Channel.TEAMS: ("InvalidRequestContent", "RequestEntityTooLarge", "TriggerInputSchemaMismatch"),
}
BUSY = {Channel.SLACK: "rate_limited", Channel.TEAMS: "WorkflowTriggerRateLimited"}
DOWN = {Channel.SLACK: "rollup_error", Channel.TEAMS: "InternalServerError"}
CHATS = (Channel.SLACK, Channel.TEAMS)


def failure(channel: Channel, trouble: str) -> Failure:
    answer = ChatPlatform(str(channel), trouble=trouble).post(b"{}")
    found = PLATFORM_OF[channel].failure_of(
        Answer(answer.status, answer.headers.get("retry-after"), answer.body.decode()), now=NOON
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("channel", "code"), [(channel, code) for channel in CHATS for code in GONE[channel]]
)
def test_a_disabled_webhook_takes_nothing_more(channel: Channel, code: str) -> None:
    found = failure(channel, code)
    assert found.is_gone
    assert code in found.reason


@pytest.mark.parametrize(
    ("channel", "code"), [(channel, code) for channel in CHATS for code in FINAL[channel]]
)
def test_a_message_that_cannot_be_shown_is_not_tried_again(channel: Channel, code: str) -> None:
    found = failure(channel, code)
    assert (found.is_final, found.is_gone) == (True, False)


@pytest.mark.parametrize("channel", CHATS)
def test_too_many_calls_hold_back_the_whole_webhook(channel: Channel) -> None:
    found = failure(channel, BUSY[channel])
    assert (found.wait, found.pause) == (timedelta(seconds=30), timedelta(seconds=30))
    assert not found.is_gone


@pytest.mark.parametrize("channel", CHATS)
def test_an_outage_is_tried_again(channel: Channel) -> None:
    assert failure(channel, DOWN[channel]) == Failure("answered 500")


@pytest.mark.parametrize("channel", CHATS)
@pytest.mark.parametrize(
    "text",
    ["", "<html>no_service</html>", '{"error": null}', "[" * 5000, '{"error": {"code": ["x"]}}'],
)
def test_an_answer_of_something_in_between_is_tried_again(channel: Channel, text: str) -> None:
    found = PLATFORM_OF[channel].failure_of(Answer(404, text=text), now=NOON)
    assert found == Failure("answered 404")


@pytest.mark.parametrize("channel", CHATS)
def test_success_is_no_failure(channel: Channel) -> None:
    assert PLATFORM_OF[channel].failure_of(Answer(200, text="ok"), now=NOON) is None
