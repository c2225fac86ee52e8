"""Lists of notices and suppressions by the table's index, on every engine."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from milepost.common.timestamps import format_instant
from milepost.notifications.aws import list_keys, notice_lists
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.notice_lists import NoticeListsTable
from milepost.notifications.aws.suppression_lists import SuppressionListTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.endpoints.aws.call_log import EndpointCallLog
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.mail.aws.unsubscribe import EndingsTable
from milepost.notifications.mail.bounces_and_complaints import Logged, Step
from milepost.notifications.notice import Audience, Channel, Notice, State
from milepost.notifications.notice_list import UNDELIVERED, NoticePlace, WantedNotices
from milepost.notifications.recipients import Choice
from milepost.orders.order import Kind, OrderKey
from tests.builders import KEY, minute, notice

TABLE = "NoticesTable"
EVERYTHING = WantedNotices()


class Log:
    """A delivery log, and what its list shows."""

    def __init__(self, client: Any, table: str) -> None:
        self.client, self.table = client, table
        self.notices = NoticesTable(client, table_name=table)
        self.lists = NoticeListsTable(client, table_name=table)
        self._orders = count()

    def enter(self, at: float, skipped: str | None = None, **parts: Any) -> Notice:
        """A notice of an order of its own."""
        key = OrderKey(parts.pop("connection", KEY.connection), f"ord_{next(self._orders)}", "1")
        one = replace(notice(parts.pop("kind", Kind.ACCEPTED)), key=key, **parts)
        self.notices.enter(Choice(notice=one, skipped=skipped), at=minute(at))
        return one

    def page(
        self, wanted: WantedNotices, *, after: NoticePlace | None = None, limit: int = 100
    ) -> tuple[list[str], NoticePlace | None]:
        page = self.lists.page(wanted, after=after, limit=limit)
        return [entry["id"] for entry in page.entries], page.last

    def all(self, limit: int = 100, **wanted: Any) -> list[str]:
        """The ids of the whole list, page by page."""
        found, last = self.page(WantedNotices(**wanted), limit=limit)
        while last is not None:
            more, last = self.page(WantedNotices(**wanted), after=last, limit=limit)
            found += more
        return found


@pytest.fixture
def log(dynamodb: Any, table: str) -> Log:
    return Log(dynamodb, table)


def bounce(log: Log, one: Notice, at: float) -> None:
    log.notices.mark_sent(one, message_id="m-1", at=minute(at))
    MailsTable(log.client, table_name=log.table).move(
        Logged(notice=one, state=State.SENT, message_id="m-1", attempts=0),
        Step(state=State.BOUNCED, reason="mailbox full", attempts=1),
        starts=frozenset({State.SENT}),
        at=minute(at),
    )


def test_the_newest_comes_first_and_pages_show_each_notice_once(log: Log) -> None:
    # Many of one second, so that a page ends among them.
    ids = [
        log.enter(at, recipient=f"person{at}-{place}@example.org").id
        for at in range(4)
        for place in range(5)
    ]
    for limit in (1, 3, 100):
        found = log.all(limit=limit)
        assert sorted(found) == sorted(ids)
        entered = [ids.index(id) // 5 for id in found]
        assert entered == sorted(entered, reverse=True)


def test_who_was_not_notified_is_one_list_with_the_reasons(log: Log) -> None:
    skipped = log.enter(0, skipped="no email address")
    failed = log.enter(1)
    log.notices.close(failed, state=State.FAILED, reason="refused by SES", at=minute(5))
    suppressed = log.enter(2)
    log.notices.close(suppressed, state=State.SUPPRESSED, reason="bounced", at=minute(4))
    bounced = log.enter(3)
    bounce(log, bounced, at=3)
    sent = log.enter(4)
    log.notices.mark_sent(sent, message_id="m-2", at=minute(6))

    # By when each came into its state.
    assert log.all(states=frozenset(UNDELIVERED)) == [
        failed.id,
        suppressed.id,
        bounced.id,
        skipped.id,
    ]
    assert log.all(states=frozenset({State.BOUNCED})) == [bounced.id]
    assert log.all(reason="EMAIL ADDR") == [skipped.id]
    assert log.all(states=frozenset({State.SENT})) == [sent.id]
    assert log.all() == [failed.id, sent.id, suppressed.id, bounced.id, skipped.id]


def test_filters_combine(log: Log) -> None:
    plain = log.enter(0)
    customer = log.enter(1, audience=Audience.CUSTOMER, recipient="c@example.org")
    elsewhere = log.enter(2, connection="rabot-main", kind=Kind.REJECTED)
    hook = "https://crm.example.com/hooks?token=1"
    called = log.enter(3, channel=Channel.HTTPS, recipient=hook)

    assert log.all(audience=Audience.CUSTOMER) == [customer.id]
    assert log.all(connections=frozenset({"rabot-main"})) == [elsewhere.id]
    assert log.all(kinds=frozenset({Kind.REJECTED}), audience=Audience.CUSTOMER) == []
    assert log.all(channel=Channel.HTTPS) == [called.id]
    # As lists show it, without what lets strangers in.
    assert log.all(recipient="https://crm.example.com/hooks") == [called.id]
    assert log.all(since=minute(1), until=minute(3)) == [elsewhere.id, customer.id]
    assert plain.id in log.all(until=minute(1))


@pytest.mark.parametrize(
    ("sent_to", "asked"),
    [
        ("Kim@Example.org", " kim@example.ORG"),
        ("kim@müller.example", "KIM@xn--mller-kva.example"),
        ("jose\u0301@example.org", "jos\u00e9@example.org"),
    ],
)
def test_a_recipient_is_found_in_every_spelling(log: Log, sent_to: str, asked: str) -> None:
    one = log.enter(0, recipient=sent_to)
    log.enter(1, recipient="other@example.org")
    customer = log.enter(2, recipient=sent_to, audience=Audience.CUSTOMER, apart=True)
    assert log.all(recipient=asked) == [customer.id, one.id]


def test_a_failed_call_that_arrived_after_all_is_among_the_delivered(log: Log) -> None:
    one = log.enter(0, channel=Channel.HTTPS, recipient="https://crm.example.com/hooks")
    calls = EndpointCallLog(log.client, table_name=log.table)
    claim = calls.claim(one, attempt=0, at=minute(1), until=minute(2))
    assert claim
    calls.close(one, state=State.FAILED, reason="timeout", at=minute(1), attempts=1, claim=claim)
    assert log.all(states=frozenset({State.FAILED})) == [one.id]
    calls.mark_delivered(one, attempt=1, message_id="m", at=minute(2))
    assert log.all(states=frozenset({State.FAILED})) == []
    assert log.all(states=frozenset({State.DELIVERED})) == [one.id]


def test_a_page_looks_through_so_many_and_goes_on_with_the_next(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice_lists, "MOST_LOOKED_THROUGH", 5)
    monkeypatch.setattr(notice_lists, "_READ", 2)
    monkeypatch.setattr(notice_lists, "_READ_OF_SPARSE", 3)
    monkeypatch.setattr(list_keys, "SHARDS", 4)
    wanted = log.enter(0, recipient="kim@example.org")
    for at in range(1, 30):
        log.enter(at, recipient="other@example.org")
    first, last = log.page(WantedNotices(reason="no such reason"), limit=2)
    assert (first, last is None) == ([], False)
    assert log.all(recipient="kim@example.org", limit=2) == [wanted.id]
    assert log.all(kinds=frozenset({Kind.REJECTED}), limit=2) == []


@pytest.mark.parametrize("limit", [2, 100])
def test_notices_of_eight_shards_are_listed_with_the_newer_ones(
    log: Log, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(list_keys, "SHARDS", 8)
    before = [log.enter(at, recipient=f"p{at}@example.org").id for at in range(6)]
    monkeypatch.setattr(list_keys, "SHARDS", 1)
    after = [log.enter(at, recipient=f"p{at}@example.org").id for at in range(6, 12)]
    for _ in range(2):  # The second time it is known how new the notices of earlier shards are.
        assert log.all(limit=limit) == [*reversed(after), *reversed(before)]
        assert log.all(limit=limit, recipient="p3@example.org") == [before[3]]
        assert log.all(limit=limit, until=minute(4)) == [*reversed(before[:4])]


def test_a_page_of_new_notices_reads_no_shard_that_has_only_older_ones(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_keys, "SHARDS", 8)
    old = [log.enter(at, recipient=f"p{at}@example.org").id for at in range(6)]
    monkeypatch.setattr(list_keys, "SHARDS", 1)
    new = [log.enter(at, recipient=f"p{at}@example.org").id for at in range(6, 12)]
    assert len(log.all()) == len(old) + len(new)
    calls: list[str] = []
    log.client.meta.events.register(
        "before-call.dynamodb.Query", lambda model, **_: calls.append(model.name)
    )
    ids, _ = log.page(EVERYTHING, limit=5)
    assert ids == [*reversed(new[1:])]
    assert len(calls) == len({list_keys.list_of(state) for state in State})


def test_an_entry_of_an_earlier_version_is_listed_once_it_fails(log: Log) -> None:
    one = log.enter(0)
    key = {"pk": {"S": f"order#{one.key.connection}#{one.key.order_id}"}}
    found = log.client.query(
        TableName=log.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": key["pk"]},
    )["Items"][0]
    log.client.update_item(
        TableName=log.table,
        Key={"pk": found["pk"], "sk": found["sk"]},
        UpdateExpression="REMOVE list_shard, listed_at",
    )
    assert log.all() == []
    log.notices.close(one, state=State.FAILED, reason="refused", at=minute(1))
    assert log.all() == [one.id]


def test_suppressions_are_listed_the_newest_first_and_lifted_one_by_one(
    dynamodb: Any, table: str
) -> None:
    kept = SuppressionsTable(dynamodb, table_name=table)
    listed = SuppressionListTable(dynamodb, table_name=table)
    for place in range(7):
        at = minute(place // 3)
        kept.suppress(f"p{place}@example.org", reason=f"bounced {place}", at=at)
    digest = listed.of_address("P3@EXAMPLE.org")[0].id.digest
    EndingsTable(dynamodb, table_name=table).suppress_customer(
        digest, reason="unsubscribed", at=minute(9)
    )

    shown, after = [], None
    while True:
        page = listed.page(after=after, limit=3)
        shown += page.suppressions
        if (after := page.last) is None:
            break

    assert [one.reason for one in shown][:2] == ["unsubscribed", "bounced 6"]
    assert sorted(one.reason for one in shown) == sorted(
        ["unsubscribed", *(f"bounced {place}" for place in range(7))]
    )
    # An unsubscribe link names a digest alone; whoever asks by the address has said it.
    assert [one.address for one in shown][:2] == [None, "p6@example.org"]
    of_it = listed.of_address("p3@example.org")
    assert [(one.address, one.id.audience) for one in of_it] == [
        ("p3@example.org", None),
        ("p3@example.org", Audience.CUSTOMER),
    ]

    assert listed.lift(shown[0].id, at=minute(10))
    assert not listed.lift(shown[0].id, at=minute(11))
    assert kept.reason("p3@example.org", audience=Audience.CUSTOMER) == "bounced 3"
    kept.suppress("p6@example.org", reason="came late", at=minute(3))
    assert listed.lift(shown[1].id, at=minute(10))
    kept.suppress("p6@example.org", reason="of before", at=minute(4))
    assert kept.reason("p6@example.org", audience=Audience.TEAM) is None
    assert len(listed.page(after=None, limit=50).suppressions) == 6


def test_a_notice_that_arrives_costs_the_index_one_write(dynamodb: Any, table: str) -> None:
    log = Log(dynamodb, table)
    one = log.enter(0)
    listed = log.lists.page(EVERYTHING, after=None, limit=1).entries[0]["listed_at"]
    log.notices.claim(one, at=minute(1), until=minute(2))
    log.notices.release(one, claim="another")
    log.notices.mark_sent(one, message_id="m", at=minute(3))
    (entry,) = log.lists.page(EVERYTHING, after=None, limit=1).entries
    assert (entry["state"], entry["listed_at"]) == (State.SENT, listed)
    assert listed == format_instant(minute(0))
