"""What could not be read, done or announced and may name a customer: quarantine, dead letters,
changes of orders that were given up, and what the search index lacks."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item
from milepost.aws.errors import AWS_FAILED, name_of
from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object
from milepost.connections.connection import Connections, UnknownConnection, UnusableConnection
from milepost.notifications.mail.events import UnknownEvent, read_event
from milepost.notifications.notice import Audience
from milepost.operations.dead_letters import DeadLetter, DeadLetterQueue, InOtherHands, read_payload
from milepost.operations.erasure.erase import Budget, Left, PlaceNotRead, Swept, began
from milepost.operations.erasure.subject import (
    BESIDE_OTHERS,
    IN_A_TEXT,
    NOTHING,
    THEIRS,
    Judgement,
    Subject,
    Verdict,
    judge_details,
    judge_raw,
    judge_reports,
    judge_value,
)
from milepost.orders.aws.table import tracked_order
from milepost.orders.order import BadOrderId, OrderKey
from milepost.orders.report import Report, Source
from milepost.providers.registry import UnknownProvider, adapter
from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.replay import NotKept
from milepost.webhooks.aws.deliveries import Delivery

_MOST_LETTERS: Final = 10_000
_MOST_LEFT: Final = 50
"""What of one place is named for a person to look at; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads deliveries with their provider's adapter, as ``record_report`` does."""

    connections: Connections

    def judge(
        self, body: bytes, subject: Subject, *, connection_id: str, source: Source, at: datetime
    ) -> Judgement:
        """Whose a delivery is. One that can be read is known by its order and its customer; whoever
        else is named in it only stands in somebody's text."""
        reports = self._reports(body, connection_id, source, at)
        raw = judge_raw(body, subject, connection=connection_id)
        if reports is None:
            return raw
        read = judge_reports(reports, subject)
        if read.verdict is Verdict.THEIRS or raw.verdict is Verdict.OTHERS:
            return read
        if read.verdict is Verdict.UNSURE:
            return read
        return IN_A_TEXT if raw.verdict is Verdict.THEIRS else raw

    def _reports(
        self, body: bytes, connection_id: str, source: Source, at: datetime
    ) -> list[Report] | None:
        try:
            connection = self.connections.get(connection_id)
            provider, said = adapter(connection.provider), read_object(body)
            if source is Source.POLL:
                found = provider.read_order(said, connection=connection, requested_at=at)
            else:
                found = provider.read_event(said, connection=connection, seen_at=at)
        except (BadPayload, UnknownConnection, UnknownProvider, UnusableConnection):
            return None
        return found or None


class QuarantineOfCustomers:
    """Implements ``erase.Place``: what could not be read and is known to be the customer's, at
    any connection."""

    name = "quarantined"

    def __init__(self, quarantine: Quarantine, reader: Reader, budget: Budget) -> None:
        self._quarantine = quarantine
        self._reader = reader
        self._budget = budget

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        swept = _Sweep(self.name)
        try:
            for kept in self._quarantine.walk():
                if not self._budget.has_time():
                    swept.is_whole = False
                    break
                try:
                    _, body = self._quarantine.get(kept.id)
                except NotKept:
                    continue
                found = self._reader.judge(
                    body,
                    subject.as_of(kept.received_at),
                    connection_id=kept.id.connection,
                    source=kept.source,
                    at=kept.received_at,
                )
                if swept.is_theirs(found, kept.id.path_id) and not dry_run:
                    self._quarantine.remove(kept.id)
        except AWS_FAILED as error:
            raise PlaceNotRead(f"the quarantine can't be read now ({name_of(error)})") from None
        return swept.result()


