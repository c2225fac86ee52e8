"""Order lists of adapters with code, described and read like those of a provider's file."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from milepost.connections.connection import Connection
from milepost.providers.base import Json, Page, PageRequest

if TYPE_CHECKING:
    from milepost.providers.declared.paging import Pager

_ENGINE: Final = "milepost.providers.declared.paging"


class DeclaredList:
    """An order list, by the keys of ``list`` in a provider's file.

    The engine is imported at the first poll: functions that only read webhooks do without.
    """

    def __init__(self, said: Mapping[str, Any], *, changed_at: str) -> None:
        """:param changed_at: the path of an order's last change"""
        self._said = said
        self._changed_at = changed_at

    def first_page(self, connection: Connection, *, changed_since: datetime | None) -> PageRequest:
        return self._pager.first(connection, changed_since=changed_since)

    def read_page(self, body: Json, *, request: PageRequest) -> Page:
        """:raises BrokenPage: when it isn't a page, or its next page can't be determined"""
        return self._pager.read(body, request=request)

    @cached_property
    def _pager(self) -> "Pager":
        pager: Pager = import_module(_ENGINE).declared_pager(
            self._said, changed_at=self._changed_at
        )
        return pager
