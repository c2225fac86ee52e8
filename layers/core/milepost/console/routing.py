"""Routes paths to pages. A page's module is imported at its first request."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Final

from milepost.api.auth import READING
from milepost.console.page_context import Visit
from milepost.console.request import Values
from milepost.console.responses import Answer

Show = Callable[[Visit], Answer]
Tidy = Callable[[Values], Values]
"""Gives an address's query without what says nothing, such as fields that were left empty."""

SUBJECTS: Final = {
    "": "today",
    "orders": "orders",
    "connections": "connections",
    "notices": "notices",
    "operations": "operations",
    "customers": "customers",
    "subscriptions": "subscriptions",
    "figures": "figures",
    "activity": "activity",
    "batches": "batches",
    "views": "views",
    "exports": "exports",
}
"""Modules in ``pages`` by the first segment of their addresses after ``/console/``."""

FOR_VIEWERS: Final = frozenset({"/console/exports"})
"""Addresses of forms that only read, so that viewers may send them as well."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route: ``show`` handles ``method`` at ``address``, such as ``/console/orders/{order}``.
    ``tidy`` gives the query that the browser should show."""

    method: str
    address: str
    pattern: re.Pattern[str]
    show: Show
    tidy: Tidy = Values.filled


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a subject: ``pages = Pages()``, then ``@pages.get("/console/orders")``."""

    routes: list[Route] = field(default_factory=list)

    def get(self, address: str, *, tidy: Tidy = Values.filled) -> Callable[[Show], Show]:
        """A page that changes nothing: every user in a group may see it."""
        return self._at("GET", address, tidy=tidy)

    def post(self, address: str) -> Callable[[Show], Show]:
        """A form: for operators (except ``FOR_VIEWERS``), only from pages of the console."""
        return self._at("POST", address)

    def include(self, others: "Pages") -> None:
        """Add the pages of another module of the same subject."""
        self.routes.extend(others.routes)

    def _at(
        self, method: str, address: str, *, tidy: Tidy = Values.filled
    ) -> Callable[[Show], Show]:
        def keep(show: Show) -> Show:
            self.routes.append(Route(method, address, _pattern(address), show, tidy))
            return show

        return keep


def _pattern(address: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", address)
    texts = (re.escape(text) for text in parts[::2])
    names = (f"(?P<{name}>[^/]+)" for name in parts[1::2])
    return re.compile("".join(_alternate(texts, names)))


def _alternate(texts: Iterator[str], names: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield text
        yield next(names, "")


@cache
def _routes_of(subject: str) -> Sequence[Route]:
    name = SUBJECTS.get(subject)
    if name is None:
        return ()
    pages: Pages = import_module(f"milepost.console.pages.{name}").pages
    return pages.routes


def all_routes() -> list[Route]:
    """Every route of the console."""
    return [route for subject in SUBJECTS for route in _routes_of(subject)]


def routes_at(path: str) -> list[tuple[Route, dict[str, str]]]:
    """The routes of this address, with their path parameters.

    An HTTP API decodes every percent-encoded character of a path except the percent sign.
    """
    subject = path.removeprefix("/console").strip("/").partition("/")[0]
    matches = [(route, route.pattern.fullmatch(path)) for route in _routes_of(subject)]
    return [
        (route, {name: text.replace("%25", "%") for name, text in match.groupdict().items()})
        for route, match in matches
        if match
    ]


def is_reading(method: str) -> bool:
    """Whether a method changes nothing."""
    return method in READING
