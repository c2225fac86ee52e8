"""Addresses of incoming webhooks. An address is a secret, since it is enough to post to the chat.

Subscriptions, the delivery log and queues have a name that is made from the address. The address
itself is only in the secret that call_endpoint reads.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from milepost.notifications.endpoints.addresses import Refused, Target, read_url
from milepost.notifications.notice import Channel

HOSTS: Final[Mapping[Channel, tuple[str, ...]]] = {
    Channel.SLACK: ("hooks.slack.com", "hooks.slack-gov.com"),
    Channel.TEAMS: (
        ".logic.azure.com",
        ".logic.azure.us",
        ".api.powerplatform.com",
        ".api.powerplatform.us",
        ".api.gov.powerplatform.us",
    ),
}
"""Hosts of incoming webhooks; one that begins with a dot matches all hosts below it.

Sources: Slack, "Sending messages using incoming webhooks"; Microsoft Learn, "Create incoming
webhooks with Workflows for Microsoft Teams" and "Power Automate: HTTP request trigger URLs".
"""
_NAME: Final = re.compile(r"[a-z0-9.:-]{1,255}/[0-9a-f]{12}")
PLATFORMS: Final[Mapping[Channel, str]] = {
    Channel.SLACK: "Slack",
    Channel.TEAMS: "Microsoft Teams",
}
"""The names of the platforms, for people."""


def check_webhook(url: str, *, channel: Channel, allow_private: bool) -> Target:
    """Check that an address is an incoming webhook of this platform.

    :param channel: ``slack`` or ``teams``
    :param allow_private: also accept plain ``http`` at any host, for the local stack
    :raises Refused: with the reason, without the address
    """
    target = read_url(url, allow_private=allow_private)
    if not target.is_tls:
        return target
    if not any(_is_at(target.host, host) for host in HOSTS[channel]):
        # An Office 365 connector's address, among others: those are retired.
        raise Refused(f"refused: not the host of an incoming webhook of {PLATFORMS[channel]}")
    if target.path == "/":
        raise Refused("refused: the address has no path")
    return target


def webhook_name(url: str) -> str:
    """The name by which an incoming webhook is shown and stored: its host and a short hash.

    :raises Refused: when the address is no URL
    """
    host = read_url(url, allow_private=True).host
    return f"{host}/{sha256(url.encode()).hexdigest()[:12]}"


def is_webhook_name(text: str) -> bool:
    """Whether a text is a name that ``webhook_name`` made, and so not an address."""
    return _NAME.fullmatch(text) is not None


def _is_at(host: str, known: str) -> bool:
    return host.endswith(known) if known.startswith(".") else host == known
