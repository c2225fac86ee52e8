"""Email addresses: which can be written to, how SES takes them, and which are one mailbox."""

import re
import subprocess
import sys
import unicodedata

import pytest
from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.email_addresses import (
    _USUAL,
    BadAddress,
    _is_short_and_public,
    address_identity,
    ascii_address,
    check_address,
    former_identities,
    is_email,
)


@pytest.mark.parametrize(
    ("text", "shown", "sent"),
    [
        ("lena@example.de", "lena@example.de", "lena@example.de"),
        ("Lena.M+rabot@Post.Example.CO.UK", "Lena.M+rabot@post.example.co.uk", None),
        ("o'brien@example.com", "o'brien@example.com", None),
        ("lena@müller.de", "lena@müller.de", "lena@xn--mller-kva.de"),
        ("lena@xn--mller-kva.de", "lena@müller.de", "lena@xn--mller-kva.de"),
        ("lena@MÜLLER.de", "lena@müller.de", "lena@xn--mller-kva.de"),
        ("lena@mu\u0308ller.de", "lena@müller.de", "lena@xn--mller-kva.de"),
        ("lena@straße.example", "lena@straße.example", "lena@xn--strae-oqa.example"),
        ("jens@blåbær.dk", "jens@blåbær.dk", "jens@xn--blbr-roah.dk"),
        ("info@例え.jp", "info@例え.jp", "info@xn--r8jz45g.jp"),
        (f"{'x' * 64}@example.de", f"{'x' * 64}@example.de", None),
    ],
)
def test_an_address_is_shown_in_unicode_and_sent_in_ascii(
    text: str, shown: str, sent: str | None
) -> None:
    assert check_address(text) == shown
    assert ascii_address(text) == (sent or shown)
    assert is_email(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "@-sign"),
        ("lena", "@-sign"),
        ("lena@", "something after the @-sign"),
        ("@example.de", "something before the @-sign"),
        ("lena@example", "should have a period"),
        ("lena@.de", "period immediately after the @-sign"),
        ("lena@example..de", "two periods in a row"),
        ("lena@example.de.", "end with a period"),
        (".lena@example.de", "start with a period"),
        ("lena.@example.de", "period immediately before the @-sign"),
        ("le..na@example.de", "two periods in a row"),
        ("lena@@example.de@x.de", "invalid characters"),
        ("lena hoffmann@example.de", "invalid characters"),
        (" lena@example.de", "invalid characters"),
        ("Lena <lena@example.de>", "display name"),
        ("<lena@example.de>", "display name"),
        ("mailto:lena@example.de", "invalid characters"),
        ("lena@example.de,jo@example.de", "invalid characters"),
        ("lena@example.de;jo@example.de", "invalid characters"),
        ("lena@example.de\r\nBcc: jo@example.de", "invalid characters"),
        ("lena@example.de\n", "invalid characters"),
        ("le\x00na@example.de", "invalid characters"),
        ("lena@exa\x7fmple.de", "invalid characters"),
        ("le\u200bna@example.de", "not supported"),
        ("lena@exa\u200bmple.de", "unsafe characters"),
        ("lena@example.de\u200b", "unsafe characters"),
        ("\ufefflena@example.de", "not supported"),
        ("lena@exa\u00admple.de", "unsafe characters"),
        ("lena\u202e@example.de", "not supported"),
        ("jürgen@example.de", "Internationalized characters before the @-sign"),
        ("леночка@example.de", "Internationalized characters before the @-sign"),
        ("lena＠example.de", "full-width"),
        ('"lena hoffmann"@example.de', "Quoting"),
        ('"lena"@example.de', "Quoting"),
        ("lena@[192.0.2.1]", "bracketed IP address"),
        ("lena@192.0.2.1", "valid top-level domain"),
        ("lena@-example.de", "hyphen"),
        ("lena@example-.de", "hyphen"),
        ("lena@mail.-example.de", "hyphen"),
        ("lena@ab--cd.de", "two dashes"),
        ("lena@xn--a.de", "IDNA"),
        ("lena@exa_mple.de", "invalid characters"),
        (f"{'x' * 65}@example.de", "too long before the @-sign"),
        (f"lena@{'x' * 64}.de", "cannot be separated by so many characters"),
        (f"lena@{'ü' * 60}.de", "Label too long"),
        (f"lena@{'x' * 63}.{'x' * 63}.{'x' * 63}.{'x' * 63}.de", "too long"),
        ("lena@" + "x." * 5000 + "de", "too long"),
        ("lena@printer.local", "special-use"),
        ("lena@example.test", "special-use"),
        ("lena@example.invalid", "special-use"),
        ("lena@LOCALHOST.localhost", "special-use"),
        ("ahoi", "@-sign"),
    ],
)
def test_what_ses_could_not_send_to_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(BadAddress, match=re.escape(why)):
        check_address(text)
    with pytest.raises(BadAddress):
        ascii_address(text)
    assert not is_email(text)


