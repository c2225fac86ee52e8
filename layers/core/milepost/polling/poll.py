"""Polls a provider's order list: reads every page, records changes, then moves the cursor."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from milepost.common.errors import BadPayload
from milepost.connections.connection import Connection
from milepost.polling.failures import describe_failure
from milepost.polling.lease import Lease, LeaseHeld
from milepost.polling.page_cache import FetchedPage, Seen
from milepost.polling.page_fetching import NothingChanged, PageFetcher, PageGone, PollFailed
from milepost.polling.page_recording import PageRecorder
from milepost.polling.page_shift import PreviousPage, previous_page
from milepost.polling.remembered_pages import PageHashes, PollMemory
from milepost.polling.result import PollOutcome, PollResult
from milepost.polling.sinks import Sinks, StoreUnavailable
from milepost.polling.state import (
    EndlessList,
    LookAgain,
    PollState,
    Progress,
    merge_requests,
    next_cursor,
    refuse_too_long,
)
from milepost.polling.touched_orders import Touched
from milepost.polling.unfinished_pages import Before
from milepost.providers.base import BrokenPage, Http, PageRequest, Provider
from milepost.providers.session import Conversation

OVERLAP: Final = timedelta(minutes=5)
"""How far before the cursor a poll starts, for changes that the provider wrote late."""
_LONGEST_WAIT: Final = timedelta(hours=1)
_WAIT_FOR_MORE: Final = timedelta(seconds=1)
"""How long an order may wait until it is recorded together with orders of later pages. The next
page may take longer by itself."""


def run_poll(
    lease: Lease, make_poll: "Callable[[], Poll]", *, clock: Callable[[], datetime]
) -> PollResult:
    """Poll under a lease. Any error makes the poll a failed poll and releases the lease.

    :raises LeaseHeld: when the lease ended before the poll did
    """
    try:
        poll = make_poll()
    except MemoryError:
        raise
    except Exception as error:
        said = describe_failure(error)
        lease.fail(error=said, at=clock(), not_before=None)
        return PollResult(PollOutcome.FAILED, error=said)
    return poll.run(lease)


@dataclass(kw_only=True)
class Poll:
    """One poll of one connection."""

    connection: Connection
    provider: Provider
    credentials: Mapping[str, str]
    http: Http
    hashes: PageHashes
    touched: Touched
    sinks: Sinks
    clock: Callable[[], datetime]
    has_time: Callable[[], bool]
    """False when the process has to end soon: further pages are left to the next poll."""
    has_time_for_order: Callable[[], bool] = lambda: True
    """False when the process has to end now: the rest of the page is left to the next poll."""
    result: PollResult = field(default_factory=PollResult)
    _again: LookAgain | None = None
    """The second look that its requests ask for; None if it only reads new changes."""
    _requested: tuple[str, ...] = ()
    """Ids of the requests that it fulfils."""
    _had_progress: bool = False
    _memory: PollMemory = field(init=False)
    _fetcher: PageFetcher = field(init=False)

    def __post_init__(self) -> None:
        self._memory = PollMemory(
            connection_id=self.connection.id, hashes=self.hashes, touched=self.touched
        )
        conversation = Conversation(
            connection=self.connection,
            provider=self.provider,
            credentials=self.credentials,
            http=self.http,
            clock=self.clock,
        )
        self._fetcher = PageFetcher(
            connection=self.connection, conversation=conversation, clock=self.clock
        )

    def run(self, lease: Lease) -> PollResult:
        """Poll under a lease. A failed poll is a result, too; it doesn't move the cursor.

        :raises LeaseHeld: when the lease ended before the poll did
        """
        now = self.clock()
        if lease.state.not_before and now < lease.state.not_before:
            lease.give_back()
            self.result.outcome = PollOutcome.WAITING
            return self.result
        self._had_progress = lease.state.progress is not None
        try:
            if not lease.is_memory_sound:
                self._memory.throw_away()
                lease.is_memory_sound = True
            self._memory.load(now=now, is_resumed=lease.state.progress is not None)
            self._resume_or_start_again(lease, now)
        except NothingChanged:
            self.result.outcome = PollOutcome.UNCHANGED
            lease.succeed(
                cursor=lease.state.cursor,
                validator=lease.state.validator,
                at=now,
                done=self._requested,
            )
        except (LeaseHeld, MemoryError):
            raise
        except Exception as error:
            self._fail(lease, error, now)
        return self.result

    def _fail(self, lease: Lease, error: Exception, now: datetime) -> None:
        self.result.outcome = PollOutcome.FAILED
        self.result.error = describe_failure(error)
        if isinstance(error, BadPayload):
            self.result.error = f"page {self.result.pages + 1} of this poll: {self.result.error}"
        try:
            self._memory.save_failed(is_paused=self._had_progress)
        except Exception:
            lease.is_memory_sound = False
        wait = error.retry_after if isinstance(error, PollFailed) else None
        not_before = now + min(wait, _LONGEST_WAIT) if wait else None
        # Continuing a list that never ends would not help: start again.
        starts_over = isinstance(error, EndlessList)
        lease.fail(error=self.result.error, at=now, not_before=not_before, starts_over=starts_over)

    def _resume_or_start_again(self, lease: Lease, now: datetime) -> None:
        try:
            self._run(lease, now)
        except (PageGone, BrokenPage) as error:
            if lease.state.progress is None or isinstance(error, EndlessList):
                raise
            # The page where the last poll stopped may no longer exist: its cursor has expired.
            lease.state = replace(lease.state, progress=None)
            self._memory.start_over()
            self._run(lease, now)

    def _run(self, lease: Lease, started_at: datetime) -> None:
        state, walk = lease.state, lease.state.progress
        if walk is None:
            self._again = merge_requests(state.requests)
            requests = tuple(one.id for one in state.requests)
            first = self.provider.first_page(
                self.connection, changed_since=self._since(state.cursor)
            )
            walk = Progress(
                next=first, pages=0, newest_change=None, again=self._again, requests=requests
            )
        # A request that arrived after a walk began waits for the next walk: if each request
        # restarted the walk, a long list might never be read to its end.
        self._again, self._requested = walk.again, walk.requests
        walk = replace(walk, started_at=walk.started_at or started_at)
        recorder = self._recorder(state, walk)
        try:
            walk, is_complete = self._read_pages(walk, state, recorder, started_at)
        except (StoreUnavailable, MemoryError):
            raise
        except Exception:
            # No further page can be read, but the orders that were read are recorded.
            with suppress(StoreUnavailable):
                recorder.finish()
            raise
        if not recorder.finish():
            walk, is_complete = self._go_back(walk, recorder.continues_at), False
        walk = replace(walk, unrecorded_change=recorder.unrecorded_change)
        if not is_complete:
            self._pause(lease, walk)
            return
        self._memory.save_complete()
        if recorder.unavailable:
            # All other orders are recorded. The cursor stays, so the next poll tries these again.
            self.result.outcome = PollOutcome.FAILED
            self.result.error = str(recorder.unavailable)
            lease.fail(error=self.result.error, at=started_at, not_before=None, starts_over=True)
            return
        lease.succeed(
            cursor=next_cursor(state, walk),
            validator=self._fetcher.validator,
            at=started_at,
            done=self._requested,
        )

    def _read_pages(
        self, walk: Progress, state: PollState, recorder: PageRecorder, started_at: datetime
    ) -> tuple[Progress, bool]:
        """Read pages while there is time.

        :returns: where to continue, and whether the list was read to its end
        """
        while True:
            fetched, requested_at = self._fetch_page(walk, state)
            if walk.previous:
                if self._fetcher.is_rate_spent:
                    # This page is only complete if the previous one, read again, has not shifted.
                    return walk, False
                shifted = self._fetch_if_shifted(walk.previous, walk, state, recorder)
                fetched, requested_at = shifted or (fetched, requested_at)
            before = self._before(walk)
            if not recorder.take_in(fetched, requested_at, before=before):
                return walk, False
            following, newest = fetched.outline
            received = self.result.orders - before.orders
            if fetched.request != walk.next and following:
                # The previous page was read again.
                following = walk.next
            walk = replace(
                walk,
                next=following or walk.next,
                previous=self._to_compare(fetched, walk) if following else walk.previous,
                pages=walk.pages + 1,
                orders=walk.orders + received,
                empty_pages=0 if received else walk.empty_pages + 1,
                repeated_pages=walk.repeated_pages + recorder.is_repeated,
                newest_change=max(filter(None, (walk.newest_change, newest)), default=None),
            )
            self.result.pages += 1
            self._memory.seen.walk(_step(fetched.request))
            if following is None:
                return walk, True
            self._refuse_endless(following, walk)
            if not self._may_go_on(started_at):
                return walk, False
            if self._has_waited(recorder.waits_since) and not recorder.finish():
                return walk, False

    def _before(self, walk: Progress) -> Before:
        return Before(
            walk=walk,
            pages=self.result.pages,
            orders=self.result.orders,
            walked=len(self._memory.seen.walked),
        )

    def _go_back(self, walk: Progress, before: Before | None) -> Progress:
        """Undo what was stored about later pages, so that they are read again; returns where to
        continue.
        """
        if before is None:
            return walk
        self.result.pages, self.result.orders = before.pages, before.orders
        self._memory.seen.walk_back(before.walked)
        return before.walk

    def _has_waited(self, since: datetime | None) -> bool:
        """Whether orders have waited too long to wait for the orders of another page."""
        return since is not None and self.clock() - since >= _WAIT_FOR_MORE

    def _fetch_if_shifted(
        self, previous: PreviousPage, walk: Progress, state: PollState, recorder: PageRecorder
    ) -> tuple[FetchedPage, datetime] | None:
        """The previous page, if orders may have moved to it since it was read."""
        again, requested_at = self._fetch_page(replace(walk, next=previous.request), state)
        if again.digest == previous.digest or not previous.has_shifted(again.hashes()):
            return None
        if not previous.adjoins(again.hashes()):
            # Too many orders have moved to know which ones were missed: everything is read again.
            recorder.hold_cursor_at(self._again.since if self._again else state.cursor)
        return again, requested_at

    def _to_compare(self, fetched: FetchedPage, walk: Progress) -> PreviousPage | None:
        if not self.provider.pages_can_shift:
            return None
        before = walk.previous
        is_reread = before is not None and before.request == fetched.request
        return previous_page(
            fetched.request,
            digest=fetched.digest,
            orders=fetched.hashes(),
            is_first=before.is_first if before and is_reread else walk.pages == 0,
        )

    def _recorder(self, state: PollState, walk: Progress) -> PageRecorder:
        return PageRecorder(
            connection=self.connection,
            provider=self.provider,
            sinks=self.sinks,
            memory=self._memory.before,
            seen=self._memory.seen,
            result=self.result,
            has_time=self.has_time_for_order,
            cursor=state.cursor,
            trusts_memory=self._again is None,
            announce=self._again is None or self._again.announce,
            unrecorded_change=walk.unrecorded_change,
            recorded_keys=self._memory.recorded,
        )

    def _pause(self, lease: Lease, walk: Progress) -> None:
        self._memory.save_paused()
        lease.pause(walk)
        self.result.outcome = PollOutcome.PAUSED

    def _refuse_endless(self, following: PageRequest, walk: Progress) -> None:
        if self._memory.seen.has_walked(_step(following)):
            raise EndlessList("the provider's next page is one that this poll has read before")
        refuse_too_long(walk)

    def _since(self, cursor: datetime | None) -> datetime | None:
        """The time from which on changes are requested; a second look always includes new
        changes."""
        if cursor is None or cursor.year < 1970:
            return None
        return min(cursor - OVERLAP, self._again.since) if self._again else cursor - OVERLAP

    def _may_go_on(self, started_at: datetime) -> bool:
        """Whether time and rate limit allow another page."""
        # If the list can shift, a page may need another request for the previous page.
        needed = 2 if self.provider.pages_can_shift else 1
        return self._fetcher.has_requests_left(needed, started_at=started_at) and self.has_time()

    def _fetch_page(self, walk: Progress, state: PollState) -> tuple[FetchedPage, datetime]:
        # A 304 only means that this page is unchanged, not the others. And a page with orders that
        # have to be read again must be fetched.
        is_known = (
            walk.pages == 0
            and state.progress is None
            and self._again is None
            and self._memory.before.is_whole_list(walk.next)
        )
        return self._fetcher.fetch_page(
            walk,
            known=self._memory.before if self._again is None else Seen(),
            validator=state.validator if is_known else None,
        )


def _step(request: PageRequest) -> bytes:
    return repr((request.path, sorted(request.query.items()))).encode("utf-8", "surrogatepass")
