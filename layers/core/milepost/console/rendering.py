"""Renders pages from templates. All values are escaped."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from milepost.api.auth import Caller
from milepost.console import formats, labels
from milepost.console.request import Request, Values
from milepost.console.static_files import address_of
from milepost.console.times import days_between, time_element, with_readable_times, zone_of

_TEMPLATES: Final = Path(__file__).parent / "templates"
NAVIGATION: Final = (
    ("Today", "/console", "t"),
    ("Orders", "/console/orders", "o"),
    ("Customers", "/console/customers", "u"),
    ("Notices", "/console/notices", "n"),
    ("Subscriptions", "/console/subscriptions", "s"),
    ("Connections", "/console/connections", "c"),
    ("Figures", "/console/figures", "f"),
    ("Operations", "/console/operations", "p"),
    ("Activity", "/console/activity", "a"),
)
"""The menu: text, address, and the key after ``g``."""
HTMX: Final = json.dumps(
    {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
    }
)
"""htmx's settings: no inline styles or scripts, and no cached pages."""


@cache
def environment() -> Environment:
    """The environment of all templates."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    made.globals.update(
        static=address_of, htmx_settings=HTMX, navigation=NAVIGATION, mark=labels.mark_of
    )
    made.filters.update(
        words=labels.words,
        segment=segment,
        label=labels.label,
        recipient=labels.recipient_name,
        duration=formats.duration,
        percent=formats.percent,
        setting=formats.setting,
    )
    return made


def segment(text: str) -> str:
    """Text as one segment of a path, in the form that the API reads."""
    return quote(text, safe=":")


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """Renders pages for one request. ``caller`` and ``token`` are None if nobody is signed in."""

    request: Request
    now: datetime
    caller: Caller | None = None
    token: Callable[[], str] | None = None
    done: str | None = None

    def __call__(self, template: str, **shown: Any) -> str:
        """The template as HTML."""
        return environment().get_template(template).render(**self._of_the_request(), **shown)

    def _of_the_request(self) -> Mapping[str, Any]:
        zone = zone_of(self.request)
        return {
            "request": self.request,
            "caller": self.caller,
            "can_act": self.caller is not None and self.caller.is_operator,
            "csrf": self.token or (lambda: ""),
            "done": self.done,
            "now": self.now,
            "zone": str(zone),
            "when": lambda said: time_element(said, now=self.now, zone=zone),
            "moment": lambda said: time_element(said, now=self.now, zone=zone, both=True),
            "days": lambda first, last: days_between(first, last, now=self.now, zone=zone),
            "readable": lambda text: with_readable_times(text, zone),
            "with_query": lambda query, name, value: address(self.request, query, name, value),
        }


def address(request: Request, query: Values, name: str, value: str) -> str:
    """This page's address with another value of one filter."""
    text = query.without("cursor").replaced(name, value).text
    return f"{request.path}?{text}" if text else request.path