@given(st.from_regex(_USUAL, fullmatch=True))
def test_an_address_that_is_taken_at_first_sight_the_package_takes_too(text: str) -> None:
    match = _USUAL.fullmatch(text)
    assert match is not None
    if len(text) <= 254 and _is_short_and_public(match):
        found = validate_email(text, check_deliverability=False, strict=True)
        assert found.ascii_email is not None
        # The package writes some names, such as Postmaster, in lower case.
        assert found.ascii_email.lower() == check_address(text).lower()


def test_usual_addresses_are_checked_and_compared_without_the_packages_tables() -> None:
    program = (
        "import sys; from milepost.common.email_addresses import *;"
        "check_address('Lena.M+x@mail.Example.de'); ascii_address('lena@example.de');"
        "address_identity(' Lena@Example.DE'); former_identities('lena@example.de');"
        "sys.exit(bool({'email_validator', 'idna'} & sys.modules.keys()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": "layers/core"}, check=False
    )
    assert ran.returncode == 0


def test_an_address_is_checked_without_the_package_that_looks_names_up() -> None:
    # The layer leaves dnspython out.
    program = (
        "import sys; sys.modules['dns'] = None;"
        "from milepost.common.email_addresses import ascii_address;"
        "sys.exit(ascii_address('a@blåbær.dk') != 'a@xn--blbr-roah.dk')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": "layers/core"}, check=False
    )
    assert ran.returncode == 0


ONE_MAILBOX = [
    "Lena@Müller.example",
    "lena@müller.example",
    "LENA@MÜLLER.EXAMPLE",
    " lena@müller.example\n",
    "lena@mu\u0308ller.example",
    "lena@xn--mller-kva.example",
    "Lena@XN--MLLER-KVA.Example",
    "lena@müller\u200b.example",
    "le\u00adna@müller.example",
    "lena@ｍüller。example",
    "lena@müller.example.",
    "lena@müller。example。",
    "Lena M. <lena@müller.example>",
    "\u200b<lena@xn--mller-kva.example>",
    "MailTo:lena@müller.example",
    '"Müller, Lena" <"lena"@müller.example>',
]


@pytest.mark.parametrize("spelling", ONE_MAILBOX)
def test_every_spelling_of_one_mailbox_has_one_identity(spelling: str) -> None:
    assert address_identity(spelling) == "lena@xn--mller-kva.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lena@example.de", "lena@example.com"),
        ("lena@example.de", "lenaa@example.de"),
        ("lena@strasse.de", "lena@straße.de"),
        ("lena+a@example.de", "lena@example.de"),
        ("le.na@example.de", "lena@example.de"),
        ("straße@example.de", "strasse@example.de"),
        ("lena", "lena@"),
        ('"le na"@example.de', "lena@example.de"),
        ("lena@example.de, ida@example.de", "lena@example.de"),
        ("lena@example.de <ida@example.de>", "lena@example.de"),
    ],
)
def test_mailboxes_that_may_be_two_have_two_identities(one: str, other: str) -> None:
    assert address_identity(one) != address_identity(other)


@given(st.text())
def test_any_text_has_an_identity_which_is_its_own(text: str) -> None:
    identity = address_identity(text)
    assert address_identity(identity) == identity
    assert identity == identity.strip()


@given(st.from_regex(r"[!#-9;=?-~]+@[!#-9;=?-~]+[A-Za-z]", fullmatch=True))
def test_an_ascii_address_is_keyed_as_it_has_always_been(text: str) -> None:
    assert address_identity(text) == text.strip().lower()
    if "xn--" not in text.lower():
        assert former_identities(text) == ()


@pytest.mark.parametrize("spelling", ONE_MAILBOX)
@pytest.mark.parametrize(
    "written",
    ["Lena@Müller.example", "LENA@mu\u0308ller.example ", "lena@XN--mller-kva.example"],
)
def test_what_was_keyed_by_another_spelling_before_is_still_found(
    spelling: str, written: str
) -> None:
    key = written.strip().lower()
    assert key in (address_identity(spelling), *former_identities(spelling))


def test_a_former_identity_is_never_anybody_elses() -> None:
    for former in former_identities(unicodedata.normalize("NFD", "Jürgen@Müller.de")):
        assert address_identity(former) == "jürgen@xn--mller-kva.de"
