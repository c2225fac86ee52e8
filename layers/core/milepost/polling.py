"""Polling a provider that doesn't call: every page, what changed, and only then the cursor."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from milepost.asking import Conversation, asked_to_wait
from milepost.connection import Connection
from milepost.fetching import FetchFailed
from milepost.pages import FetchedPage, Seen, digest_of
from milepost.poll_state import LookAgain, PollState, Progress, Validator
from milepost.provider import (
    BrokenPage,
    Http,
    Json,
    PageRequest,
    Provider,
    SignInFailed,
    read_order,
)
from milepost.recording import LostRace
from milepost.report import BadPayload, Report

OVERLAP: Final = timedelta(minutes=5)
"""How far before the cursor a poll looks again, for changes the provider wrote late."""
MOST_PAGES: Final = 20_000
"""Pages of one poll; a provider with more is one that never ends."""
_LONGEST_WAIT: Final = timedelta(hours=1)


class LeaseHeld(Exception):
    """Another poll of this connection is at work."""


class Lease(Protocol):
    """The right to poll one connection for a while; every write checks that it still holds."""

    state: PollState

    def pause(self, progress: Progress) -> None: ...
    def succeed(
        self, *, cursor: datetime | None, validator: Validator | None, at: datetime
    ) -> None: ...
    def fail(self, *, error: str, at: datetime, not_before: datetime | None) -> None: ...
    def give_back(self) -> None: ...


class Digests(Protocol):
    """What the pages of a connection looked like, some 20 bytes an order."""

    def load(self, name: str) -> Seen: ...
    def save(self, name: str, seen: Seen) -> None: ...


class Outcome(StrEnum):
    """How a poll ended."""

    COMPLETE = "complete"
    UNCHANGED = "unchanged"
    PAUSED = "paused"
    FAILED = "failed"
    WAITING = "waiting"
    LEASED = "leased"


@dataclass(slots=True)
class PollResult:
    """How a poll ended, and its figures."""

    outcome: Outcome = Outcome.COMPLETE
    pages: int = 0
    orders: int = 0
    changed: int = 0
    recorded: int = 0
    quarantined: int = 0
    error: str | None = None


class PollFailed(Exception):
    """A page could not be had, so the poll is not one; ``retry_after`` if the provider said."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PageGone(PollFailed):
    """The provider does not know the page that was asked for."""


class NothingChanged(Exception):
    """The provider answered 304: the list is the one that the last poll saw."""


class Record(Protocol):
    """Takes a report into its order, telling people of it or not; True when that changed it."""

    def __call__(self, report: Report, /, *, announce: bool) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sinks:
    """Where what a poll finds goes."""

    record: "Record"
    quarantine: Callable[[Json, str], None]
    """Keeps an order that could not be read, with the reason."""


