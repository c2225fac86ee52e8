"""SES events of mails: the emulator publishes none, so they are published here like on AWS.

Mails to the addresses of Amazon's mailbox simulator meet with what the simulator does to them,
labels (``bounce+7@``) included; every other mail that is taken is delivered. Source: Amazon SES
developer guide, "Using the Amazon SES mailbox simulator manually". ``mailbox-full@`` is not
Amazon's: the simulator has no address for a soft bounce that follows no delivery.

A mail counts as delivered once the inbox has taken it, and never before.
"""

import contextvars
import importlib
import json
import logging
import re
import smtplib
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import partial
from typing import Any, Final

_SEND: Final = "/v2/email/outbound-emails"
_SIMULATOR: Final = "simulator.amazonses.com"
_LATER_SECONDS: Final = 1.0
"""AWS needs about as long; the sender has logged its mail by then."""

_DELIVERY: Final = ("Delivery", {"smtpResponse": "250 2.6.0 Message received"})
_FATES: Final[Mapping[str, tuple[tuple[str, dict[str, str]], ...]]] = {
    "success": (_DELIVERY,),
    "bounce": (("Bounce", {"bounceType": "Permanent", "bounceSubType": "General"}),),
    "suppressionlist": (("Bounce", {"bounceType": "Permanent", "bounceSubType": "Suppressed"}),),
    "complaint": (_DELIVERY, ("Complaint", {"complaintFeedbackType": "abuse"})),
    "ooto": (_DELIVERY, ("Bounce", {"bounceType": "Transient", "bounceSubType": "General"})),
    "mailbox-full": (("Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}),),
}
_NOT_TAKEN: Final = (("Bounce", {"bounceType": "Transient", "bounceSubType": "General"}),)
"""The outcome of a mail that should have arrived and did not."""
_SMTP_SECONDS: Final = 10.0
_relay: ContextVar["Future[bool] | None"] = ContextVar("relay", default=None)
"""Of the mail that is being sent: whether the inbox took it."""
_RECIPIENTS: Final = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}


def correct_ministack() -> None:
    """Publish each mail's events to the topics of its configuration set.

    Call it after ``mail_sending.correct_ministack``. A mail that bounces reaches no inbox.
    """
    ses: Any = importlib.import_module("ministack.services.ses_v2")
    ses_v1: Any = importlib.import_module("ministack.services.ses")
    handle = ses.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        is_mail = method == "POST" and path.rstrip("/") == _SEND
        relayed: Future[bool] = Future()
        _relay.set(relayed if is_mail else None)
        answer = await handle(method, path, headers, body, query_params)
        if is_mail and answer[0] == 200:
            message_id = json.loads(answer[2])["MessageId"]
            _publish_later(ses, json.loads(body), message_id, relayed=relayed)
        return answer

    def relay_what_arrives(source: str, addresses: Iterable[str], message: str) -> None:
        arriving, outcome = [one for one in addresses if arrives(one)], _relay.get()
        endpoint = ses_v1._parse_smtp_host()
        if arriving and endpoint:
            deliver = partial(send_by_smtp, endpoint, source, arriving, message)
            threading.Thread(target=_settle, args=(outcome, deliver), daemon=True).start()
        elif outcome is not None:
            outcome.set_result(True)

    ses.handle_request, ses._smtp_relay = handle_request, relay_what_arrives


def _settle(outcome: "Future[bool] | None", deliver: Callable[[], bool]) -> None:
    is_taken = deliver()
    if outcome is not None:
        outcome.set_result(is_taken)


def send_by_smtp(
    endpoint: tuple[str, int], source: str, addresses: list[str], message: str
) -> bool:
    """Whether the server at ``endpoint`` accepted the mail for all of the addresses."""
    host, port = endpoint
    # As bytes: smtplib encodes text as ASCII, and what is not ASCII would never arrive.
    content = re.sub(r"\r\n|\r|\n", "\r\n", message).encode()
    try:
        with smtplib.SMTP(host, port, timeout=_SMTP_SECONDS) as line:
            return not line.sendmail(source, addresses, content)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        logging.getLogger(__name__).warning("SMTP relay failed: %s", type(error).__name__)
        return False


def arrives(address: str) -> bool:
    """Whether the mail server of this address accepts a mail to it."""
    return _DELIVERY in _fates_of(address)


def events_of(
    request: Mapping[str, Any], *, message_id: str, at: datetime, is_taken: bool = True
) -> list[dict[str, Any]]:
    """The events that SES publishes for an accepted SendEmail request, in this order.

    :param is_taken: whether the recipient's server took the mail, if it was to arrive
    """
    address = request["Destination"]["ToAddresses"][0]
    mail = _mail(request, address=address, message_id=message_id, at=at)
    events = []
    fates = _fates_of(address)
    for name, facts in fates if is_taken or _DELIVERY not in fates else _NOT_TAKEN:
        about: dict[str, Any] = {"timestamp": _instant(at), **facts}
        if name in _RECIPIENTS:
            about |= {"feedbackId": f"0-{message_id}", _RECIPIENTS[name]: [_recipient(address)]}
        else:
            about |= {"recipients": [address]}
        events.append({"eventType": name, "mail": mail, name.lower(): about})
    return events


def topics_of(destinations: Mapping[str, Any], event_type: str) -> list[str]:
    """The ARNs of the topics to which a configuration set publishes events of this type."""
    return [
        one["SnsDestination"]["TopicArn"]
        for one in destinations.values()
        if one.get("Enabled")
        and event_type.upper() in one.get("MatchingEventTypes", ())
        and "SnsDestination" in one
    ]


def _fates_of(address: str) -> tuple[tuple[str, dict[str, str]], ...]:
    name, _, domain = parseaddr(address)[1].lower().partition("@")
    fates = _FATES.get(name.partition("+")[0]) if domain == _SIMULATOR else None
    return fates or (_DELIVERY,)


def _recipient(address: str) -> dict[str, str]:
    return {"emailAddress": parseaddr(address)[1]}


def _mail(
    request: Mapping[str, Any], *, address: str, message_id: str, at: datetime
) -> dict[str, Any]:
    tags = {one["Name"]: [one["Value"]] for one in request.get("EmailTags", ())}
    return {
        "timestamp": _instant(at),
        "source": request["FromEmailAddress"],
        "messageId": message_id,
        "destination": [address],
        "headersTruncated": False,
        "headers": [{"name": "To", "value": address}],
        "tags": {"ses:configuration-set": [request["ConfigurationSetName"]], **tags},
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _publish_later(
    ses: Any, request: Mapping[str, Any], message_id: str, *, relayed: "Future[bool]"
) -> None:
    configuration_set = ses._config_sets.get(request.get("ConfigurationSetName", ""))
    if configuration_set is None:
        return
    destinations = configuration_set.get("EventDestinations") or {}
    sns: Any = importlib.import_module("ministack.services.sns")

    def publish() -> None:
        is_taken = relayed.result(timeout=4 * _SMTP_SECONDS)
        now = datetime.now(UTC)
        for event in events_of(request, message_id=message_id, at=now, is_taken=is_taken):
            for topic in topics_of(destinations, event["eventType"]):
                sns.publish_internal(topic, json.dumps(event))

    # A new thread's empty context would be another account's.
    context = contextvars.copy_context()
    timer = threading.Timer(_LATER_SECONDS, context.run, args=(publish,))
    timer.daemon = True
    timer.start()
