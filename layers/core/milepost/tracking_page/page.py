"""The tracking page as HTML: without scripts, images, or anything from other servers."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from string import Template
from typing import Any, Final

from milepost.connections.connection import TrackingPage
from milepost.tracking_page.milestones import Milestone, Progress
from milepost.tracking_page.style import style_of
from milepost.tracking_page.texts import LANGUAGES, texts_of
from milepost.tracking_page.view import TrackingView

HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow, noarchive",
}
"""Headers of every answer. The address is a secret: no cache keeps it, no other site learns it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A response of the web server."""

    status: int
    headers: Mapping[str, str]
    body: str


def order_page(view: TrackingView) -> Page:
    """The page of an order."""
    texts = texts_of(view.language)
    title = texts["title_service"].format(service=view.service) if view.service else texts["title"]
    sections = [_milestones(view, texts), _appointment(view, texts), _next(view, texts)]
    body = _ORDER.substitute(
        greeting=_greeting(view, texts),
        place=_paragraph(texts["place"].format(place=view.place) if view.place else None),
        state=escape(view.state),
        sections="".join([*sections, _todo(view, texts), _contact(view, texts)]),
    )
    as_of = texts["as_of"].format(
        moment=view.dates.full(view.as_of), day=view.dates.day(view.valid_until)
    )
    footer = "".join(_paragraph(line) for line in (*view.legal, as_of))
    return _page(
        200,
        language=view.language,
        title=title,
        body=body,
        company=view.company,
        colour=view.colour,
        footer=footer,
    )


def outcome_page(
    outcome: str, *, status: int, language: str, retry_after: int | None = None
) -> Page:
    """A page that shows no order, but the reason why.

    :param outcome: a key of ``outcomes`` in the texts
    :param retry_after: seconds after which it is worth trying again
    """
    said = texts_of(language)["outcomes"][outcome]
    made = _page(status, language=language, title=said["title"], body=_paragraph(said["text"]))
    if retry_after is None:
        return made
    return Page(status, {**made.headers, "retry-after": str(retry_after)}, made.body)


def _page(
    status: int,
    *,
    language: str,
    title: str,
    body: str,
    company: str | None = None,
    colour: str = TrackingPage().colour,
    footer: str = "",
) -> Page:
    style = style_of(colour)
    header = f"<p>{escape(company)}</p>" if company else ""
    html = _PAGE.substitute(
        language=language,
        title=escape(title),
        style=style,
        header=f"<header><div>{header}</div></header>",
        languages=_languages(language),
        body=body,
        footer=f"<footer>{footer}</footer>\n" if footer else "",
    )
    digest = b64encode(sha256(style.encode()).digest()).decode()
    headers = {
        **HEADERS,
        "content-type": "text/html; charset=utf-8",
        "content-language": language,
        "vary": "accept-language",
        "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors 'none'; style-src 'sha256-{digest}'",
    }
    return Page(status, headers, html)


def _languages(language: str) -> str:
    """The language switch: a link for each other language, named in that language."""
    items = "".join(_language(one, is_present=one == language) for one in LANGUAGES)
    label = escape(texts_of(language)["language"])
    return f'<nav aria-label="{label}"><ul>{items}</ul></nav>'


def _language(language: str, *, is_present: bool) -> str:
    name = escape(texts_of(language)["name"])
    if is_present:
        return f'<li><span lang="{language}" aria-current="true">{name}</span></li>'
    return (
        f'<li><a href="?lang={language}" lang="{language}" hreflang="{language}" rel="nofollow">'
        f"{name}</a></li>"
    )


def _greeting(view: TrackingView, texts: Mapping[str, Any]) -> str:
    return _paragraph(texts["greeting"].format(name=view.first_name) if view.first_name else None)


def _milestones(view: TrackingView, texts: Mapping[str, Any]) -> str:
    items = "".join(_milestone(one, view, texts) for one in view.milestones)
    return f"<section><h2>{escape(texts['milestones'])}</h2><ol>{items}</ol></section>\n"


def _milestone(one: Milestone, view: TrackingView, texts: Mapping[str, Any]) -> str:
    own = texts["steps_supply"] if view.is_supply else {}
    name = own.get(one.name, texts["steps"][one.name])
    day = view.dates.day(one.since)
    said = texts[one.progress] + (f", {day}" if day else "")
    current = ' aria-current="step"' if one.progress is Progress.NOW else ""
    return (
        f'<li class="{one.progress}"{current}><strong>{escape(name)}</strong>'
        f"<small>{escape(said)}</small></li>"
    )


def _appointment(view: TrackingView, texts: Mapping[str, Any]) -> str:
    found = view.appointment
    if found is None:
        return ""
    key = "supply_start" if found.is_supply else "appointment"
    heading = texts[f"{key}_past" if found.is_past else key]
    when = f'<p class="date">{escape(view.dates.full(found.at) or "")}</p>'
    link = (
        ""
        if found.is_past
        else f'<p class="screen"><a href="?calendar=1&amp;lang={view.language}">'
        f"{escape(texts['add_to_calendar'])}</a></p>"
    )
    return f"<section><h2>{escape(heading)}</h2>{when}{link}</section>\n"


def _next(view: TrackingView, texts: Mapping[str, Any]) -> str:
    if view.next_step is None:
        return ""
    by = texts["by"].format(day=view.next_by) if view.next_by and view.appointment is None else None
    said = _paragraph(view.next_step) + _paragraph(by)
    return f"<section><h2>{escape(texts['next'])}</h2>{said}</section>\n"


def _todo(view: TrackingView, texts: Mapping[str, Any]) -> str:
    if not view.is_open:
        return ""
    items = "".join(f"<li>{escape(one)}</li>" for one in view.todo)
    said = f"<ul>{items}</ul>" if items else _paragraph(texts["nothing_to_do"])
    return f"<section><h2>{escape(texts['todo'])}</h2>{said}</section>\n"


def _contact(view: TrackingView, texts: Mapping[str, Any]) -> str:
    said = (
        texts["contact_text"].format(contact=view.contact)
        if view.contact
        else texts["contact_nameless"]
    )
    return f"<section><h2>{escape(texts['contact'])}</h2>{_paragraph(said)}</section>\n"


def _paragraph(text: str | None) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


_PAGE: Final = Template(
    '<!doctype html>\n<html lang="$language">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
    '<meta name="robots" content="noindex,nofollow,noarchive">\n'
    "<title>$title</title>\n<style>$style</style>\n</head>\n<body>\n$header\n$languages\n"
    "<main>\n<h1>$title</h1>\n$body</main>\n$footer</body>\n</html>\n"
)

_ORDER: Final = Template('$place$greeting<p class="date">$state</p>\n$sections')
