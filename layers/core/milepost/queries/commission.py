"""Commission: what completed orders earn, when it is due, and whether it was paid.

Source for the usual terms: Offergrid's reseller documentation (earned on completion, usually paid
monthly, sometimes recurring). The terms are a connection's settings.
"""

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

from milepost.common.status import Status
from milepost.common.timestamps import in_zone, is_in_range, stored_day, stored_moment
from milepost.connections.connection import CommissionTerms, Connection
from milepost.connections.matching_terms import matching_terms
from milepost.orders.details import PAID, Details, Result
from milepost.orders.order import Order, OrderKey
from milepost.orders.stages import finished_stages

MONTHLY: Final = "monthly"
NAMED_BY: Final = frozenset({"offergrid"})
"""Providers that name an order's commission. Source: Offergrid's reseller documentation."""
EARNING: Final = frozenset({Status.COMPLETED, Status.ACTIVE})
"""Statuses in which an order has earned its commission, and continues to earn a recurring one."""


class State(StrEnum):
    """The state of a commission on a day."""

    EXPECTED = "expected"
    OVERDUE = "overdue"
    PAID = "paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """The commission of one order for one month (``2026-03``). ``amount`` is exact, in
    ``currency``."""

    key: OrderKey
    month: str
    due_on: date
    amount: Decimal
    currency: str
    state: State


def commissions(order: Order, connection: Connection, *, now: datetime) -> list[Commission]:
    """The commissions of the order until now, by month in the connection's time zone.

    A payment is known if the provider dates one, or calls the commission paid; each pays the oldest
    unpaid month. A person may name the month (``PAID``).
    """
    terms, earned = terms_of(order.details, connection), _earned(order, connection)
    if terms is None or earned is None:
        return []
    today = now.astimezone(ZoneInfo(connection.time_zone)).date()
    first, last = earned
    last = first if terms.recurring != MONTHLY else min(last or today, today)
    months = list(_months(first, last))
    paid = _paid(order, months)
    amount, currency = _amount(order.details, terms)
    return [
        Commission(
            key=order.key,
            month=f"{month:%Y-%m}",
            due_on=(due := due_on(month, terms.due_day)),
            amount=amount,
            currency=currency,
            state=_state(due, today, is_paid=month in paid),
        )
        for month in months
    ]


def terms_of(details: Details, connection: Connection) -> CommissionTerms | None:
    """The terms of an order: those of the connection that match it, else the amount that the
    provider states for it.

    An amount without a currency, of the terms or its own, is left out, since it can't be summed.
    """
    terms = matching_terms(
        connection,
        supplier=details.get("offer", {}).get("supplier"),
        service=details.get("service_type"),
    )
    if terms is not None:
        return terms
    said = details.get("commission", {})
    amount, currency = said.get("amount"), said.get("currency")
    if amount is None or not currency:
        return None
    return CommissionTerms(amount=f"{amount:f}", currency=currency)


def may_earn(connection: Connection) -> bool:
    """Whether any order of the connection can have a commission."""
    return bool(connection.commission) or connection.provider in NAMED_BY


def has_earned(order: Order) -> bool:
    """Whether the order has ever earned a commission that is not revoked."""
    return _earning(order) is not None


def due_on(month: date, day: int) -> date:
    """This day of the next month, or the last day if that month is shorter."""
    next_month = _next_month(month)
    days = calendar.monthrange(next_month.year, next_month.month)[1]
    return next_month.replace(day=min(day, days))


def _state(due: date, today: date, *, is_paid: bool) -> State:
    if is_paid:
        return State.PAID
    return State.OVERDUE if due < today else State.EXPECTED


def _earned(order: Order, connection: Connection) -> tuple[date, date | None] | None:
    """The first day on which the order earned, and the last one if it has stopped earning."""
    earning = _earning(order)
    if earning is None:
        return None
    zone = ZoneInfo(connection.time_zone)
    if not is_in_range(earning[0]):
        return None
    begins, ends = (in_zone(one, zone).date() if one else None for one in earning)
    return (begins, _day(order.details.get("delivery_end"), zone) or ends) if begins else None


def _earning(order: Order) -> tuple[datetime, datetime | None] | None:
    """The period in which the order's status earned; None if it earned nothing.

    An order that was completed and then taken back has earned nothing; one that was supplied for a
    while and then cancelled has earned until then.
    """
    stages = [(one.status, one.entered) for one in finished_stages(order)]
    if order.status in EARNING:
        stages.append((order.status, order.since))
    elif order.status is not Status.CANCELLED:
        return None
    run = list(takewhile(lambda one: one[0] in EARNING, reversed(stages)))
    if not run:
        return None
    return run[-1][1], None if order.status in EARNING else order.since


def _day(text: str | None, zone: ZoneInfo) -> date | None:
    moment = stored_moment(text)
    return stored_day(text) or (in_zone(moment, zone).date() if moment else None)


def _amount(details: Details, terms: CommissionTerms) -> tuple[Decimal, str]:
    said = details.get("commission", {})
    if "amount" in said:
        return said["amount"], said.get("currency", terms.currency)
    return Decimal(terms.amount), terms.currency


def _paid(order: Order, months: list[date]) -> set[date]:
    named = {f"{month:%Y-%m}": month for month in months}
    paid = {named[one] for one in _months_named(order) if one in named}
    others = (month for month in months if month not in paid)
    payments = _payments(order)
    return paid | {month for _, month in zip(range(payments), others, strict=False)}


def _months_named(order: Order) -> Iterator[str]:
    for entry in order.timeline:
        said = entry.report.details
        if said.get("action") == PAID and said.get("result", Result.DONE) == Result.DONE:
            yield said.get("note", "")


def _payments(order: Order) -> int:
    """How many payments the provider has reported."""
    notified = [*_notified_commissions(order)]
    dates = {one["paid_at"] for one in notified if one.get("paid_at")}
    dates |= set(order.summary.payments if order.summary else ())
    return len(dates) or int(any(one.get("status") == "paid" for one in notified))


def _notified_commissions(order: Order) -> Iterable[dict[str, str]]:
    whole = [order.details, *(entry.report.details for entry in order.timeline)]
    if order.summary:
        whole.append(order.summary.details)
    for details in whole:
        said = details.get("commission", {})
        yield {name: str(value) for name, value in said.items()}


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    yield month
    while (month := _next_month(month)) <= last:
        yield month


def _next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)