@dataclass(kw_only=True)
class Poll:
    """One poll of one connection, from the lease to the cursor."""

    connection: Connection
    provider: Provider
    credentials: Mapping[str, str]
    http: Http
    digests: Digests
    sinks: Sinks
    clock: Callable[[], datetime]
    has_time: Callable[[], bool]
    """False when the process has to end soon, so that the rest is left to the next one."""
    again: LookAgain | None = None
    validator: Validator | None = None
    result: PollResult = field(default_factory=PollResult)
    _is_spent: bool = False
    """Whether the provider says that no request is left to us for now."""
    _conversation: Conversation = field(init=False)

    def __post_init__(self) -> None:
        self._conversation = Conversation(
            connection=self.connection,
            provider=self.provider,
            credentials=self.credentials,
            http=self.http,
            clock=self.clock,
        )

    def run(self, lease: Lease) -> PollResult:
        """Poll under a lease. A provider's failure is a result, and leaves the cursor alone."""
        now = self.clock()
        if lease.state.not_before and now < lease.state.not_before:
            lease.give_back()
            self.result.outcome = Outcome.WAITING
            return self.result
        if self.again:
            # What another poll had left to do is since its cursor, so this one does it as well.
            lease.state = replace(lease.state, progress=None)
        elif lease.state.progress:
            self.again = lease.state.progress.again
        try:
            self._resume_or_start_anew(lease, now)
        except NothingChanged:
            self.result.outcome = Outcome.UNCHANGED
            lease.succeed(cursor=lease.state.cursor, validator=lease.state.validator, at=now)
        except (PollFailed, FetchFailed, BrokenPage, SignInFailed, BadPayload) as error:
            self.result.outcome = Outcome.FAILED
            self.result.error = str(error)
            wait = error.retry_after if isinstance(error, PollFailed) else None
            not_before = now + min(wait, _LONGEST_WAIT) if wait else None
            lease.fail(error=str(error), at=now, not_before=not_before)
        return self.result

    def _resume_or_start_anew(self, lease: Lease, now: datetime) -> None:
        try:
            self._run(lease, now)
        except (PageGone, BrokenPage):
            if lease.state.progress is None:
                raise
            # The page where the last poll stopped may be gone for good: its cursor has expired.
            lease.state = replace(lease.state, progress=None)
            self._run(lease, now)

    def _run(self, lease: Lease, started_at: datetime) -> None:
        state = lease.state
        known = Seen() if self.again else self.digests.load(self.connection.id)
        seen = self.digests.load(self._unfinished) if state.progress else Seen()
        newest = state.progress.newest_change if state.progress else None
        first_asked = (state.progress and state.progress.started_at) or started_at
        for fetched, requested_at in self._pages(state, known):
            following, newest_on_page = fetched.outline
            self._take_in(fetched, requested_at, known, seen)
            newest = max(filter(None, (newest, newest_on_page)), default=None)
            if following and not self._may_go_on(started_at):
                self.digests.save(self._unfinished, seen)
                pages = self.result.pages + (state.progress.pages if state.progress else 0)
                lease.pause(
                    Progress(
                        next=following,
                        pages=pages,
                        newest_change=newest,
                        started_at=first_asked,
                        again=self.again,
                    )
                )
                self.result.outcome = Outcome.PAUSED
                return
        self.digests.save(self.connection.id, seen)
        # Neither a change dated ahead nor one seen on a late page may move the cursor past those
        # that are still to come.
        newest = min(newest, first_asked) if newest else None
        cursor = max(filter(None, (newest, state.cursor)), default=None)
        lease.succeed(cursor=cursor, validator=self.validator, at=started_at)

    @property
    def _unfinished(self) -> str:
        return f"{self.connection.id}.unfinished"

    def _pages(self, state: PollState, seen: Seen) -> Iterator[tuple[FetchedPage, datetime]]:
        """Every page from where the last poll stopped, with the time at which it was requested."""
        request: PageRequest | None
        if state.progress:
            request = state.progress.next
        else:
            since = self._since(state.cursor)
            request = self.provider.first_page(self.connection, changed_since=since)
        walked = state.progress.pages if state.progress else 0
        while request is not None:
            requested_at = self.clock()
            is_first = walked + self.result.pages == 0
            asks_for_news = is_first and self.again is None
            body = self._fetch(request, known=state.validator if asks_for_news else None)
            fetched = seen.look_at(body, request=request, provider=self.provider)
            following = fetched.outline.next
            self.result.pages += 1
            if following == request:
                raise BrokenPage("the provider's next page is the page itself")
            if walked + self.result.pages > MOST_PAGES:
                raise BrokenPage(f"more than {MOST_PAGES} pages: the list never ends")
            yield fetched, requested_at
            request = following

    def _since(self, cursor: datetime | None) -> datetime | None:
        """From when on changes are asked for; a second look never leaves out what is new."""
        if cursor is None:
            return None
        return min(cursor - OVERLAP, self.again.since) if self.again else cursor - OVERLAP

    def _may_go_on(self, started_at: datetime) -> bool:
        """Whether there is time, and leave of the provider's rate limit, for one page more."""
        minutes = 1 + (self.clock() - started_at) // timedelta(minutes=1)
        has_leave = self.result.pages < self.connection.requests_per_minute * minutes
        return has_leave and not self._is_spent and self.has_time()

    def _take_in(
        self, fetched: FetchedPage, requested_at: datetime, known: Seen, seen: Seen
    ) -> None:
        unchanged = seen.keep_unchanged(fetched, known)
        if unchanged is not None:
            self.result.orders += unchanged
            return
        orders = fetched.page.orders
        self.result.orders += len(orders)
        taken: list[bytes] = []
        for place, order in enumerate(orders):
            digest = digest_of(order)
            if digest not in known and digest not in seen and digest not in taken:
                self.result.changed += 1
                if not self._record(fetched.exact[place], requested_at):
                    continue
            taken.append(digest)
        seen.keep(fetched, taken, is_whole=len(taken) == len(orders))

    def _record(self, order: Json, requested_at: datetime) -> bool:
        """Take an order's reports in; False when it has to be looked at again next time."""
        found = read_order(
            self.provider, order, connection=self.connection, requested_at=requested_at
        )
        for one in found.unreadable:
            self.sinks.quarantine(one.order, str(one.reason))
            self.result.quarantined += 1
        try:
            for report in found.reports:
                announce = self.again is None or self.again.announce
                self.result.recorded += self.sinks.record(report, announce=announce)
        except LostRace:
            return False
        return not any(one.is_only_ahead for one in found.unreadable)

    def _fetch(self, request: PageRequest, *, known: Validator | None) -> bytes:
        url = self._conversation.url_of(request)
        unchanged = {"if-none-match": known.etag} if known and known.url == url else {}
        response = self._conversation.fetch(request, headers=unchanged)
        if response.status == 304 and known:
            raise NothingChanged
        if response.status in (429, 503):
            raise PollFailed(
                f"the provider answered {response.status} and asks us to wait",
                retry_after=asked_to_wait(response, self.clock()),
            )
        self._is_spent = response.headers.get("x-ratelimit-remaining") == "0"
        if response.status in (400, 404, 410):
            raise PageGone(f"the provider answered {response.status} for {request.path}")
        if response.status != 200:
            raise PollFailed(f"the provider answered {response.status} for {request.path}")
        etag = response.headers.get("etag")
        if etag and not self.result.pages:
            self.validator = Validator(url, etag)
        return response.body
