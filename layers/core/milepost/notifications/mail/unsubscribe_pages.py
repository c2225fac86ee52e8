"""The pages of an unsubscribe link: one button, in the reader's language."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from string import Template
from typing import Final

from milepost.common.accept_language import preferred_language
from milepost.notifications.mail.unsubscribe import UnsubscribeOutcome


@dataclass(frozen=True, slots=True)
class Page:
    """A response of the web server."""

    status: int
    headers: Mapping[str, str]
    html: str


def page_for(outcome: UnsubscribeOutcome, *, accept_language: str = "") -> Page:
    """The page for the outcome of a request; it contains nothing from the request."""
    language = choose_language(accept_language)
    title, text, button = _TEXTS[language][outcome]
    form = _FORM.substitute(button=escape(button)) if button else ""
    html = _PAGE.substitute(
        language=language, title=escape(title), text=escape(text), form=form, style=_STYLE
    )
    retry = {"retry-after": "60"} if outcome is UnsubscribeOutcome.UNAVAILABLE else {}
    headers = {**_HEADERS, "content-language": language, **retry}
    return Page(_STATUSES[outcome], headers, html)


def choose_language(accept_language: str) -> str:
    """The first available language by the reader's preferences; English if there is none."""
    return preferred_language(accept_language, among=_TEXTS) or "en"


_STATUSES: Final[Mapping[UnsubscribeOutcome, int]] = {
    UnsubscribeOutcome.ASKED: 200,
    UnsubscribeOutcome.ENDED: 200,
    UnsubscribeOutcome.BAD_LINK: 404,
    UnsubscribeOutcome.UNAVAILABLE: 503,
}

_TEXTS: Final[Mapping[str, Mapping[UnsubscribeOutcome, tuple[str, str, str | None]]]] = {
    "en": {
        UnsubscribeOutcome.ASKED: (
            "Stop these emails?",
            "You will get no more emails of this kind at this address.",
            "Unsubscribe",
        ),
        UnsubscribeOutcome.ENDED: (
            "You are unsubscribed",
            "No more emails of this kind will come. An email that is already on its way may "
            "still arrive.",
            None,
        ),
        UnsubscribeOutcome.BAD_LINK: (
            "This link doesn't work",
            "Part of it may be missing. Please use the link in the latest email, or answer that "
            "email and ask to be unsubscribed.",
            None,
        ),
        UnsubscribeOutcome.UNAVAILABLE: (
            "Please try again in a minute",
            "You could not be unsubscribed just now. Nothing has changed.",
            None,
        ),
    },
    "de": {
        UnsubscribeOutcome.ASKED: (
            "Diese E-Mails abbestellen?",
            "Sie erhalten dann unter dieser Adresse keine E-Mails dieser Art mehr.",
            "Abbestellen",
        ),
        UnsubscribeOutcome.ENDED: (
            "Sie haben die E-Mails abbestellt",
            "Es kommen keine E-Mails dieser Art mehr. Eine E-Mail, die schon unterwegs ist, kann "
            "noch eintreffen.",
            None,
        ),
        UnsubscribeOutcome.BAD_LINK: (
            "Dieser Link funktioniert nicht",
            "Vielleicht fehlt ein Teil davon. Bitte verwenden Sie den Link aus der neuesten "
            "E-Mail, oder antworten Sie darauf und bitten Sie um die Abbestellung.",
            None,
        ),
        UnsubscribeOutcome.UNAVAILABLE: (
            "Bitte versuchen Sie es in einer Minute noch einmal",
            "Die E-Mails konnten gerade nicht abbestellt werden. Es hat sich nichts geändert.",
            None,
        ),
    },
    "da": {
        UnsubscribeOutcome.ASKED: (
            "Vil du afmelde disse e-mails?",
            "Du får derefter ikke flere e-mails af denne slags på denne adresse.",
            "Afmeld",
        ),
        UnsubscribeOutcome.ENDED: (
            "Du er afmeldt",
            "Der kommer ikke flere e-mails af denne slags. En e-mail, der allerede er på vej, kan "
            "stadig nå frem.",
            None,
        ),
        UnsubscribeOutcome.BAD_LINK: (
            "Linket virker ikke",
            "Måske mangler en del af det. Brug linket i den nyeste e-mail, eller svar på den og "
            "bed om at blive afmeldt.",
            None,
        ),
        UnsubscribeOutcome.UNAVAILABLE: (
            "Prøv igen om et minut",
            "Du kunne ikke afmeldes lige nu. Intet er ændret.",
            None,
        ),
    },
}

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{margin:0;font:18px/1.5 system-ui,sans-serif;color:#1c2430;background:#f5f6f8}"
    "main{max-width:32rem;margin:12vh auto 0;padding:0 1.25rem}"
    "h1{font-size:1.6rem;line-height:1.25}"
    "button{min-height:48px;padding:.6rem 1.5rem;border:0;border-radius:8px;font:inherit;"
    "font-weight:600;color:#fff;background:#1f5a99;cursor:pointer}"
    "button:focus-visible{outline:3px solid #e08a00;outline-offset:3px}"
    "@media(prefers-color-scheme:dark){body{color:#e8ebf0;background:#161b22}"
    "button{background:#2f6db3}}"
)

_PAGE: Final = Template(
    '<!doctype html>\n<html lang="$language">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
    '<meta name="robots" content="noindex">\n'
    "<title>$title</title>\n<style>$style</style>\n</head>\n<body>\n<main>\n"
    "<h1>$title</h1>\n<p>$text</p>\n$form</main>\n</body>\n</html>\n"
)

_FORM: Final = Template(
    '<form method="post">\n'
    '<input type="hidden" name="List-Unsubscribe" value="One-Click">\n'
    '<button type="submit">$button</button>\n</form>\n'
)
"""Posts to the very address of the page, whatever path leads there."""

_HEADERS: Final[Mapping[str, str]] = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "vary": "accept-language",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
    "content-security-policy": "default-src 'none'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'",
}
