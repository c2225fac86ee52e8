"""The stored state of a connection's polls, so that each continues where the last one ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from milepost.connections.poll_request import PollRequest
from milepost.polling.page_limits import MOST_EMPTY_PAGES, MOST_ORDERS_OF_A_POLL, MOST_PAGES
from milepost.polling.page_shift import PreviousPage
from milepost.providers.base import BrokenPage, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The position at which to continue a poll that ran out of time: the next page, and the
    progress so far.

    The next page may already have been read in part: its recorded orders are remembered.
    """

    next: PageRequest
    pages: int
    newest_change: datetime | None
    orders: int = 0
    """How many orders the pages had that were read."""
    empty_pages: int = 0
    """How many of the last pages had no orders, one after the other."""
    repeated_pages: int = 0
    """How many of the pages had only orders that earlier pages had as well."""
    started_at: datetime | None = None
    """When its first page was requested: later changes may be on pages that were already read."""
    again: "LookAgain | None" = None
    """Set if it is a second look; None if it reads new changes."""
    unrecorded_change: datetime | None = None
    """The oldest change that could not be recorded: the cursor must not pass it."""
    previous: PreviousPage | None = None
    """The previous page, for a list whose orders can move to a page that was already read."""
    requests: tuple[str, ...] = ()
    """Ids of the requests that are fulfilled when this walk is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAgain:
    """A second look: reads everything since some time again, for example after an adapter was
    fixed.
    """

    since: datetime
    announce: bool = False
    """Whether people are notified of the changes that it finds."""


def merge_requests(requests: Iterable[PollRequest]) -> LookAgain | None:
    """One second look for all requests; None if they only ask for new changes."""
    looks = [(one.since, one.announce) for one in requests if one.since is not None]
    if not looks:
        return None
    return LookAgain(
        since=min(since for since, _ in looks), announce=any(announce for _, announce in looks)
    )


@dataclass(frozen=True, slots=True)
class Validator:
    """The ETag of a first page, with its request: if the request is repeated, the response may be
    just 304."""

    url: str
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollState:
    """What is stored about a connection between polls."""

    cursor: datetime | None = None
    validator: Validator | None = None
    not_before: datetime | None = None
    progress: Progress | None = None
    requests: tuple[PollRequest, ...] = ()
    """Requests that no complete poll has fulfilled yet, the oldest first."""
    is_memory_sound: bool = True
    """False if the last poll ended without storing what it had recorded, for example because it was
    killed. The page cache can't be trusted then."""


def next_cursor(state: PollState, walk: Progress) -> datetime | None:
    """The newest change that was recorded, if no older change is still missing.

    Neither a change dated in the future nor one on a late page may move the cursor past changes
    that are still outstanding; nor may the cursor pass a change that could not be recorded.
    """
    newest = walk.newest_change
    if newest and walk.started_at:
        newest = min(newest, walk.started_at)
    cursor = max(filter(None, (newest, state.cursor)), default=None)
    if cursor and walk.unrecorded_change:
        return min(cursor, walk.unrecorded_change)
    return cursor


FEWEST_REPEATED_PAGES: Final = 20
"""Number of pages with only known orders that a short list may have. Orders that change while a
list is read may come again on later pages, even all of them."""


class EndlessList(BrokenPage):
    """The list doesn't seem to end. The next poll starts from the beginning."""


def refuse_too_long(walk: Progress) -> None:
    """Fail if the list continues after the maximum for one poll, or repeats its orders.

    :raises EndlessList: with the numbers of pages and orders that were read
    """
    if walk.empty_pages >= MOST_EMPTY_PAGES:
        raise EndlessList(
            f"the last {walk.empty_pages:,} pages had no orders, and each says that there are more"
        )
    repeated, others = walk.repeated_pages, walk.pages - walk.repeated_pages
    if repeated >= max(FEWEST_REPEATED_PAGES, 2 * others):
        raise EndlessList(
            f"{repeated:,} of {walk.pages:,} pages had only orders that earlier pages of this poll "
            "had as well, with other contents, and each says that there are more"
        )
    if walk.pages >= MOST_PAGES:
        raise EndlessList(
            f"the list goes on after {walk.pages:,} pages, and one poll reads at most "
            f"{MOST_PAGES:,}: it never ends, or page_size is too small for it"
        )
    if walk.orders >= MOST_ORDERS_OF_A_POLL:
        raise EndlessList(
            f"the list goes on after {walk.orders:,} orders, and one poll reads at most "
            f"{MOST_ORDERS_OF_A_POLL:,}: it never ends, or it is too long for one connection"
        )
