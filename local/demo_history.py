"""The demo's history: nine weeks of one connection's orders, of which the last weeks were slow.

Orders that have ended are imported, as a team imports its own (`milepost orders import`). Open ones
are at the connection's sandbox, so that people can act on them. Forecasts, scorecards and the
slowdown follow from these orders.
"""

import json
import random
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any, Final

from local.emulator_access import Access
from local.sandboxes.account import Account
from local.sandboxes.invented_customers import AUSTRALIAN_PLACES, AUSTRALIANS, make_email

CONNECTION: Final = "offergrid-business"
"""Whose orders the history has."""
_WEEKS: Final = 9
_A_WEEK: Final = 12
_STAGES: Final = (("accepted", 3.0), ("scheduled", 3.0), ("in_progress", 5.0))
"""Open stages, and the days after which half of the orders have left them."""
_SLOW_STAGE: Final = "in_progress"
"""Few orders of the demo's day, which takes minutes, are in this one."""
_SPREAD: Final = 0.3
_CANCELLED: Final = 0.05
_SLOW_DAYS: Final = 20.0
"""Since so many days, time in the slow stage passes more slowly."""
_SLOWER_BY: Final = 2.5
_OFFER: Final = "off-business-pro"
_ROWS_AT_ONCE: Final = 20
"""Few enough for a busy machine to take in before the function's time is over."""
_PAUSE_SECONDS: Final = 2.0
"""Before rows are sent again that could not be taken in."""
_AGAIN_SECONDS: Final = 60.0
"""Until the first polls have read the sandbox's open orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOrder:
    """An order: its statuses, each with when it was entered. The last one is the present one."""

    number: int
    steps: Sequence[tuple[str, datetime]]

    @property
    def has_ended(self) -> bool:
        return self.steps[-1][0] in ("completed", "cancelled")


def past_orders(now: datetime, *, seed: int = 11) -> list[PastOrder]:
    """The orders of the last months, the earliest first."""
    chance = random.Random(seed)
    ages = sorted((chance.uniform(0.2, _WEEKS * 7) for _ in range(_WEEKS * _A_WEEK)), reverse=True)
    return [PastOrder(number=n, steps=_steps(now, age, chance)) for n, age in enumerate(ages, 1)]


def _steps(now: datetime, age: float, chance: random.Random) -> list[tuple[str, datetime]]:
    at = -age
    steps = []
    for status, median in _STAGES:
        steps.append((status, now + timedelta(days=at)))
        lasts = median * chance.lognormvariate(0, _SPREAD)
        left = at + lasts
        if status == _SLOW_STAGE and left > -_SLOW_DAYS:
            begun = max(at, -_SLOW_DAYS)
            left = begun + (left - begun) * _SLOWER_BY
        at = left
        if at >= 0:
            return steps
        if chance.random() < _CANCELLED:
            return [*steps, ("cancelled", now + timedelta(days=at))]
    return [*steps, ("completed", now + timedelta(days=at))]


def rows_of(orders: Sequence[PastOrder]) -> list[dict[str, str]]:
    """The orders that have ended, as rows of an import: one for each status."""
    return [
        {**_facts(one), "status": status, "since": at.isoformat(timespec="seconds")}
        for one in orders
        if one.has_ended
        for status, at in one.steps
    ]


def _facts(one: PastOrder) -> dict[str, str]:
    first, last = AUSTRALIANS[one.number % len(AUSTRALIANS)]
    street, suburb, _, region, postcode = AUSTRALIAN_PLACES[one.number % len(AUSTRALIAN_PLACES)]
    return {
        "order_id": f"ord-past-{one.number:04d}",
        "item_id": f"item-past-{one.number:04d}-1",
        "reference": f"BB-{one.number:04d}",
        "service_type": "internet",
        "product": "Business Pro",
        "customer_name": f"{first} {last}",
        "customer_email": make_email(first, last, domain="example.com", number=one.number),
        "street": f"{one.number % 90 + 1} {street}",
        "postcode": postcode,
        "city": suburb,
        "region": region,
        "country": "AU",
    }


def place_open_ones(account: Account, orders: Sequence[PastOrder]) -> None:
    """Put the orders that have not ended into the sandbox, without webhooks."""
    with account.lock:
        for one in orders:
            if one.has_ended:
                continue
            fields = {"at": _text(one.steps[0][1]), "items": [{"offerId": _OFFER}]}
            order = account.id_of(account.create_order(fields))
            for status, at in one.steps:
                change: dict[str, Any] = {"status": status, "at": _text(at), "webhook": False}
                if status == "scheduled":
                    change["scheduledFor"] = _text(at + timedelta(days=7))
                account.move_order(order, change)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


@contextmanager
def history_in_background(
    account: Account, *, access: Access, api_url: str, token: str, measure_stages: str
) -> Iterator[None]:
    """Place the open orders; import the others and make forecasts while the block runs."""
    orders = past_orders(datetime.now(UTC))
    place_open_ones(account, orders)
    stopped = Event()
    rows = rows_of(orders)

    def run() -> None:
        address = f"{api_url}/connections/{CONNECTION}/orders"
        waiting = deque(rows[at : at + _ROWS_AT_ONCE] for at in range(0, len(rows), _ROWS_AT_ONCE))
        while waiting:
            if stopped.is_set():
                return
            try:
                _post(address, {"rows": waiting[0]}, token=token)
                waiting.popleft()
            except OSError:
                # What was taken in already is unchanged by a second time.
                stopped.wait(_PAUSE_SECONDS)
        functions = access.client("lambda")
        for wait in (0.0, _AGAIN_SECONDS):
            if stopped.wait(wait):
                return
            functions.invoke(FunctionName=measure_stages, Payload=json.dumps({"forecasts": {}}))

    thread = Thread(target=run, name="demo-history", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(timeout=10)


def _post(address: str, body: Mapping[str, Any], *, token: str) -> None:
    request = urllib.request.Request(
        address,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
