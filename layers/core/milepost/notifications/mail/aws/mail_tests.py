"""Sends test mails to subscribers: they are queued like other mails, and sent by SES.

Source: Amazon SES API v2 reference, SendEmail.
"""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Final

from milepost.aws.ses_mails import send_mail
from milepost.common.accept_language import preferred_language
from milepost.common.email_addresses import ascii_address
from milepost.notifications.aws.topic_and_queues import NoticeQueue, mail_test_message
from milepost.notifications.eligibility_facts import Subscriptions, Suppressions
from milepost.notifications.notice import Audience, Channel
from milepost.notifications.subscription import Subscription

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "Test message from Milepost",
        "This address gets notices of orders. There is nothing to do.",
    ),
    "de": (
        "Testnachricht von Milepost",
        "Diese Adresse erhält Meldungen zu Aufträgen. Es ist nichts zu tun.",
    ),
    "da": (
        "Testbesked fra Milepost",
        "Denne adresse får beskeder om ordrer. Du skal ikke gøre noget.",
    ),
}
"""Subject and text, by language."""


class QueuedTestMails:
    """Implements ``send_test.Mails``: ``send_notice`` sends them."""

    def __init__(self, queue: NoticeQueue, *, suppressions: Suppressions) -> None:
        self._queue = queue
        self._suppressions = suppressions

    def send(self, subscription: Subscription) -> str | None:
        why = self._suppressions.reason(subscription.recipient, audience=Audience.TEAM)
        if why is not None:
            return f"the address is suppressed: {why}"
        self._queue.put_message(mail_test_message(subscription.id))
        return None


class SesTestMails:
    """Sends a queued test mail.

    What becomes of it is published through the configuration set, so that an address that bounces
    is suppressed from then on.
    """

    def __init__(
        self,
        client: "SESV2Client",
        *,
        sender: str,
        configuration_set: str,
        subscriptions: Subscriptions,
        suppressions: Suppressions,
    ) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set
        self._subscriptions = subscriptions
        self._suppressions = suppressions

    def send(self, subscription_id: str) -> str | None:
        """Send a test mail; returns the reason if it was not sent, or None.

        :raises ClientError: when SES does not send mails now
        """
        found = self._subscriptions.get(subscription_id)
        if found is None or found.channel is not Channel.EMAIL:
            return "the subscription was deleted"
        if self._suppressions.reason(found.recipient, audience=Audience.TEAM) is not None:
            return "the address is suppressed"
        language = preferred_language(found.language, among=_TEXTS) or "en"
        subject, text = _TEXTS[language]
        html = f'<!doctype html><html lang="{language}"><body><p>{escape(text)}</p></body></html>'
        code = send_mail(
            self._client,
            sender=self._sender,
            to=ascii_address(found.recipient),
            subject=subject,
            text=text,
            html=html,
            configuration_set=self._configuration_set,
        )
        return None if code is None else f"SES refused the mail ({code})"
