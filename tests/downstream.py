"""Everything that is derived from a report, from its order's item to the mails about it."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

from cli.local_times import Moments
from milepost.api.order_schema import order_view
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.connections.connection import CommissionTerms, Connection, FollowUp
from milepost.connections.tracks import BUSINESS
from milepost.notifications.announcement_message import (
    topic_attributes,
    topic_message,
    topic_subject,
)
from milepost.notifications.eligibility import out_of_date
from milepost.notifications.mail.rendering.digest_lines import Digest, DigestLine
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.notice import Audience, Channel, Notice
from milepost.notifications.subscription import DigestReason
from milepost.orders import deadlines
from milepost.orders.aws.table import announced_by, order_item, tracked_order
from milepost.orders.deadline_watch import judged
from milepost.orders.groups import summarize_group
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.overdue_list import OverdueNow, OverdueOrder
from milepost.orders.reminders import action_to_complete
from milepost.orders.search_terms import customer_id_of, reference_words
from milepost.orders.timed_announcements import judged_by_time
from milepost.queries.aws.listed_orders import listed_order
from milepost.queries.commission import commissions
from milepost.queries.commission_watch import judged_by_money
from milepost.queries.list_choices import Due
from milepost.queries.order_list import Wanted, is_wanted
from milepost.queries.stage_durations import change_of

LANGUAGES: Final = ("en", "de", "da")
MOST_KEY_BYTES: Final = {"pk": 2_048, "sk": 1_024}


class OneConnection:
    """Implements ``connection.Connections``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, connection_id: str) -> Connection:
        return self._connection


def make_everything(
    tracked: TrackedOrder,
    *,
    connection: Connection,
    now: datetime,
    languages: Iterable[str] = LANGUAGES,
) -> list[str]:
    """Derive everything that functions and commands derive from an order; returns the texts that
    people see.

    An exception is what the caller looks for.
    """
    kept = store(tracked, connection)
    order = tracked.order
    for terms in ((), (CommissionTerms(amount="75", currency="AUD", recurring="monthly"),)):
        commissions(order, replace(connection, commission=terms), now=now)
    for counted in ("calendar", BUSINESS):
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
            _dates(tracked, replace(connection, stage_days_count=counted, time_zone=zone))
            _by_time(tracked, replace(connection, time_zone=zone), now)
    _lists(tracked, kept, connection, now)
    customer_id_of(order.details, order.key)
    reference_words(order.details.get("reference", ""))
    summarize_group([order])
    change_of(None, tracked)
    topic = [
        text
        for one in announced_by(kept)
        for text in (json.dumps(topic_message(one)), topic_subject(one), *topic_attributes(one))
    ]
    return [*topic, *_mails(tracked, connection, languages)]


def store(tracked: TrackedOrder, connection: Connection) -> dict[str, Any]:
    """The order's item as DynamoDB returns it; a value that DynamoDB would refuse fails here."""
    new = tracked.announced
    attributes = json.loads(
        json.dumps(to_item(order_item(tracked, connection=connection, new=new)))
    )
    assert len(json.dumps(attributes, ensure_ascii=False).encode()) < 400_000
    for name, most in MOST_KEY_BYTES.items():
        assert 0 < len(attributes[name]["S"].encode()) <= most
    for number in _numbers(attributes):
        assert number == 0 or -130 <= number.adjusted() <= 125
    kept = from_item(attributes)
    assert tracked_order(kept) == tracked
    return kept


def _numbers(value: Any) -> list[Decimal]:
    if isinstance(value, list):
        return list(chain.from_iterable(map(_numbers, value)))
    if not isinstance(value, dict):
        return []
    if list(value) == ["N"] and isinstance(value["N"], str):
        return [Decimal(value["N"])]
    return list(chain.from_iterable(map(_numbers, value.values())))


def _dates(tracked: TrackedOrder, connection: Connection) -> None:
    order = tracked.order
    ends = deadlines.stage_deadline(order, connection)
    dates = [
        ends,
        deadlines.next_date(order, connection),
        deadlines.escalates_at(ends, connection),
        deadlines.overdue_at(order, connection),
        deadlines.expected_by(order, connection),
    ]
    assert all(one.utcoffset() == timedelta(0) for one in dates if one)
    assert deadlines.allowed_in_words(order, connection)
    deadlines.appointment_ends(order.details.get("appointment", ""), connection)


def _by_time(tracked: TrackedOrder, connection: Connection, now: datetime) -> None:
    follow_up = FollowUp(link="https://survey.example", after_days=3660.0)
    kinds = frozenset({"reminder", "delayed", "follow_up"})
    terms = CommissionTerms(amount="75", currency="AUD", recurring="monthly")
    pays = replace(connection, commission=(terms,), contact="lead@example.org")
    sends = replace(connection, customer_notices=kinds, follow_up=follow_up)
    for moment in (now, now + timedelta(days=10_000)):
        judged(tracked, sends, now=moment)
        judged_by_time(tracked, sends, now=moment)
        action_to_complete(tracked.order, sends, now=moment)
        judged_by_money(tracked, pays, now=moment)
        for kind in (Kind.REMINDER, Kind.DELAYED, Kind.FOLLOW_UP, Kind.COMMISSION_OVERDUE):
            for one in tracked.announced:
                out_of_date(replace(one, kind=kind), tracked, sends, now=moment)


def _lists(
    tracked: TrackedOrder, kept: dict[str, Any], connection: Connection, now: datetime
) -> None:
    listed = listed_order(kept)
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        shown = Moments(ZoneInfo(zone))
        shown.minute(listed.next_date)
        shown.minute(kept.get("appointment"))
        for due in Due:
            is_wanted(listed, Wanted(asked_at=now, due=due), zone=zone)
    view = order_view(tracked, connection=connection, notices=[], now=now)
    view.model_dump_json()


def _mails(tracked: TrackedOrder, connection: Connection, languages: Iterable[str]) -> list[str]:
    renderer = MailRenderer(OneConnection(connection))
    mails = []
    for one in tracked.announced:
        for language in languages:
            for audience in Audience:
                notice = Notice(
                    key=tracked.order.key,
                    announcement=one,
                    channel=Channel.EMAIL,
                    recipient="sales@example.org",
                    audience=audience,
                    language=language,
                )
                line = DigestLine(notice=notice, tracked=tracked)
                digest = Digest(
                    recipient="sales@example.org",
                    language=language,
                    time_zone="America/Los_Angeles",
                    reason=DigestReason.DAILY,
                    lines=(line,),
                    overdue=OverdueNow(orders=(_overdue(tracked),)),
                )
                mails.append(renderer.render_digest(digest))
                try:
                    mails.append(renderer.render(notice, tracked))
                except LookupError:
                    # Customers aren't told of every kind.
                    assert audience is Audience.CUSTOMER
    return [part for mail in mails for part in (mail.subject, mail.text, mail.html)]


def _overdue(tracked: TrackedOrder) -> OverdueOrder:
    order = tracked.order
    return OverdueOrder(
        key=order.key,
        reference=order.details.get("reference"),
        status=order.status,
        since=order.since,
    )
