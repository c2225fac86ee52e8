"""The events of track_delivery, unsubscribe and tracking_page, in the formats that AWS documents.

Sources: Amazon SES developer guide, "Examples of event data that Amazon SES publishes to Amazon
SNS"; API Gateway developer guide, "Lambda proxy integrations for HTTP APIs" (payload 2.0).
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from milepost.notifications.mail.aws.sent_mails import mail_id_of
from milepost.notifications.mail.unsubscribe import Ending, token_of
from milepost.orders.order import OrderKey
from milepost.tracking_page.link import TrackingLink
from milepost.tracking_page.link import token_of as token_of_tracking
from tests.batches import sqs_batch
from tests.builders import KEY, notice

LINK_KEY: Final = b"a key for tests, of sixty-four characters as the real one has it"
SUBSCRIPTION: Final = "sales"
MESSAGE_ID: Final = "0107019caffee123-7f1d2c3b-5a49-4e68-9d70-1b2c3d4e5f60-000000"
_ACCOUNT: Final = "eu-central-1:123456789012"
_TO: Final = "sales@example.org"
_MTA: Final = "b224-11.smtp-out.eu-central-1.amazonses.com"


def mail_events() -> Iterator[tuple[str, Any]]:
    """Each event's path below events/, without its extension, and its content."""
    for name, event in _ses_events().items():
        yield f"track_delivery/{name}", sqs_batch([json.dumps(event)])
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."
    yield "track_delivery/topic_greeting", sqs_batch([greeting])
    token = token_of(Ending(subscriptions=(SUBSCRIPTION,)), LINK_KEY)
    yield "unsubscribe/asked", http_event("GET", token)
    yield "unsubscribe/one_click", http_event("POST", token, "List-Unsubscribe=One-Click")
    yield "unsubscribe/link_cut_off", http_event("GET", token[:-7])
    link = tracking_token()
    yield "tracking_page/shown", tracking_event(link)
    yield "tracking_page/calendar", tracking_event(link, {"calendar": "1", "lang": "da"})
    yield "tracking_page/link_cut_off", tracking_event(link[:-7])


def tracking_token(key: OrderKey = KEY, *, version: int = 0) -> str:
    """The token of a link to an order's tracking page; it never expires."""
    link = TrackingLink(key=key, version=version, expires=datetime(2099, 1, 1, tzinfo=UTC))
    return token_of_tracking(link, LINK_KEY)


def tracking_event(token: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A request of the HTTP API to a tracking link."""
    event = http_event("GET", token, route="track")
    event["requestContext"]["http"]["sourceIp"] = "192.0.2.17"
    if query:
        event["rawQueryString"] = urlencode(query)
        event["queryStringParameters"] = dict(query)
    return event


def ses_event(name: str) -> dict[str, Any]:
    """The SES event of this name, for a test to change."""
    return _ses_events()[name]


def http_event(
    method: str, token: str, body: str | None = None, *, route: str = "unsubscribe"
) -> dict[str, Any]:
    """A request of the HTTP API to a link."""
    path = f"/{route}/{token}"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} /{route}/{{token}}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"accept-language": "de-AT,de;q=0.9,en;q=0.5", "host": "api.example.org"},
        "pathParameters": {"token": token},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1"},
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": f"{method} /{route}/{{token}}",
            "stage": "$default",
        },
        "isBase64Encoded": body is not None,
    }
    if body is not None:
        event["body"] = b64encode(body.encode()).decode()
        event["headers"]["content-type"] = "application/x-www-form-urlencoded"
    return event


def _ses_events() -> dict[str, dict[str, Any]]:
    return {
        "delivered": _event(
            "Delivery",
            timestamp="2026-03-02T12:01:02.450Z",
            processingTimeMillis=2450,
            recipients=[_TO],
            smtpResponse="250 2.6.0 Message received",
            reportingMTA=_MTA,
        ),
        "hard_bounce": _bounce("Permanent", "NoEmail", "5.1.1", "550 5.1.1 user unknown"),
        "soft_bounce": _bounce("Transient", "MailboxFull", "4.2.2", "452 4.2.2 mailbox full"),
        "content_refused": _bounce("Transient", "ContentRejected", "5.6.0", "554 5.6.0 refused"),
        "undetermined_bounce": _bounce("Undetermined", "Undetermined", "4.3.0", "451 4.3.0 later"),
        "complaint": _complaint("abuse"),
        "complaint_taken_back": _complaint("not-spam"),
        "rejected": _event("Reject", reason="Bad content"),
        "opened_is_not_ours": _event("Open", timestamp="2026-03-02T12:05:00.000Z"),
    }


def _event(name: str, **facts: Any) -> dict[str, Any]:
    return {"eventType": name, "mail": _mail(), name.lower(): facts}


def _mail() -> dict[str, Any]:
    return {
        "timestamp": "2026-03-02T12:01:00.000Z",
        "source": "milepost@example.org",
        "sourceArn": f"arn:aws:ses:{_ACCOUNT}:identity/milepost@example.org",
        "sendingAccountId": "123456789012",
        "messageId": MESSAGE_ID,
        "destination": [_TO],
        "headersTruncated": False,
        "headers": [
            {"name": "From", "value": "milepost@example.org"},
            {"name": "To", "value": _TO},
            {"name": "Subject", "value": "Accepted: PP-20417"},
            {"name": "MIME-Version", "value": "1.0"},
        ],
        "commonHeaders": {
            "from": ["milepost@example.org"],
            "to": [_TO],
            "messageId": MESSAGE_ID,
            "subject": "Accepted: PP-20417",
        },
        "tags": {
            "ses:operation": ["SendEmail"],
            "ses:configuration-set": ["milepost-MailEvents"],
            "ses:from-domain": ["example.org"],
            "ses:caller-identity": ["milepost-send-notice"],
            "kind": ["accepted"],
            "connection": ["offergrid-home"],
            "mail": [mail_id_of([notice()])],
        },
    }


def _bounce(bounce_type: str, sub_type: str, status: str, answer: str) -> dict[str, Any]:
    return _event(
        "Bounce",
        feedbackId="0107019caffee200-11112222-3333-4444-5555-666677778888-000000",
        bounceType=bounce_type,
        bounceSubType=sub_type,
        bouncedRecipients=[
            {
                "emailAddress": _TO,
                "action": "failed",
                "status": status,
                "diagnosticCode": f"smtp; {answer}",
            }
        ],
        timestamp="2026-03-02T12:01:04.321Z",
        reportingMTA=f"dns; {_MTA}",
    )


def _complaint(kind: str) -> dict[str, Any]:
    return _event(
        "Complaint",
        feedbackId="0107019caffee300-99998888-7777-6666-5555-444433332222-000000",
        complaintSubType=None,
        complainedRecipients=[{"emailAddress": _TO}],
        timestamp="2026-03-02T12:09:30.000Z",
        userAgent="Example feedback loop",
        complaintFeedbackType=kind,
        arrivalDate="2026-03-02T12:01:02.000Z",
    )
