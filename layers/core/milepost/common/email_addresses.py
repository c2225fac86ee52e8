"""Email addresses: which ones are valid, how SES needs them, and which ones are the same mailbox.

Everything that keeps, compares or looks up an address does it by ``address_identity``. Whether an
address is one is judged by the package ``email-validator``.
"""

import hashlib
import re
import unicodedata
from typing import Final

LONGEST_ADDRESS: Final = 254
"""Characters (RFC 3696, erratum 1690)."""
_LONGEST_NAME: Final = 64
_LONGEST_DOMAIN: Final = 253
_PUNYCODE: Final = "xn--"
_RESERVED: Final = ("arpa", "invalid", "local", "localhost", "onion", "test")
"""Top-level domains without mail on the Internet (IANA, Special-Use Domain Names)."""
_USUAL: Final = re.compile(
    r"([A-Z0-9]+(?:[._+-][A-Z0-9]+)*)@((?:[A-Z0-9]{1,31}(?:-[A-Z0-9]{1,31})?\.)+([A-Z]{2,63}))",
    re.ASCII | re.IGNORECASE,
)
"""Addresses that need no second look: the package's import takes tens of milliseconds, which a
cold start does not pay for these. A test holds that the package accepts whatever this matches."""


_PLAIN: Final = re.compile(r"[^<>\":\s]+@[^<>\":\s]+[^<>\":\s.]")
_MOST_WRAPPINGS: Final = 8
_IN_BRACKETS: Final = re.compile(r"[^<>]*<([^<>]+)>")
_MAILTO: Final = re.compile(r"mailto:", re.ASCII | re.IGNORECASE)
_QUOTED: Final = re.compile(r'"([\w.!#$%&\'*+/=?^`{|}~-]+)"@', re.ASCII)


class BadAddress(ValueError):
    """Not an address to which mail can be sent; the message says why, in a sentence."""


def check_address(text: str) -> str:
    """The address in the form for people: Unicode in NFC, its domain in lower case and not in
    Punycode.

    One address alone, without a display name. The part before the @ has to be ASCII, because SES
    can't send to others; the domain may be an internationalised one. No name server is asked.

    :raises BadAddress: when no mail could be sent there
    """
    usual = _USUAL.fullmatch(text) if len(text) <= LONGEST_ADDRESS else None
    if usual is not None and _is_short_and_public(usual):
        return f"{usual[1]}@{usual[2].lower()}"
    return _judged(text)[0]


def is_email(text: str) -> bool:
    """Whether mail can be sent there, see ``check_address``."""
    try:
        check_address(text)
    except BadAddress:
        return False
    return True


def ascii_address(text: str) -> str:
    """The address in the form that SES needs: an internationalised domain in Punycode.

    Source: Amazon SES API v2, ``Destination``: addresses of 7-bit ASCII; a domain with other
    characters is encoded by Punycode (RFC 3492).

    :raises BadAddress: when no mail could be sent there
    """
    address = check_address(text)
    return address if address.isascii() else _judged(address)[1]


def address_identity(text: str) -> str:
    """A form that all spellings of one mailbox have in common; for keys and comparisons, not for
    sending.

    Spaces around it and invisible characters don't count, nor do capitals, the way in which a
    letter is composed (Unicode NFC), or whether a domain is written in Punycode; nor what providers
    put around an address: a display name, ``mailto:``, needless quotes, a dot at the end. Any text
    has an identity, also one that is no address.

    For a plain ASCII address it is the address in lower case, as it has always been kept by.
    """
    for _ in range(_MOST_WRAPPINGS):
        identity = _identity(text)
        if identity == text:
            break
        text = identity
    return text


def _identity(text: str) -> str:
    text = _without_wrapping(text.strip())
    if text.isascii() and text.isprintable():
        return text.lower()
    visible = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf")).strip()
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", visible).lower())
    name, at, domain = plain.rpartition("@")
    return f"{name}{at}{_ascii_domain(domain)}" if at else plain


def _without_wrapping(text: str) -> str:
    """Source: RFC 5322, section 3.4 (display name), RFC 6068 (mailto), RFC 5321, section 4.1.2 (a
    name that needs no quotes is the same with them)."""
    if "@" not in text or _PLAIN.fullmatch(text):
        return text
    if named := _IN_BRACKETS.fullmatch(text):
        text = named[1].strip()
    text = _MAILTO.sub("", text).rstrip(".").strip()
    return _QUOTED.sub(r"\1@", text)


def former_identities(text: str) -> tuple[str, ...]:
    """Other keys of items of this mailbox that were written before ``address_identity`` existed:
    trimmed and in lower case, in each spelling of the domain.

    Empty for addresses that are ASCII throughout and not in Punycode, which are nearly all.
    """
    identity = address_identity(text)
    name, at, domain = identity.rpartition("@")
    composed = f"{name}{at}{_unicode_domain(domain)}"
    spellings = (
        text.strip().lower(),
        composed,
        unicodedata.normalize("NFD", composed),
    )
    return tuple(one for one in dict.fromkeys(spellings) if one != identity)


def _is_short_and_public(usual: re.Match[str]) -> bool:
    name, domain, top = usual.groups()
    return (
        len(name) <= _LONGEST_NAME
        and len(domain) <= _LONGEST_DOMAIN
        and top.lower() not in _RESERVED
    )


def _judged(text: str) -> tuple[str, str]:
    """The address in the form for people, and in ASCII.

    :raises BadAddress: with the package's reason
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 (see _USUAL)

    if len(text) > 2 * LONGEST_ADDRESS:
        raise BadAddress("The email address is too long.")
    try:
        found = validate_email(
            text,
            allow_smtputf8=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            strict=True,
            check_deliverability=False,
        )
    except EmailNotValidError as error:
        raise BadAddress(str(error)) from None
    return found.normalized, found.ascii_email or ""


def _ascii_domain(domain: str) -> str:
    """The domain in Punycode, if it has characters other than ASCII and can be encoded."""
    if domain.isascii():
        return domain
    import idna  # noqa: PLC0415 (its tables are read for these alone)

    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return domain


def _unicode_domain(domain: str) -> str:
    if _PUNYCODE not in domain:
        return domain
    import idna  # noqa: PLC0415 (its tables are read for these alone)

    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def address_hash(address: str) -> str:
    """The key of a mailbox's suppressions, the same for every spelling."""
    return _digest(address_identity(address))


def former_hashes(address: str) -> tuple[str, ...]:
    """The keys of this mailbox's suppressions that were written before spellings were compared by
    ``address_identity``; none for usual addresses."""
    return tuple(_digest(one) for one in former_identities(address))


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()[:32]
