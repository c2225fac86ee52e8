"""Actions on an order: the request, the result on the timeline, and the errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.orders.action_results import ActionDone, read_done
from milepost.orders.details import PAID, Details, Result
from milepost.orders.order import Order, OrderKey
from milepost.orders.report import Report, Source

REFRESH: Final = "refresh"
ACKNOWLEDGE: Final = "acknowledge"
NOTE: Final = "note"
COMMISSION_PAID: Final = PAID
"""Records that an order's commission for a month was paid; the text is the month."""
BUILT_IN_ACTIONS: Final[Mapping[str, frozenset[str]]] = {
    REFRESH: frozenset({"notices"}),
    ACKNOWLEDGE: frozenset({"attention"}),
    NOTE: frozenset({"text"}),
    COMMISSION_PAID: frozenset({"text"}),
}
"""The actions that exist for every provider, with their arguments."""
FINAL: Final = frozenset({COMMISSION_PAID})
"""The actions that can't be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """A person's request. With an idempotency ``key``, it runs once for each order, even if it is
    repeated."""

    order: OrderKey
    action: str
    key: str
    person: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    planned_for: datetime | None = None
    """The time to run it at; when a planned action runs, the time that was planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """The input of a schedule: the plan that is due, and the number of the attempt."""

    order: OrderKey
    action: str
    key: str
    attempt: int = 1


class Plans(Protocol):
    """Schedules planned actions."""

    def put(self, call: PlannedCall, *, at: datetime) -> None:
        """Schedule a call at this time; repeating the same call changes nothing."""

    def drop(self, call: PlannedCall) -> None:
        """Cancel a call; it is no error if it no longer exists."""


class NoSuchOrder(LookupError):
    """The order was never reported, or its customer was erased."""


class UnknownAction(LookupError):
    """The order's provider has no such action."""


class KeyReused(Exception):
    """The idempotency key was used for another action on this order."""


class NotAllowed(Exception):
    """The order's current status doesn't allow the action; ``allowed`` has the actions that it
    allows."""

    def __init__(self, message: str, *, status: Status, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.status = status
        self.allowed = allowed


class RefusedByProvider(Exception):
    """The provider refused the action; ``words`` is its message, ``done`` the result on the
    timeline."""

    def __init__(self, done: ActionDone) -> None:
        self.words = done.outcome or "no reason given"
        super().__init__(f"the provider refused {done.action}: {self.words}")
        self.done = done


class ProviderDown(Exception):
    """The provider is unavailable; a retry with the same key does not run the action twice."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CredentialsRefused(ProviderDown):
    """The provider does not accept the connection's credentials; a person has to check them."""


class UnreadableAnswer(Exception):
    """The provider's response about the order can't be read; the message says what is wrong."""


def find_done(
    order: Order, request: ActionRequest, *, calls_off: bool = False
) -> ActionDone | None:
    """The result on the timeline for this request's key, if there is one.

    :raises KeyReused: when the key was used for something else
    """
    for entry in order.timeline:
        if entry.report.details.get("action_key") == request.key:
            done = read_done(entry.report, repeated=True)
            same_time = calls_off or done.planned_for == request.planned_for
            same_text = entry.report.details.get("note") == note_of(request)
            is_same = (done.action, done.result is Result.CALLED_OFF) == (request.action, calls_off)
            if not (is_same and same_time and same_text):
                raise KeyReused(
                    "the idempotency key was used for something else on this order: use a new one"
                )
            return done
    return None


def note_of(request: ActionRequest) -> str | None:
    """The person's text: a note, the reason of a cancellation, or an invoice's number."""
    said = (str(value).strip() for value in request.arguments.values() if isinstance(value, str))
    return next((text for text in said if text), None)


def run_key(plan_key: str) -> str:
    """The idempotency key with which a plan runs, the same for all attempts."""
    return f"{plan_key}:run"


def start_key(plan_key: str, *, at: datetime, by: str | None = None) -> str:
    """The key under which the timeline records the start of a plan: each start has a key of its
    own.

    :param by: the key of the request, if a person runs it before its time
    """
    return f"{_starts_of(plan_key)}{format_instant(at)}" + (f":{by}" if by else "")


def _starts_of(plan_key: str) -> str:
    # A person's key has no colon.
    return f"{plan_key}:start:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """When a plan was started, and the key of the person's request that started it early; None for
    the key if its schedule started it."""

    at: datetime
    by: str | None = None


def last_start(order: Order, plan: ActionDone) -> Start | None:
    """The last start of this plan; None if it was never started, or if the request that started it
    early already has a result."""
    of_action = (one.report for one in order.timeline if one.report.details.get("action"))
    said = {
        report.details.get("action_key", ""): report.occurred_at
        for report in of_action
        if report.details["action"] == plan.action
    }
    prefix = _starts_of(plan.key)
    starts = (
        # An instant ends with a Z.
        Start(at=at, by=key.removeprefix(prefix).partition("Z:")[2] or None)
        for key, at in said.items()
        if key.startswith(prefix)
    )
    return max((one for one in starts if one.by not in said), key=lambda one: one.at, default=None)


def make_report(
    request: ActionRequest,
    result: Result,
    *,
    now: datetime,
    outcome: str | None = None,
    answered: int | None = None,
    acknowledged: list[str] | None = None,
) -> Report:
    """The report of a person's action, for the timeline."""
    said = {
        "action": request.action,
        "action_key": request.key,
        "person": request.person,
        "result": str(result),
        "outcome": outcome,
        "answered": None if answered is None else Decimal(answered),
        "note": note_of(request),
        "planned_for": format_instant(request.planned_for) if request.planned_for else None,
        "acknowledged": acknowledged,
    }
    details = Details(**{name: value for name, value in said.items() if value is not None})  # type: ignore[typeddict-item]
    return Report(
        connection=request.order.connection,
        order_id=request.order.order_id,
        item_id=request.order.item_id,
        status=None,
        raw_status=None,
        occurred_at=now,
        seen_at=now,
        source=Source.PERSON,
        details=details,
    )
