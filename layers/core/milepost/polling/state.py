"""What polls of a connection keep between them, so that each begins where the last one ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from milepost.connections.poll_request import PollRequest
from milepost.polling.page_shift import PreviousPage
from milepost.providers.base import BrokenPage, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a poll that ran out of time goes on: the next page, and what it had got to.

    The next page may be one that was read in part: what was recorded of it is remembered.
    """

    next: PageRequest
    pages: int
    newest_change: datetime | None
    orders: int = 0
    """Orders on the pages that were read."""
    started_at: datetime | None = None
    """When its first page was asked for: what changed since then may be on a page behind us."""
    again: "LookAgain | None" = None
    """Set when it goes on with a second look, and not with what is new."""
    unrecorded_change: datetime | None = None
    """The oldest change that could not be recorded: the cursor may not pass it."""
    previous: PreviousPage | None = None
    """The page before, of a list whose orders can move to a page that was read."""
    requests: tuple[str, ...] = ()
    """Ids of the requests that are done when this walk is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAgain:
    """A poll that reads everything since a time once more, as after a fix of how it is read."""

    since: datetime
    announce: bool = False
    """Whether people are notified of what that changes."""


def merge_requests(requests: Iterable[PollRequest]) -> LookAgain | None:
    """One second look that does them all; None when they only ask for what is new."""
    looks = [(one.since, one.announce) for one in requests if one.since is not None]
    if not looks:
        return None
    return LookAgain(
        since=min(since for since, _ in looks), announce=any(announce for _, announce in looks)
    )


@dataclass(frozen=True, slots=True)
class Validator:
    """The ETag of a first page, and what was asked for: the same question may cost one 304."""

    url: str
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollState:
    """What is kept of a connection between polls."""

    cursor: datetime | None = None
    validator: Validator | None = None
    not_before: datetime | None = None
    progress: Progress | None = None
    requests: tuple[PollRequest, ...] = ()
    """Requests that no complete poll has done yet, the oldest first."""
    is_memory_sound: bool = True
    """False when the last poll ended without saying what it had recorded, as when it was killed:
    what polls remember of pages can't be trusted then."""


def next_cursor(state: PollState, walk: Progress) -> datetime | None:
    """The newest change that was recorded, if nothing older is still to come.

    Neither a change dated ahead nor one seen on a late page may move the cursor past those that
    are still to come; nor may it pass a change that could not be recorded.
    """
    newest = walk.newest_change
    if newest and walk.started_at:
        newest = min(newest, walk.started_at)
    cursor = max(filter(None, (newest, state.cursor)), default=None)
    if cursor and walk.unrecorded_change:
        return min(cursor, walk.unrecorded_change)
    return cursor


MOST_PAGES: Final = 20_000
"""Pages that one poll reads."""


MOST_ORDERS: Final = 250_000
"""Orders that one poll reads. It remembers each of them, and those of the poll before."""


class EndlessList(BrokenPage):
    """The list never ends, as far as this poll can tell. The next poll begins it again."""


def refuse_too_long(walk: Progress) -> None:
    """Fail when the list goes on after as much as one poll may read.

    :raises EndlessList: with how much was read
    """
    if walk.pages >= MOST_PAGES:
        raise EndlessList(
            f"the list goes on after {walk.pages:,} pages, and one poll reads at most "
            f"{MOST_PAGES:,}: it never ends, or page_size is too small for it"
        )
    if walk.orders >= MOST_ORDERS:
        raise EndlessList(
            f"the list goes on after {walk.orders:,} orders, and one poll reads at most "
            f"{MOST_ORDERS:,}: it never ends, or it is too long for one connection"
        )
