"""Pages as a poll compares them: read quickly, and exactly only where something is new."""

import hashlib
import marshal
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from milepost.payload import read_object, read_quickly
from milepost.provider import Json, Page, PageRequest, Provider

DIGEST_BYTES: Final = 16
_FORM: Final = 2
"""Of marshal: the last one that writes equal values alike, whatever they share in memory."""


@dataclass(frozen=True)
class FetchedPage:
    """A page of a provider, whose orders nearly always are those of the last poll."""

    page: Page
    """What is on it, for comparing: fractions are texts, and repeated keys go unnoticed."""
    request: PageRequest
    provider: Provider
    body: bytes

    @cached_property
    def exact(self) -> list[Json]:
        """Its orders to record, every number exact.

        :raises BadPayload: when it isn't strict JSON
        :raises BrokenPage: when it isn't a page
        """
        return self.provider.read_page(read_object(self.body), request=self.request).orders


def read_page(body: bytes, *, request: PageRequest, provider: Provider) -> FetchedPage:
    """The page in an answer's body.

    :raises BadPayload: when it isn't JSON
    :raises BrokenPage: when it isn't a page
    """
    page = provider.read_page(read_quickly(body), request=request)
    return FetchedPage(page, request, provider, body)


def digest_of(order: Json) -> bytes:
    """What an order of a page looks like, in 16 bytes; the same only for equal fields."""
    written = marshal.dumps(order, _FORM)  # type: ignore[arg-type]  # it is plain JSON
    return hashlib.blake2b(written, digest_size=DIGEST_BYTES).digest()