class DeadLettersOfCustomers:
    """Implements ``erase.Place``: messages that failed every retry and are the customer's."""

    name = "dead_letters"

    def __init__(self, queues: Sequence[DeadLetterQueue], reader: Reader, budget: Budget) -> None:
        self._queues = queues
        self._reader = reader
        self._budget = budget

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        swept = _Sweep(self.name)
        busy = []
        for queue in self._queues:
            try:
                self._sweep_one(queue, subject, swept, dry_run=dry_run)
            except InOtherHands:
                # What can't be seen may name them: better to be asked again than to leave it.
                busy.append(queue.name)
            except AWS_FAILED as error:
                why = f"the queue {queue.name} can't be read now ({name_of(error)})"
                raise PlaceNotRead(why) from None
        if busy:
            raise PlaceNotRead(
                f"somebody is looking at dead letters ({', '.join(busy)}): repeat it in a minute"
            )
        return swept.result()

    def _sweep_one(
        self, queue: DeadLetterQueue, subject: Subject, swept: "_Sweep", *, dry_run: bool
    ) -> None:
        with closing(queue.letters.walk(most=_MOST_LETTERS, whole=True)) as letters:
            for letter in letters:
                found = self._judge(letter, subject)
                if swept.is_theirs(found, f"{queue.name}/{letter.id}") and not dry_run:
                    queue.give_up(letter)
                if not self._budget.has_time():
                    swept.is_whole = False
                    return

    def _judge(self, letter: DeadLetter, subject: Subject) -> Judgement:
        if delivery := _delivery(letter):
            return self._reader.judge(
                delivery.body,
                subject.as_of(delivery.received_at),
                connection_id=delivery.connection_id,
                source=delivery.source,
                at=delivery.received_at,
            )
        who, value = subject.as_of(letter.sent_at), _json(letter.body)
        if not isinstance(value, dict):
            return judge_raw(letter.body.encode(), who, connection=None)
        return _judge_message(value, who)


def _judge_message(value: Mapping[str, Any], subject: Subject) -> Judgement:
    """Whose a message of ours, of SES or of Lambda is, by its fields."""
    if "announcement" in value and "recipient" in value:
        return _judge_notice(value, subject)
    try:
        if subject.owns_email(read_event(value).recipient):
            return THEIRS
    except UnknownEvent:
        pass
    if any(subject.owns_order(key.connection, key.order_id) for key in _orders_named_in(value)):
        return THEIRS
    connection = value.get("connection")
    where = connection if isinstance(connection, str) else None
    found = judge_value(value, subject, connection=where)
    is_of_a_mail = "mail" in value and found.verdict is Verdict.THEIRS
    return BESIDE_OTHERS if is_of_a_mail else found


def _judge_notice(message: Mapping[str, Any], subject: Subject) -> Judgement:
    """Whose a notice is that could not be sent. The team's name nobody but the team."""
    if subject.owns_email(str(message["recipient"])):
        return THEIRS
    is_theirs = subject.owns_order(message.get("connection", ""), message.get("order_id", ""))
    return THEIRS if is_theirs and message.get("audience") == Audience.CUSTOMER else NOTHING


def _orders_named_in(value: Mapping[str, Any]) -> Iterator[OrderKey]:
    """The order that a function was to be run for: its input, or what Lambda says of the run."""
    for said in (value, value.get("requestPayload")):
        order = said.get("order") if isinstance(said, Mapping) else None
        if isinstance(order, str):
            try:
                yield OrderKey.parse(order)
            except BadOrderId:
                continue


