"""Checks of notification channels: SES, the SNS topics and the event bus."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.connections.senders import incomplete_senders
from cli.doctor.findings import ExaminedStack, Finding, failure, ok, warning

_NEARLY: Final = 0.8
"""Of the day's quota, when it is time to ask for more."""
_SENDER: Final = "SenderAddress"
_TOPICS: Final = "AWS::SNS::Topic"
_ALARMS: Final = "AlarmsTopic"
_ANNOUNCEMENTS: Final = "AnnouncementsTopic"
_BUSES: Final = "AWS::Events::EventBus"
_PENDING: Final = "PendingConfirmation"


def check_mail(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether SES may send to all recipients, and enough mails."""
    account = patient.stack.client("sesv2").get_account()
    if not account.get("SendingEnabled", True):
        yield failure("mail", "SES has paused sending", "See the SES console's account dashboard.")
        return
    if not account.get("ProductionAccessEnabled", False):
        yield failure(
            "mail",
            "SES is in its sandbox: it sends only to verified addresses",
            "Request production access in the SES console.",
        )
    elif account.get("EnforcementStatus", "HEALTHY") != "HEALTHY":
        yield warning(
            "mail",
            f"SES has the account under review ({account['EnforcementStatus']})",
            "Look at bounces and complaints: `milepost subscriptions list` "
            "shows whose subscriptions ended.",
        )
    else:
        yield ok("mail", "SES is out of its sandbox and sends")
    yield from _check_quota(account.get("SendQuota", {}))


def check_sender(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether the sender address of mails is verified."""
    parameters = patient.described.get("Parameters", [])
    named = {one["ParameterKey"]: one["ParameterValue"] for one in parameters}
    address = named.get(_SENDER)
    if not address:
        yield failure(
            "sender", "the stack does not say which address it is", "Deploy with SENDER=..."
        )
        return
    for identity in (address, address.rpartition("@")[2]):
        if _is_verified(patient, identity):
            yield ok("sender", f"{identity} is verified")
            return
    yield failure("sender", f"{address} is not verified", "Verify it or its domain in SES.")


def _is_verified(patient: ExaminedStack, identity: str) -> bool:
    """Whether SES can send from the identity, however it was verified."""
    ses = patient.stack.client("sesv2")
    try:
        found = ses.get_email_identity(EmailIdentity=identity)
    except ses.exceptions.NotFoundException:
        return False
    return bool(found["VerifiedForSendingStatus"])


def check_signatures(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether mails to customers have a complete sender."""
    found = list(incomplete_senders(patient.stored.settings.values()))
    for name, what in found:
        yield warning(
            "signatures", f"{name}: {what}", "Add `sender` to the connections' file and apply it."
        )
    if not found:
        number = sum(bool(one.customer_notices) for one in patient.stored.settings.values())
        yield ok("signatures", (f"{number} connections notify customers, and have a sender"))


def check_topics(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether subscriptions to the topics are confirmed, and the alarm topic has a subscriber."""
    topics = patient.resources(_TOPICS)
    alarms = _subscriptions(patient, topics[_ALARMS])
    announcements = _subscriptions(patient, topics[_ANNOUNCEMENTS])
    pending = [one for one in [*alarms, *announcements] if one["SubscriptionArn"] == _PENDING]
    for one in pending:
        yield warning(
            "topics",
            f"{one['Endpoint']} has not confirmed its subscription",
            "The subscriber has a mail or message with a link; if it has "
            "expired, subscribe them again.",
        )
    if all(one["SubscriptionArn"] == _PENDING for one in alarms):
        yield warning(
            "topics",
            "nobody is notified of alarms",
            "Deploy with ALARMS=address, or subscribe somebody to the alarm topic.",
        )
    elif not pending:
        number = len(alarms) + len(announcements)
        yield ok("topics", f"{number} subscriptions, all confirmed")


def check_event_bus(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether the event bus has rules, and all are enabled, if the stack has a bus."""
    buses = patient.resources(_BUSES)
    if not buses:
        yield ok("event bus", "the stack has none")
    for name in buses.values():
        rules = _rules(patient, name)
        disabled = [one["Name"] for one in rules if one.get("State") == "DISABLED"]
        for rule in disabled:
            yield warning("event bus", f"the rule {rule} is disabled", "Enable it, or delete it.")
        if not rules:
            yield warning(
                "event bus",
                f"{name} has no rule, so nothing gets its events",
                "Deploy rules such as those of docs/examples/event-bus.yaml, or EVENT_BUS=false.",
            )
        elif not disabled:
            yield ok("event bus", f"{name} has {len(rules)} rules, all enabled")


def _rules(patient: ExaminedStack, bus: str) -> list[Mapping[str, Any]]:
    """The rules of a bus that people created, without the rule that EventBridge creates for an
    archive.
    """
    pages = patient.stack.client("events").get_paginator("list_rules")
    found = [one for page in pages.paginate(EventBusName=bus) for one in page["Rules"]]
    return [one for one in found if not one.get("ManagedBy")]


def topic_subscriptions(patient: ExaminedStack) -> list[Mapping[str, Any]]:
    """The subscribers of the announcements topic."""
    return _subscriptions(patient, patient.resources(_TOPICS)[_ANNOUNCEMENTS])


def _subscriptions(patient: ExaminedStack, topic: str) -> list[Mapping[str, Any]]:
    pages = patient.stack.client("sns").get_paginator("list_subscriptions_by_topic")
    return [one for page in pages.paginate(TopicArn=topic) for one in page["Subscriptions"]]


def _check_quota(quota: Mapping[str, float]) -> Iterator[Finding]:
    most, sent = quota.get("Max24HourSend", -1), quota.get("SentLast24Hours", 0)
    if most > 0 and sent >= most * _NEARLY:
        yield warning(
            "mail",
            f"{sent:,.0f} of the {most:,.0f} mails that SES sends a day have been sent",
            "Request a higher quota in the Service Quotas console.",
        )
