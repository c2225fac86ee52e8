"""Errors of DynamoDB that are no failed condition come back: nothing is taken for done."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from milepost.common.status import Status
from milepost.connections.aws.activity import ContactsTable, LastWebhooks
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.poll_request import PollRequest
from milepost.notifications.aws.announcement_log import AnnouncementLogTable
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held_notices import Due, HoldsTable
from milepost.notifications.aws.idempotency import RequestsTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.claims import Batch
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.mail.aws.unsubscribe import EndingsTable
from milepost.notifications.notice import Audience, Channel, NoticeId, State
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import OrdersTable
from milepost.polling.aws.lease import PollLease, PollsTable
from milepost.polling.aws.touched_orders import TouchedTable
from milepost.polling.state import PollState, Progress
from milepost.providers.base import PageRequest
from milepost.tracking_page.aws.link_versions import LinkVersionsTable
from tests.builders import KEY, NOON, OFFERGRID, minute, notice, report, tracked
from tests.stack import aws

TABLE = "NoticesTable"
ONE = notice()
BATCH = Batch.of(ONE, due_at=minute(60))
SALES = Subscription(id="sales", recipient="sales@example.org")
CODES = ["ProvisionedThroughputExceededException", "InternalServerError", "AccessDeniedException"]


class Failing:
    """A client whose every call fails, pages too."""

    def __init__(self, code: str) -> None:
        self._error = ClientError({"Error": {"Code": code, "Message": "no"}}, "Anything")
        self.exceptions = aws("dynamodb").exceptions

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == "get_paginator":
            return lambda _name: self
        return self._fail

    def _fail(self, **_asked: Any) -> Any:
        raise self._error


def calls(client: Any) -> dict[str, Callable[[], Any]]:
    log = NoticesTable(client, table_name=TABLE)
    holds = HoldsTable(client, table_name=TABLE)
    requests = RequestsTable(client, table_name=TABLE)
    subscriptions = SubscriptionsTable(client, table_name=TABLE)
    suppressions = SuppressionsTable(client, table_name=TABLE)
    announced = AnnouncementLogTable(client, table_name=TABLE)
    endings = EndingsTable(client, table_name=TABLE)
    versions = LinkVersionsTable(client, table_name=TABLE)
    sent: dict[str, Any] = {"message_id": "m-1", "at": NOON}
    until: dict[str, Any] = {"at": NOON, "until": minute(1)}
    due = Due("2026-03-02T13:00:00Z#email#a", Channel.EMAIL, {}, "token")
    return {
        "of_order": lambda: log.of_order(KEY),
        "find": lambda: log.find(NoticeId.parse(ONE.id)),
        "enter": lambda: log.enter(Choice(notice=ONE), at=NOON),
        "claim": lambda: log.claim(ONE, **until),
        "release": lambda: log.release(ONE, claim="c"),
        "keep_claim": lambda: log.keep_claim(ONE, claim="c", until=NOON),
        "keep_batch_claim": lambda: holds.keep_batch_claim(BATCH, claim="c", until=NOON),
        "waiting": lambda: log.waiting([ONE]),
        "mark_sent": lambda: log.mark_sent(ONE, **sent),
        "note_message": lambda: log.note_message(ONE, message_id="m-1"),
        "mark_all_sent": lambda: log.mark_all_sent([ONE], digest="d", **sent),
        "postpone_all": lambda: log.postpone_all([ONE], reason="no", retry_at=NOON),
        "close": lambda: log.close(ONE, state=State.FAILED, reason="no", at=NOON),
        "count": lambda: holds.count(ONE, hour=NOON),
        "hold": lambda: holds.hold(ONE, due_at=NOON),
        "due": lambda: list(holds.due(until=NOON)),
        "done": lambda: holds.done(due),
        "held": lambda: holds.held(BATCH),
        "claim_batch": lambda: holds.claim_batch(BATCH, **until),
        "release_batch": lambda: holds.release_batch(BATCH, claim="c"),
        "mark_batch_sent": lambda: holds.mark_batch_sent(BATCH, [ONE], claim="c", **sent),
        "let_go": lambda: holds.let_go(BATCH, [ONE]),
        "close_batch": lambda: holds.close_batch(BATCH, claim="c"),
        "contents": lambda: requests.contents("resend", "k"),
        "enter request": lambda: requests.enter("resend", "k", "c", at=NOON),
        "all": subscriptions.all,
        "read_each": subscriptions.read_each,
        "get": lambda: subscriptions.get("sales"),
        "change": lambda: subscriptions.change(SALES, instead_of=SALES),
        "put": lambda: subscriptions.put(SALES),
        "resume": lambda: subscriptions.resume("sales", ended=None),
        "delete": lambda: subscriptions.delete("sales"),
        "end": lambda: subscriptions.end("sales", reason="no"),
        "end_all_of": lambda: subscriptions.end_all_of("sales", reason="no"),
        "end_all_at": lambda: subscriptions.end_all_at("digest", reason="no"),
        "reason": lambda: suppressions.reason("a@example.org", audience=Audience.TEAM),
        "suppress": lambda: suppressions.suppress("a@example.org", reason="no", at=NOON),
        "lift": lambda: suppressions.lift("a@example.org", at=NOON),
        "fully_notified": lambda: announced.fully_notified(KEY),
        "looked_through_until": announced.looked_through_until,
        "mark_looked_through": lambda: announced.mark_looked_through(until=NOON),
        "end_recipient": lambda: endings.end_recipient("digest", reason="no"),
        "suppress_customer": lambda: endings.suppress_customer("digest", reason="no", at=NOON),
        "current version": lambda: versions.current(KEY),
        "revoke": lambda: versions.revoke(KEY, at=NOON),
        **calls_of_polls(client),
        **calls_of_orders(client),
    }


def calls_of_polls(client: Any) -> dict[str, Callable[[], Any]]:
    polls = PollsTable(client, table_name=TABLE)
    lease = PollLease(client, TABLE, "c", "holder", PollState())
    contacts = ContactsTable(client, table_name=TABLE)
    ended: dict[str, Any] = {"cursor": None, "validator": None, "at": NOON}
    request = PollRequest(id="r", requested_at=NOON)
    return {
        "lease": lambda: polls.lease("c", now=NOON, duration=minute(5) - NOON),
        "pause": lambda: lease.pause(Progress(next=PageRequest("/x"), pages=1, newest_change=None)),
        "succeed": lambda: lease.succeed(**ended),
        "fail": lambda: lease.fail(error="500", at=NOON, not_before=None),
        "give_back": lease.give_back,
        "keep request": lambda: PollRequests(client, table_name=TABLE).keep("c", request),
        "contact": lambda: contacts.get("c"),
        "contacts": contacts.all,
        "note": lambda: LastWebhooks(client, table_name=TABLE).note("c", at=NOON),
    }


def calls_of_orders(client: Any) -> dict[str, Callable[[], Any]]:
    orders = OrdersTable(client, table_name=TABLE, connection=OFFERGRID)
    touched = TouchedTable(client, table_name=TABLE)
    mails = MailsTable(client, table_name=TABLE)
    return {
        "read": lambda: orders.read(KEY),
        "read_group": lambda: orders.read_group(KEY.connection, KEY.order_id),
        "write": lambda: orders.write(tracked(report(Status.ACCEPTED)), new=()),
        "mark": lambda: touched.mark("c", ["ord-1"], at=NOON),
        "mark_all": lambda: touched.mark_all("c", at=NOON),
        "since": lambda: touched.since("c", NOON),
        "keep mail": lambda: mails.keep([ONE], at=NOON),
        "find mail": lambda: mails.find("m"),
        "try_again": lambda: mails.try_again([ONE], at=NOON),
    }


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("call", sorted(calls(None)))
def test_an_error_that_is_no_failed_condition_comes_back(call: str, code: str) -> None:
    with pytest.raises(ClientError, match=code):
        calls(Failing(code))[call]()


def attributes_of(table: type, except_for: set[str]) -> set[str]:
    # Mutation tests add variants of each method, under names beyond ASCII.
    return {name for name in vars(table) if name.isascii() and name[0] != "_"} - except_for


def test_every_call_of_the_log_and_the_waiting_room_is_among_them() -> None:
    named = set(calls(None))
    tables: tuple[type, ...] = (
        *(NoticesTable, HoldsTable, SubscriptionsTable, SuppressionsTable, AnnouncementLogTable),
        *(PollsTable, PollLease, OrdersTable, TouchedTable),
    )
    for table in tables:
        assert attributes_of(table, {"state_of_sent"}) <= named
