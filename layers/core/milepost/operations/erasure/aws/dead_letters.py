"""Places of an erasure: messages that failed every retry (dead letters)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final

from milepost.aws.errors import AWS_FAILED, name_of
from milepost.notifications.mail.ses_events import UnknownEvent, read_event
from milepost.notifications.notice import Audience
from milepost.operations.dead_letters import DeadLetter, DeadLetterQueue, MessagesInFlight
from milepost.operations.erasure.aws.quarantine import Reader
from milepost.operations.erasure.aws.sweep import Sweep
from milepost.operations.erasure.judged_text import judge_raw, judge_value
from milepost.operations.erasure.place import Budget, PlaceNotRead, Swept
from milepost.operations.erasure.subject import (
    BESIDE_OTHERS,
    NOTHING,
    THEIRS,
    Judgement,
    Subject,
    Verdict,
)
from milepost.orders.order import BadOrderId, OrderKey
from milepost.webhooks.delivery import Delivery

_MOST_LETTERS: Final = 10_000


class DeadLettersOfCustomers:
    """Implements ``place.Place``: the customer's messages in dead-letter queues."""

    name = "dead_letters"

    def __init__(self, queues: Sequence[DeadLetterQueue], reader: Reader, budget: Budget) -> None:
        self._queues = queues
        self._reader = reader
        self._budget = budget

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        swept = Sweep(self.name)
        busy = []
        for queue in self._queues:
            try:
                self._sweep_one(queue, subject, swept, dry_run=dry_run)
            except MessagesInFlight:
                # Messages in flight may name the customer, so the erasure has to be repeated.
                busy.append(queue.name)
            except AWS_FAILED as error:
                why = f"the queue {queue.name} can't be read now ({name_of(error)})"
                raise PlaceNotRead(why) from None
        if busy:
            raise PlaceNotRead(
                f"dead letters are in flight, because somebody reads them ({', '.join(busy)}): "
                "try again in a minute"
            )
        return swept.result()

    def _sweep_one(
        self, queue: DeadLetterQueue, subject: Subject, swept: "Sweep", *, dry_run: bool
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
    """Whether a message of Milepost, SES or Lambda belongs to the customer, by its fields."""
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
    """Whether a notice that could not be sent belongs to the customer. A notice to the team names
    nobody else.
    """
    if subject.owns_email(str(message["recipient"])):
        return THEIRS
    is_theirs = subject.owns_order(message.get("connection", ""), message.get("order_id", ""))
    return THEIRS if is_theirs and message.get("audience") == Audience.CUSTOMER else NOTHING


def _orders_named_in(value: Mapping[str, Any]) -> Iterator[OrderKey]:
    """The order of an invocation, by the function's input or by Lambda's record."""
    for said in (value, value.get("requestPayload")):
        order = said.get("order") if isinstance(said, Mapping) else None
        if isinstance(order, str):
            try:
                yield OrderKey.parse(order)
            except BadOrderId:
                continue


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
