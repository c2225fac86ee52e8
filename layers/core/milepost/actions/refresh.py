"""Fetches one order now, and sends actions to its provider while a person waits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from milepost.actions.action import (
    ActionRequest,
    CredentialsRefused,
    NoSuchOrder,
    Plans,
    ProviderDown,
    UnreadableAnswer,
    find_done,
)
from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object
from milepost.orders.action_results import ActionDone, read_done
from milepost.orders.details import Result
from milepost.orders.order import Order, OrderKey
from milepost.orders.recording import (
    NOBODY_ERASED,
    Erasures,
    LostRace,
    OrderStore,
    Recorded,
    RecordOutcome,
    UnstorableOrder,
    record,
)
from milepost.orders.report import Report
from milepost.providers.base import BrokenPage, Response, SignInFailed, rules_of
from milepost.providers.http import FetchFailed
from milepost.providers.readable_parts import read_order
from milepost.providers.session import Conversation, asked_to_wait

SHORT_WAIT: Final = timedelta(seconds=2)
"""The longest wait that a provider may ask for while a person waits for the response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """The dependencies to run actions on the orders of one connection."""

    conversation: Conversation
    orders: OrderStore
    plans: Plans
    clock: Callable[[], datetime]
    pause: Callable[[float], None]
    """Sleeps for this many seconds."""
    erasures: Erasures = NOBODY_ERASED
    """Whose orders an answer must not bring back."""

    def read(self, key: OrderKey) -> Order:
        """:raises NoSuchOrder: if there is none, or its customer was erased"""
        tracked = self.orders.read(key)
        if tracked is None:
            raise NoSuchOrder(f"no order {key.path_id}")
        if tracked.erased_at is not None:
            raise NoSuchOrder(f"the customer of order {key.path_id} was erased")
        return tracked.shown

    def take_in(
        self,
        report: Report,
        *,
        announce: bool = True,
        require: Callable[[Order], None] | None = None,
    ) -> RecordOutcome:
        """Record a report; people are notified of it only with ``announce``.

        :param require: as ``recording.record`` has it

        :raises LostRace: when too many others write to the order; ask again
        """
        return self._record(report, announce=announce, require=require).outcome

    def _record(
        self,
        report: Report,
        *,
        announce: bool = True,
        require: Callable[[Order], None] | None = None,
    ) -> Recorded:
        rules = rules_of(self.conversation.provider, self.conversation.connection)
        return record(
            report,
            orders=self.orders,
            rules=rules,
            now=self.clock(),
            announce=announce,
            erasures=self.erasures,
            require=require,
        )

    def keep(self, report: Report, *, require: Callable[[Order], None] | None = None) -> ActionDone:
        """Record a person's action.

        :param require: as ``recording.record`` has it
        """
        self.take_in(report, require=require)
        return read_done(report)

    def keep_requested(
        self,
        request: ActionRequest,
        report: Report,
        *,
        require: Callable[[Order], None] | None = None,
    ) -> ActionDone:
        """Record a person's action before anything else is done for its request.

        :param require: as ``recording.record`` has it

        :raises KeyReused: when the request's key was used for something else since the order was
            read
        """
        done = read_done(report)
        recorded = self._record(report, require=require)
        if recorded.stored is not None:
            find_done(recorded.stored, request, calls_off=done.result is Result.CALLED_OFF)
        return done


def look_again(key: OrderKey, tools: ActionContext) -> bool:
    """Fetch the order, to record an action's effect at once instead of at the next poll."""
    try:
        response, requested_at = fetch_order(key, tools)
        if is_yes(response):
            take_in_answer(response, key, requested_at, tools)
    except (ProviderDown, UnreadableAnswer, LostRace):
        return False
    return is_yes(response)


def fetch_order(key: OrderKey, tools: ActionContext) -> tuple[Response, datetime]:
    """The provider's response to a request for this order, and the time of the request.

    :raises ProviderDown: when there is no response
    """
    requested_at = tools.clock()
    wanted = tools.conversation.provider.order_request(key.order_id)
    return ask(lambda: tools.conversation.fetch(wanted), tools), requested_at


def take_in_answer(
    response: Response,
    key: OrderKey,
    requested_at: datetime,
    tools: ActionContext,
    *,
    announce: bool = True,
) -> bool:
    """Record the order, and its other items, from a response; returns whether anything changed.

    :raises UnreadableAnswer: when it can't be read, is about another order, or can't be stored
    """
    conversation = tools.conversation
    try:
        one = conversation.provider.read_one(read_object(response.body))
    except (BrokenPage, BadPayload) as error:
        raise UnreadableAnswer(f"the provider's answer can't be read: {error}") from None
    found = read_order(
        conversation.provider, one, connection=conversation.connection, requested_at=requested_at
    )
    if any(report.order_id != key.order_id for report in found.reports):
        raise UnreadableAnswer("the provider answered with another order")
    outcomes, refused = [], dict[str, UnstorableOrder]()
    for report in found.reports:
        try:
            outcomes.append(tools.take_in(report, announce=announce))
        except UnstorableOrder as error:
            refused[report.item_id] = error
    if key.item_id in refused:
        raise UnreadableAnswer(f"the provider's answer can't be stored: {refused[key.item_id]}")
    if not any(report.item_id == key.item_id for report in found.reports) and found.unreadable:
        reason = found.unreadable[0].reason
        raise UnreadableAnswer(f"the provider's answer can't be read: {reason}")
    return not {RecordOutcome.TRANSITION, RecordOutcome.RECORDED}.isdisjoint(outcomes)


def ask(send: Callable[[], Response], tools: ActionContext) -> Response:
    """The provider's answer, yes or no.

    :raises ProviderDown: when it gives neither
    """
    response = _send(send)
    if response.status == 429 and asked_to_wait(response, tools.clock()) <= SHORT_WAIT:
        tools.pause(asked_to_wait(response, tools.clock()).total_seconds())
        response = _send(send)
    if response.status in (429, 503):
        wait = asked_to_wait(response, tools.clock())
        raise ProviderDown(
            f"the provider answered {response.status} and asks us to wait: try again in "
            f"{wait.total_seconds():.0f} s",
            retry_after=wait,
        )
    if response.status == 401:
        raise CredentialsRefused(
            "the provider refused this connection's credentials: check them, then try again"
        )
    if is_yes(response) or 400 <= response.status < 500:
        return response
    raise ProviderDown(f"the provider answered {response.status}: try again later")


def _send(send: Callable[[], Response]) -> Response:
    try:
        return send()
    except SignInFailed as error:
        raise CredentialsRefused(f"could not sign in at the provider: {error}") from None
    except FetchFailed as error:
        raise ProviderDown(
            f"{error}. The action may have been carried out: to find out, "
            "repeat the request with the same key"
        ) from None


def is_yes(response: Response) -> bool:
    """Whether the provider accepted the request."""
    return 200 <= response.status < 300
