"""Plans, starts and stops batches, for the API and the console."""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex
from typing import Any, Final, Protocol

from milepost.actions import action as actions
from milepost.actions.action import ActionRequest, NotAllowed, UnknownAction
from milepost.actions.batch import (
    RESEND,
    START_WITHIN,
    Batch,
    Batches,
    BatchPlace,
    BatchQueue,
    BatchState,
    CannotStart,
    NoSuchBatch,
    Target,
    TargetState,
    key_of,
)
from milepost.actions.request_checks import (
    check_request,
    choose_attention,
    require_allowed,
    require_month,
    require_text,
)
from milepost.connections.connection import UnknownConnection, UnusableConnection
from milepost.notifications.eligibility_facts import CurrentOrders
from milepost.notifications.notice import NoticeId
from milepost.notifications.resend import CannotResend, Resender, ResendRequest
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.providers.base import BadArgument, NothingToDo, Provider
from milepost.providers.registry import adapter_of

_AT_A_TIME: Final = 100
"""How many orders are read together."""
_LIVE: Final = frozenset({BatchState.PLANNED, BatchState.RUNNING})


class Connections(Protocol):
    def get(self, connection_id: str) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A dry run: what would be done and what would be refused, with the reasons."""

    batch: Batch
    targets: Sequence[Target]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlanner:
    """Plans, starts and stops batches."""

    batches: Batches
    queue: BatchQueue
    orders: CurrentOrders
    connections: Connections
    open_resender: Callable[[], Resender]
    clock: Callable[[], datetime]

    def plan(
        self, action: str, ids: Sequence[str], *, arguments: Mapping[str, Any], person: str
    ) -> Plan:
        """Make the dry run. It changes no order; repeated ids count once.

        :param ids: of orders (``connection:order:item``), or of notices when the action is resend
        """
        ids = list(dict.fromkeys(ids))
        batch = Batch(
            id=token_hex(8),
            action=action,
            person=person,
            token=token_hex(16),
            created_at=self.clock(),
            total=len(ids),
            arguments=arguments,
        )
        charges = list[str]()
        refusals = (
            self._refused_resends(batch, ids)
            if action == RESEND
            else self._refused_actions(batch, ids, charges)
        )
        targets = [
            Target(
                number=number,
                id=id,
                state=TargetState.REFUSED if why else TargetState.WAITING,
                why=why,
            )
            for number, (id, why) in enumerate(zip(ids, refusals, strict=True), start=1)
        ]
        batch = replace(batch, charges=len(charges))
        self.batches.put(batch, targets)
        return Plan(batch=batch, targets=targets)

    def start(self, batch_id: str, *, token: str, person: str) -> Batch:
        """Start a planned batch by its token. A batch that is already running is put into the queue
        again.

        :raises NoSuchBatch: when there is none
        :raises CannotStart: when the token is another plan's, or it is too late
        """
        batch = self.find(batch_id)
        if batch.state is BatchState.PLANNED:
            if not hmac.compare_digest(batch.token.encode(), token.encode()):
                raise CannotStart("the token does not belong to this dry run: repeat the dry run")
            if self.clock() - batch.created_at > START_WITHIN:
                raise CannotStart("the dry run is more than an hour old: repeat it")
            started = self.batches.move(
                batch_id, to=BatchState.RUNNING, starts=frozenset({BatchState.PLANNED}), by=person
            )
            batch = self.find(batch_id)
            if not started and batch.state is BatchState.PLANNED:
                raise NoSuchBatch(batch_id)
        if batch.state is BatchState.STOPPED:
            raise CannotStart("the batch was stopped: make another dry run of what is left")
        if batch.state is BatchState.RUNNING:
            # An earlier start may have been interrupted between the table and the queue.
            self.queue.put(batch_id)
        return batch

    def stop(self, batch_id: str) -> Batch:
        """Stop a batch before its next order. The current order is finished; a batch that has ended
        isn't changed.

        :raises NoSuchBatch: when there is none
        """
        self.find(batch_id)
        self.batches.move(batch_id, to=BatchState.STOPPED, starts=_LIVE)
        return self.find(batch_id)

    def find(self, batch_id: str) -> Batch:
        """:raises NoSuchBatch: if there is none"""
        batch = self.batches.find(batch_id)
        if batch is None:
            raise NoSuchBatch(batch_id)
        return batch

    def page(
        self, *, after: BatchPlace | None, limit: int
    ) -> tuple[Sequence[Batch], BatchPlace | None]:
        """Some of the batches, the latest first, and the position of the next page."""
        return self.batches.page(after=after, limit=limit)

    def targets(self, batch_id: str) -> Sequence[Target]:
        """Every order or notice of a batch, and its outcome."""
        return self.batches.targets(batch_id)

    def _refused_resends(self, batch: Batch, ids: Iterable[str]) -> list[str | None]:
        resender, now = self.open_resender(), self.clock()
        force = batch.arguments.get("force") is True
        request = ResendRequest(by=batch.person, key=key_of(batch.id, 0), force=force)

        def why(id: str) -> str | None:
            try:
                resender.check(NoticeId.parse(id), request, now=now)
            except CannotResend as no:
                return str(no)
            return None

        return [why(id) for id in ids]

    def _refused_actions(
        self, batch: Batch, ids: Sequence[str], charges: list[str]
    ) -> list[str | None]:
        keys = [OrderKey.parse(id) for id in ids]
        found: dict[OrderKey, TrackedOrder] = {}
        for start in range(0, len(keys), _AT_A_TIME):
            found |= self.orders.read_all(keys[start : start + _AT_A_TIME]).found
        return [self._why_refused(batch, key, found.get(key), charges) for key in keys]

    def _why_refused(
        self, batch: Batch, key: OrderKey, tracked: TrackedOrder | None, charges: list[str]
    ) -> str | None:
        if tracked is None:
            return "there is no such order, or it can't be read"
        if tracked.erased_at is not None:
            return "its customer was erased"
        request = ActionRequest(
            order=key,
            action=batch.action,
            key=key_of(batch.id, 1),
            person=batch.person,
            arguments=batch.arguments,
        )
        try:
            provider = adapter_of(self.connections.get(key.connection))
            check_request(request, provider, now=self.clock())
            _require_possible(request, tracked, provider)
        except (UnknownConnection, UnusableConnection):
            return "its connection is not applied, or can't be used"
        except (UnknownAction, BadArgument, NotAllowed, NothingToDo) as no:
            return str(no)
        action = provider.actions.get(batch.action)
        if action is not None and action.charge(tracked.shown.details):
            charges.append(key.path_id)
        return None


def _require_possible(request: ActionRequest, tracked: TrackedOrder, provider: Provider) -> None:
    order = tracked.shown
    require_allowed(order, request.action, provider)
    match request.action:
        case actions.NOTE:
            require_text(request)
        case actions.COMMISSION_PAID:
            require_month(request)
        case actions.ACKNOWLEDGE:
            choose_attention(order, request.arguments.get("attention"))
        case name if name in provider.actions:
            provider.actions[name].make_call(order, request.arguments)


def counts_of(targets: Iterable[Target]) -> dict[TargetState, int]:
    """The number of targets in each state, including states without targets."""
    counts = dict.fromkeys(TargetState, 0)
    for one in targets:
        counts[one.state] += 1
    return counts
