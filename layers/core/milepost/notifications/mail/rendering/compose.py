"""Composes the parts of a mail from a template and its values."""

from dataclasses import dataclass
from typing import Any

from jinja2 import Template

from milepost.notifications.mail.rendering.jinja import template_for
from milepost.notifications.mail.rendering.sanitize import fit_subject, paragraphs, tidy


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The three parts of a mail that one template renders."""

    subject: str
    text: str
    html: str


def compose(text: Template, html: Template, values: dict[str, Any]) -> Composed:
    """Render the template once for each part; the layout places its blocks.

    :param text: the template, compiled for plain text
    :param html: the same, compiled for HTML
    """
    ours = {
        **values,
        "default": template_for(values["kind"], values["audience"], values["language"]),
    }
    return Composed(
        subject=fit_subject(text.render(ours, layout="subject.txt.j2")),
        text=tidy(text.render(ours, layout="layout.txt.j2")),
        html=html.render(ours, layout="layout.html.j2").strip() + "\n",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The content of a mail without its header and footer: paragraphs of plain text."""

    subject: str
    lead: list[str]
    after: list[str]
    """What happens next."""


def compose_said(text: Template, values: dict[str, Any]) -> Said:
    """The texts of a template, for messages that aren't mails.

    :param text: the template, compiled for plain text
    """
    return Said(
        subject=fit_subject(text.render(values, layout="subject.txt.j2")),
        lead=paragraphs(text.render(values, layout="lead.txt.j2")),
        after=paragraphs(text.render(values, layout="next.txt.j2")),
    )


def unsubscribe_headers(url: str | None) -> dict[str, str]:
    """The headers for one-click unsubscribing in mail programs. Source: RFC 8058, section 3.1.

    :raises ValueError: when the URL isn't valid in a header
    """
    if url is None:
        return {}
    if not url.startswith(("https://", "http://")) or not url.isascii() or not url.isprintable():
        raise ValueError("the link to unsubscribe is not a URL: expected https:// and only ASCII")
    if set(url) & set(" <>\"'"):
        raise ValueError("the link to unsubscribe has spaces, quotes or brackets: encode them")
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
