"""tracking_page: what a link shows, and what it says when it shows nothing."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from milepost.common.status import Status
from milepost.connections.connection import TrackingPage
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.topic_and_queues import notice_message
from milepost.notifications.notice import Audience
from milepost.notifications.recipients import Choice
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Kind, OrderKey, TrackedOrder
from milepost.tracking_page.aws.link_versions import LinkVersionsTable
from milepost.tracking_page.guesses import MOST_GUESSES
from milepost.tracking_page.link import NEVER_REVOKED
from tests.builders import KEY, NOON, OFFERGRID, notice, report, tracked
from tests.make_events import sqs_batch
from tests.make_mail_events import LINK_KEY, tracking_event, tracking_token
from tests.stack import Context, Stack, aws, event

SECRET = "UnsubscribeSecret"
IN_A_WEEK = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
PERSONAL = {
    "customer": {"name": "Lena Hoffmann", "email": "lena.hoffmann@example.de"},
    "address": {"street": "Lindenweg 4", "city": "Potsdam"},
}


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    aws("secretsmanager").put_secret_value(
        SecretId=stack.resources[SECRET], SecretString=LINK_KEY.decode()
    )
    stack.apply(replace(OFFERGRID, tracking=TrackingPage()))
    write(stack, an_order())
    return stack.load("tracking_page")


def an_order() -> TrackedOrder:
    return tracked(
        report(
            Status.SCHEDULED,
            appointment=IN_A_WEEK.isoformat(),
            service_type="internet",
            **PERSONAL,
        )
    )


def write(stack: Stack, order: TrackedOrder) -> None:
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    table.write(order, new=())


def versions(stack: Stack) -> LinkVersionsTable:
    return LinkVersionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])


def ask(app: ModuleType, request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = app.handler(request, Context())
    return answer


def test_a_link_shows_the_order_in_the_browsers_language(app: ModuleType) -> None:
    answer = ask(app, event("tracking_page", "shown"))
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-language"] == "de"
    for shown in ("Guten Tag Lena,", "Internetanschluss", "in Potsdam", "Ihr Termin"):
        assert shown in answer["body"]
    assert "Hoffmann" not in answer["body"]
    assert "Lindenweg" not in answer["body"]


def test_the_appointment_is_a_file_for_calendars(app: ModuleType) -> None:
    answer = ask(app, event("tracking_page", "calendar"))
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"].startswith("text/calendar")
    assert f"DTSTART:{IN_A_WEEK:%Y%m%dT%H%M%SZ}\r\n" in answer["body"]


def test_a_revoked_link_shows_nothing_and_the_next_one_does(app: ModuleType, stack: Stack) -> None:
    assert ask(app, tracking_event(tracking_token()))["statusCode"] == 200
    versions(stack).revoke(KEY, at=NOON)
    assert ask(app, tracking_event(tracking_token()))["statusCode"] == 410
    now_valid = versions(stack).current(KEY)
    assert ask(app, tracking_event(tracking_token(version=now_valid)))["statusCode"] == 200
    versions(stack).revoke(KEY, at=NOON + timedelta(milliseconds=1))
    assert ask(app, tracking_event(tracking_token(version=now_valid)))["statusCode"] == 410
    other = OrderKey(KEY.connection, KEY.order_id, "another")
    assert versions(stack).current(other) == NEVER_REVOKED


def test_an_order_that_is_not_there_is_told_to_who_has_its_link(app: ModuleType) -> None:
    gone = OrderKey(KEY.connection, "gone", "gone")
    assert ask(app, tracking_event(tracking_token(gone)))["statusCode"] == 410


def test_a_link_of_a_connection_without_a_tracking_page_shows_nothing(
    app: ModuleType, stack: Stack
) -> None:
    stack.apply(OFFERGRID)
    assert ask(app, tracking_event(tracking_token()))["statusCode"] == 410


@pytest.mark.parametrize("service", ["orders", "versions"])
def test_an_outage_is_a_page_that_says_to_come_back_and_is_counted(
    service: str,
    app: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "GetItem")

    monkeypatch.setattr(app, "answers", replace(app.answers, **{service: Down()}))
    answer = ask(app, event("tracking_page", "shown"))
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "120")
    assert "<html" in answer["body"]
    assert '"TrackingPageFailures"' in capsys.readouterr().out
    # A guesser learns nothing from an outage either.
    assert ask(app, event("tracking_page", "link_cut_off"))["statusCode"] == 404


def test_without_its_secret_it_says_to_come_back(app: ModuleType, stack: Stack) -> None:
    aws("secretsmanager").delete_secret(
        SecretId=stack.resources[SECRET], ForceDeleteWithoutRecovery=True
    )
    for name in ("shown", "link_cut_off"):
        answer = ask(app, event("tracking_page", name))
        assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "120")


@pytest.mark.parametrize("token", ["x", "1.e30.AAAA", "%00", "ü" * 5000])
def test_every_bad_link_gets_the_same_page(token: str, app: ModuleType) -> None:
    expected = ask(app, event("tracking_page", "link_cut_off"))
    assert expected["statusCode"] == 404
    assert ask(app, tracking_event(token)) == expected


def test_guesses_are_counted_and_refused_after_ten(
    app: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses = [ask(app, tracking_event("x"))["statusCode"] for _ in range(MOST_GUESSES + 1)]
    assert statuses == [404] * MOST_GUESSES + [429]
    assert capsys.readouterr().out.count('"RefusedTrackingLinks":[1') == MOST_GUESSES + 1


def test_nothing_of_the_link_is_logged(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = StringIO()
    monkeypatch.setattr(app.logger.registered_handler, "stream", lines)
    request = event("tracking_page", "shown")
    ask(app, request)
    assert '"outcome":"shown"' in lines.getvalue()
    for word in (request["pathParameters"]["token"], KEY.order_id, "Lena", "192.0.2.17"):
        assert word not in lines.getvalue()


def test_the_link_of_a_customers_mail_shows_the_order(app: ModuleType, stack: Stack) -> None:
    stack.apply(
        replace(OFFERGRID, tracking=TrackingPage(), customer_notices=frozenset({Kind.SCHEDULED}))
    )
    one = notice(
        Kind.SCHEDULED,
        recipient="lena.hoffmann@example.de",
        audience=Audience.CUSTOMER,
    )
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    log.enter(Choice(notice=one), at=NOON)
    sender = stack.load("send_notice")
    said: dict[str, Any] = {}
    sender.mails.sender.mailer._client.meta.events.register(
        "provide-client-params.sesv2.SendEmail", lambda params, **_: said.update(params)
    )
    batch = sqs_batch([json.dumps(notice_message(one))])
    assert sender.handler(batch, Context()) == {"batchItemFailures": []}
    text = said["Content"]["Simple"]["Body"]["Text"]["Data"]
    token = re.search(r"/track/(\S+)", text)
    assert token is not None
    assert ask(app, tracking_event(token[1]))["statusCode"] == 200
