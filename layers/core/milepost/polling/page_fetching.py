"""Fetching the pages of a provider's order list, within its rate limit."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from milepost.common.http_headers import next_link
from milepost.connections.connection import Connection
from milepost.polling.page_cache import FetchedPage, Seen
from milepost.polling.state import Progress, Validator
from milepost.providers.base import PageRequest, Response
from milepost.providers.session import Conversation, asked_to_wait, is_rate_spent


class PollFailed(Exception):
    """A page could not be fetched, so the poll failed; ``retry_after`` if the provider gave it."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PageGone(PollFailed):
    """The provider does not have the requested page."""


class NothingChanged(Exception):
    """The provider responded 304: the list hasn't changed since the last poll."""


@dataclass(kw_only=True)
class PageFetcher:
    """Fetches the pages of one poll."""

    connection: Connection
    conversation: Conversation
    clock: Callable[[], datetime]
    validator: Validator | None = None
    """The ETag of the first page, for a conditional request of the next poll."""
    is_rate_spent: bool = False
    """Whether the provider says that no requests are left for now."""
    _requests: int = field(init=False, default=0)

    def has_requests_left(self, needed: int, *, started_at: datetime) -> bool:
        """Whether the connection's limit per minute allows this many more requests."""
        minutes = 1 + (self.clock() - started_at) // timedelta(minutes=1)
        allowed = self.connection.requests_per_minute * minutes
        return self._requests + needed <= allowed and not self.is_rate_spent

    def fetch_page(
        self, walk: Progress, *, known: Seen, validator: Validator | None
    ) -> tuple[FetchedPage, datetime]:
        """The next page of the list, and the time at which it was requested.

        :param known: the cache of an earlier poll, with which the page is compared
        :param validator: the validator of the known page; None to fetch it in any case
        :raises NothingChanged: when the page still has this validator
        :raises PollFailed: when the page can't be fetched
        """
        requested_at = self.clock()
        response = self._fetch(walk.next, known=validator)
        if walk.pages == 0:
            self.validator = self._validator_of(walk.next, response)
        provider = self.conversation.provider
        link = next_link(response.headers.get("link"))
        asked = walk.next if link == walk.next.link else replace(walk.next, link=link)
        return known.look_at(response.body, request=asked, provider=provider), requested_at

    @property
    def _list_path(self) -> str:
        """The path of the list, for messages: the page's own URL is set by the provider and may
        contain a name."""
        first = self.conversation.provider.first_page(self.connection, changed_since=None)
        return first.path

    def _fetch(self, request: PageRequest, *, known: Validator | None) -> Response:
        is_known = known is not None and known.url == self.conversation.url_of(request)
        unchanged = {"if-none-match": known.etag} if known and is_known else {}
        self._requests += 1
        response = self.conversation.fetch(request, headers=unchanged)
        if response.status == 304 and unchanged:
            raise NothingChanged
        if response.status in (429, 503):
            raise PollFailed(
                f"the provider answered {response.status} and asks us to wait",
                retry_after=asked_to_wait(response, self.clock()),
            )
        self.is_rate_spent = is_rate_spent(response)
        if response.status != 200:
            failed = PageGone if response.status in (400, 404, 410) else PollFailed
            raise failed(f"the provider answered {response.status} for {self._list_path}")
        return response

    def _validator_of(self, request: PageRequest, response: Response) -> Validator | None:
        """The validator of a page; None if it has none that can be sent back."""
        etag = response.headers.get("etag", "")
        can_be_sent = etag.isascii() and etag.isprintable()
        return Validator(self.conversation.url_of(request), etag) if etag and can_be_sent else None
