"""Languages: which languages exist, which one a recipient gets, and the words of each.

Everything that a translator needs is in ``templates/<language>/``: words in ``words.toml``,
sentences in a template for each audience and kind.
"""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel import Locale

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGES: Final = ("en", "de", "da")
_TAG: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")

Words = dict[str, Any]


def languages_for(asked: str) -> tuple[str, ...]:
    """The languages to try, the best first: the requested one, the same without its region,
    English.

    At least English exists. An invalid language tag is ignored.
    """
    tag = asked.strip().replace("_", "-")
    asked_for = (tag, tag.partition("-")[0].lower()) if _TAG.fullmatch(tag) else ()
    return tuple(dict.fromkeys((*asked_for, "en")))


def language_for(asked: str) -> str:
    """The language that a recipient with this preference gets."""
    return next(one for one in languages_for(asked) if one in LANGUAGES)


@cache
def words_of(language: str) -> Words:
    """The words of one of ``LANGUAGES``."""
    return tomllib.loads((TEMPLATES / language / "words.toml").read_text(encoding="utf-8"))


def counted(forms: dict[str, str] | str, count: int, language: str) -> str:
    """The form of a text for this count, with ``{count}`` filled in.

    :param forms: by plural category of CLDR (``one``, ``other``), or one text for every count
    :param language: one of ``LANGUAGES``
    """
    form = forms
    if not isinstance(form, str):
        form = form.get(Locale.parse(language).plural_form(count), form["other"])
    return form.replace("{count}", str(count))
