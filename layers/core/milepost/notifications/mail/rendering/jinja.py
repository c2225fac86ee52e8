"""Jinja environments for text and for HTML, and the selection of a mail's template."""

from functools import cache, lru_cache
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from milepost.notifications.mail.rendering import sanitize
from milepost.notifications.mail.rendering.languages import LANGUAGES, TEMPLATES, languages_for

_COMPILED_OVERRIDES: Final = 128


def template_for(kind: str, audience: str, language: str) -> str:
    """The name of the template: in the language, without its region, in English.

    :raises LookupError: when this audience isn't notified of this kind
    """
    for candidate in languages_for(language):
        name = f"{candidate}/{audience}/{kind}.j2"
        if candidate in LANGUAGES and (TEMPLATES / name).is_file():
            return name
    raise LookupError(f"there is no mail of kind {kind} for the {audience}")


@cache
def environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    """The sandboxed environment of all templates, built-in and custom."""
    made = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,
        undefined=StrictUndefined,
        finalize=_finalize_html if html else _finalize_text,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    made.globals["html"] = html
    made.filters.update(
        one_line=sanitize.one_line,
        shorten=sanitize.shorten,
        upper_first=sanitize.upper_first,
        paragraphs=sanitize.paragraphs,
        wrap=sanitize.wrap,
        rows=sanitize.rows,
    )
    return made


@lru_cache(maxsize=_COMPILED_OVERRIDES)
def override_template(source: str, *, html: bool) -> Template:
    """A custom template, compiled.

    :raises TemplateSyntaxError: when it can't be
    """
    return environment(html=html).from_string(source)


def _finalize_text(value: Any) -> Any:
    """Unknown values are rendered as an empty text."""
    return "" if value is None else value


def _finalize_html(value: Any) -> Any:
    """Mark right-to-left names with an element of their own, so that the text around them keeps its
    direction."""
    if value is None:
        return ""
    if (
        isinstance(value, str)
        and not isinstance(value, Markup)
        and sanitize.runs_right_to_left(value)
    ):
        return Markup("<bdi>{}</bdi>").format(escape(value))
    return value
