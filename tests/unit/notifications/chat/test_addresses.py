"""Which addresses are those of incoming webhooks, and that their name tells nothing of them."""

import pytest

from milepost.notifications.chat.addresses import check_webhook, is_webhook_name, webhook_name
from milepost.notifications.endpoints.addresses import Refused
from milepost.notifications.notice import Channel
from tests.unit.notifications.chat.chats import ADDRESSES


@pytest.mark.parametrize(
    ("channel", "url"),
    [
        *ADDRESSES.items(),
        (Channel.SLACK, "https://hooks.slack-gov.com/services/T0/B0/x"),
        (
            Channel.TEAMS,
            "https://default1.2.environment.api.powerplatform.com:443/powerautomate/automations"
            "/direct/workflows/a/triggers/manual/paths/invoke?api-version=1&sig=x",
        ),
    ],
)
def test_webhooks_of_each_platform_are_accepted(channel: Channel, url: str) -> None:
    check_webhook(url, channel=channel, allow_private=False)


@pytest.mark.parametrize(
    ("channel", "url"),
    [
        (Channel.SLACK, ADDRESSES[Channel.TEAMS]),
        (Channel.TEAMS, ADDRESSES[Channel.SLACK]),
        (Channel.SLACK, "https://hooks.slack.com.evil.example/services/T0/B0/x"),
        (Channel.SLACK, "https://hooks.slack.com@evil.example/services/T0/B0/x"),
        (Channel.SLACK, "https://hooks.slack.com/"),
        (Channel.SLACK, "http://hooks.slack.com/services/T0/B0/x"),
        (Channel.TEAMS, "https://evillogic.azure.com/workflows/a"),
        (Channel.TEAMS, "https://example.webhook.office.com/webhookb2/retired"),
        (Channel.TEAMS, "https://169.254.169.254/workflows/a"),
    ],
)
def test_other_addresses_are_refused_without_quoting_them(channel: Channel, url: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_webhook(url, channel=channel, allow_private=False)
    assert url not in str(refusal.value)


def test_a_webhook_is_named_by_its_host_and_a_hash() -> None:
    name = webhook_name(ADDRESSES[Channel.SLACK])
    assert name == webhook_name(ADDRESSES[Channel.SLACK])
    assert name != webhook_name(ADDRESSES[Channel.SLACK] + "y")
    assert name.startswith("hooks.slack.com/")
    assert "secret" not in name
    assert is_webhook_name(name)
    assert not is_webhook_name(ADDRESSES[Channel.SLACK])