class UnannouncedOfCustomers:
    """Implements ``erase.Place``: records of the stream that could not be announced."""

    name = "unannounced"

    def __init__(self, make_client: Callable[[], Any], *, bucket: str) -> None:
        self._make_client = make_client
        self._bucket = bucket

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        swept = _Sweep(self.name)
        try:
            pages = (
                self._make_client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
            )
            for key in [one["Key"] for page in pages for one in page.get("Contents", [])]:
                self._sweep_one(key, subject, swept, dry_run=dry_run)
        except AWS_FAILED as error:
            raise PlaceNotRead(
                f"what wasn't announced can't be read now ({name_of(error)})"
            ) from None
        return swept.result()

    def _sweep_one(self, key: str, subject: Subject, swept: "_Sweep", *, dry_run: bool) -> None:
        raw = self._read(key)
        if raw is None:
            return
        try:
            kept = json.loads(raw)
            records = read_payload(kept)["Records"]
        except (ValueError, KeyError, TypeError):
            # Nobody can redrive it, so whoever looks at it may as well discard it.
            found = judge_raw(raw, subject, connection=None)
            if found.verdict is not Verdict.OTHERS:
                swept.is_theirs(BESIDE_OTHERS, key)
            return
        others = [
            one
            for place, one in enumerate(records)
            if not swept.is_theirs(_judge_record(one, subject), f"{key}/{place}")
        ]
        if dry_run or len(others) == len(records):
            return
        if others:
            payload = {"Records": others}
            as_it_was = json.dumps(payload) if isinstance(kept["payload"], str) else payload
            body = json.dumps({**kept, "payload": as_it_was}).encode()
            self._make_client().put_object(Bucket=self._bucket, Key=key, Body=body)
        else:
            self._make_client().delete_object(Bucket=self._bucket, Key=key)

    def _read(self, key: str) -> bytes | None:
        """None when it was taken up, or has expired, meanwhile."""
        try:
            answer = self._make_client().get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        raw: bytes = answer["Body"].read()
        return raw


def _judge_record(record: Mapping[str, Any], subject: Subject) -> Judgement:
    """Whose order a record of the stream is about, by its key and by what its images say.

    What can't be read as an order is looked at as bytes, and deleted by nobody but a person.
    """
    try:
        return _judge_images(record, subject)
    except (LookupError, TypeError, ValueError, AttributeError):
        found = judge_raw(json.dumps(record).encode(), subject, connection=None)
        return NOTHING if found.verdict is Verdict.OTHERS else BESIDE_OTHERS


def _judge_images(record: Mapping[str, Any], subject: Subject) -> Judgement:
    _, connection, order_id = record["dynamodb"]["Keys"]["pk"]["S"].split("#", 2)
    if subject.owns_order(connection, order_id):
        return THEIRS
    for name in ("NewImage", "OldImage"):
        if image := record["dynamodb"].get(name):
            tracked = tracked_order(from_item(image))
            details, key = tracked.order.details, tracked.order.key
            return judge_details(details, key, subject.as_of(began(tracked)))
    return NOTHING


class SearchIndexBehind:
    """Implements ``erase.Place``: changes that could not be taken into the search index, by which
    a customer's orders are found. They hold nobody's data, but what they lack isn't found."""

    name = "search_index"

    def __init__(self, client: Any, *, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:  # noqa: ARG002 - as every place
        names = ["ApproximateNumberOfMessages"]
        try:
            answer = self._client.get_queue_attributes(
                QueueUrl=self._queue_url, AttributeNames=names
            )
        except AWS_FAILED as error:
            raise PlaceNotRead(
                f"the queue MeasureFailures can't be read now ({name_of(error)})"
            ) from None
        number = int(answer["Attributes"][names[0]])
        if number == 0:
            return Swept()
        why = (
            f"{number} batches of changes are missing in it, so that orders of theirs may not be "
            'found: see docs/runbook.md, "A change was not counted", then erase again'
        )
        return Swept(left=[Left(place=self.name, where="MeasureFailures", why=why)])


class _Sweep:
    """What a place has come to so far."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._removed: list[str] = []
        self._left: list[Left] = []
        self._more = 0
        self.is_whole = True

    def is_theirs(self, found: Judgement, where: str) -> bool:
        """Note it, and whether it is to be removed."""
        if found.verdict is Verdict.THEIRS:
            self._removed.append(where)
            return True
        if found.verdict is Verdict.UNSURE and len(self._left) < _MOST_LEFT:
            self._left.append(Left(place=self._place, where=where, why=found.why))
        elif found.verdict is Verdict.UNSURE:
            self._more += 1
        return False

    def result(self) -> Swept:
        if self._more:
            why = f"{self._more} more of this place may be theirs: erase again once these are done"
            self._left.append(Left(place=self._place, where="", why=why))
        return Swept(removed=self._removed, left=self._left, is_whole=self.is_whole)


def _delivery(letter: DeadLetter) -> Delivery | None:
    try:
        return Delivery.from_message(letter.body)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
