"""The polls of one invocation: of a connection's list, and of the orders that webhooks named."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from milepost.common.side_by_side import SideBySide
from milepost.common.timestamps import parse_instant
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.aws.settings import ApiCredentials
from milepost.connections.connection import (
    Connection,
    Connections,
    UnknownConnection,
    UnusableConnection,
)
from milepost.connections.health import NOT_APPLIED
from milepost.connections.poll_request import PollRequest
from milepost.polling.aws.lease import PollsTable
from milepost.polling.aws.named_orders import NamedOrdersTable
from milepost.polling.aws.order_sinks import OrderSinks
from milepost.polling.lease import LEASE_MARGIN, LeaseHeld, lease_duration
from milepost.polling.named_orders import FetchResult, NamedFetch
from milepost.polling.poll import Poll, run_poll
from milepost.polling.remembered_pages import PageHashes
from milepost.polling.result import PollOutcome, PollResult
from milepost.polling.time_limits import (
    MOST_POLLS,
    SPARE_FOR_ORDER,
    SPARE_FOR_PAGE,
    RemainingTime,
)
from milepost.polling.touched_orders import Touched
from milepost.providers.http import ProviderHttp, ProviderPool
from milepost.providers.registry import UnknownProvider, adapter_of
from milepost.providers.session import Conversation

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GoesOn:
    """The work that is left after a poll."""

    is_requested: bool = False
    """Whether another poll was requested meanwhile."""
    has_named: bool = False
    """Whether webhooks named orders that are still to be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPolls:
    """Polls connections, each under its lease."""

    connections: Connections
    credentials: ApiCredentials
    polls: PollsTable
    requests: PollRequests
    named_orders: NamedOrdersTable
    hashes: PageHashes
    touched: Touched
    sinks: OrderSinks
    side_by_side: SideBySide
    pool: ProviderPool
    count_failure: Callable[[str], None]
    """Counts a failed poll of the connection with this id."""
    clock: Callable[[], datetime]

    def run(
        self, event: Mapping[str, Any], *, request_id: str, remaining: RemainingTime
    ) -> dict[str, Any]:
        """Poll the connection that the event names: ``{"connection": "<id>"}``; returns the result.

        Stored requests for the connection are fulfilled as well. With ``since`` (an instant) the
        event is such a request itself: everything that changed since then is read again, and
        announced only if ``announce`` is true. With ``fetch`` only the orders that webhooks named
        are fetched; each poll that ends fetches those that are left.

        :param request_id: the invocation's id, which is the same when Lambda retries it
        """
        name = str(event["connection"])
        try:
            if "fetch" in event:
                return {"connection": name, **asdict(self.fetch_named(name, remaining))}
            if "since" in event:
                request = PollRequest(
                    id=request_id,
                    requested_at=self.clock(),
                    since=parse_instant(event["since"]),
                    announce=event.get("announce", False),
                )
                self.requests.keep(name, request)
            return {
                "connection": name,
                **asdict(self.poll_until_none_is_requested(name, remaining)),
            }
        finally:
            self.sinks.drift.store()

    def poll_until_none_is_requested(self, name: str, remaining: RemainingTime) -> PollResult:
        """Poll, and poll again for requests that arrived meanwhile.

        :returns: the result of the last poll
        """
        for _ in range(MOST_POLLS):
            result, goes_on = self._poll_once(name, remaining)
            if goes_on.has_named:
                self.fetch_named(name, remaining)
            if not goes_on.is_requested or remaining() < SPARE_FOR_PAGE:
                break
        return result

    def fetch_named(self, name: str, remaining: RemainingTime) -> FetchResult:
        """Fetch the orders that webhooks of a connection named; orders that fail are fetched later.

        Nothing is done if another process fetches them, or the provider asked to wait.
        """
        try:
            connection = self.connections.get(name)
            conversation = Conversation(
                connection=connection,
                provider=adapter_of(connection),
                credentials=self.credentials.get(name),
                http=self._http_of(connection),
                clock=self.clock,
            )
        except (UnknownConnection, UnknownProvider, UnusableConnection) as error:
            reason = {"connection": name, "reason": str(error)}
            logger.warning("named orders can't be fetched", extra=reason)
            return FetchResult(error=str(error))
        lease = self.named_orders.lease(
            name, now=self.clock(), duration=lease_duration(remaining())
        )
        if lease is None:
            return FetchResult()
        result = NamedFetch(
            conversation=conversation,
            sinks=self.sinks.of_named(connection, conversation.provider),
            clock=self.clock,
            has_time=lambda: remaining() > SPARE_FOR_ORDER,
        ).run(lease)
        if result.not_found:
            # An order that is not there yet is in the list later.
            later = PollRequest(id="not-found", requested_at=self.clock(), announce=True)
            self.requests.keep(name, later)
        if result.error:
            self.credentials.forget()
        logger.info("fetched", extra={"connection": name, **asdict(result)})
        return result

    def _poll_once(self, name: str, remaining: RemainingTime) -> tuple[PollResult, GoesOn]:
        """Poll; also returns the work that is left afterwards."""
        goes_on = GoesOn()
        try:
            result, goes_on = self._poll(self.connections.get(name), remaining)
        except UnknownConnection:
            result = self._fail_unusable(name, why=NOT_APPLIED)
        except UnusableConnection as unusable:
            result = self._fail_unusable(name, why=str(unusable))
        if result.outcome is PollOutcome.FAILED:
            # A credential that was just replaced is read again, instead of being refused for
            # minutes.
            self.credentials.forget()
            self.count_failure(name)
        logger.info("polled", extra={"connection": name, **asdict(result)})
        return result, goes_on

    def _fail_unusable(self, name: str, *, why: str) -> PollResult:
        """Record a poll that can't start as failed, so that the connection's health and the alarm
        name it."""
        try:
            lease = self.polls.lease(name, now=self.clock(), duration=LEASE_MARGIN)
            lease.fail(error=why, at=self.clock(), not_before=None)
        except LeaseHeld as held:
            return PollResult(PollOutcome.LEASED, error=str(held))
        return PollResult(PollOutcome.FAILED, error=why)

    def _poll(self, connection: Connection, remaining: RemainingTime) -> tuple[PollResult, GoesOn]:
        """Poll under the connection's lease; it is not a failure if another poll is in progress.

        :returns: the result, and what is to be done afterwards
        :raises UnusableConnection: when its credentials can't be used
        """
        shown = self.credentials.get(connection.id)
        duration = lease_duration(remaining())

        def make_poll() -> Poll:
            provider = adapter_of(connection)
            return Poll(
                connection=connection,
                provider=provider,
                credentials=shown,
                http=self._http_of(connection),
                hashes=self.hashes,
                touched=self.touched,
                sinks=self.sinks.of_list(connection, provider, side_by_side=self.side_by_side),
                clock=self.clock,
                has_time=lambda: remaining() > SPARE_FOR_PAGE,
                has_time_for_order=lambda: remaining() > SPARE_FOR_ORDER,
            )

        try:
            lease = self.polls.lease(connection.id, now=self.clock(), duration=duration)
            result = run_poll(lease, make_poll, clock=self.clock)
        except LeaseHeld as held:
            return PollResult(PollOutcome.LEASED, error=str(held)), GoesOn()
        is_over = result.outcome in (PollOutcome.COMPLETE, PollOutcome.UNCHANGED)
        return result, GoesOn(is_over and lease.requested_meanwhile, is_over and lease.has_named)

    def _http_of(self, connection: Connection) -> ProviderHttp:
        """Sends requests to the connection's own hosts only."""
        own = filter(None, (connection.base_url, connection.token_url))
        return ProviderHttp(self.pool, allowed=own)
