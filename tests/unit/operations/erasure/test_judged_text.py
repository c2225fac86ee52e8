"""What names an erased customer in a text, in every encoding, and what only looks like it."""

import base64
import gzip
import json
import quopri
import unicodedata
from urllib.parse import quote, quote_plus

import pytest

from milepost.common.status import Status
from milepost.operations.erasure.judged_text import judge_raw
from milepost.operations.erasure.subject import Verdict, subject_of
from milepost.orders.search_terms import customer_id_of_email
from tests.builders import KEY, report, tracked

DOMAIN = "b\u00fccher-m\u00fcller.example"
EMAIL = f"Joerg.Gross+strom@{DOMAIN}"
PUNYCODE = f"joerg.gross+strom@{DOMAIN.encode('idna').decode()}"
_CUSTOMER = {
    "name": "J\u00f6rg Gro\u00dfm\u00fcller",
    "email": EMAIL,
    "phone": "+49 171 2345678",
    "number": "K-204417",
}
SUBJECT = subject_of(
    [tracked(report(Status.PENDING, customer=_CUSTOMER, reference="SP-2026-90012")).order],
    customer_id=customer_id_of_email(EMAIL),
    salt=b"salt",
)


def verdict(said: str | bytes) -> Verdict:
    raw = said.encode() if isinstance(said, str) else said
    return judge_raw(raw, SUBJECT, connection=KEY.connection).verdict


def compact(value: object, *, ensure_ascii: bool = True) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=ensure_ascii)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "said",
    [
        compact({"e": EMAIL}),
        compact({"e": PUNYCODE}),
        compact({"e": EMAIL.upper()}),
        compact({"e": unicodedata.normalize("NFD", EMAIL)}, ensure_ascii=False),
        compact({PUNYCODE: 1}),
        compact({"d": b64(EMAIL.encode())}),
        compact({"d": b64(EMAIL.encode("latin-1"))}),
        compact({"d": b64(PUNYCODE.encode("utf-16-le"))}),
        compact({"d": f"data:text/plain;base64,{b64(PUNYCODE.encode())}"}),
        compact({"to": f"mailto:{PUNYCODE}"}),
        compact({"to": f"<{PUNYCODE}>"}),
        compact({"to": f"{PUNYCODE}."}),
        compact({"to": f"{PUNYCODE}, {EMAIL.upper()}"}),
        compact({"to": PUNYCODE.replace("joerg.gross+strom", '"joerg.gross+strom"')}),
        f'{{"e":"{PUNYCODE}"}}\n{{"broken',
        "".join(f"&#x{ord(c):x};" for c in EMAIL),
        quopri.encodestring(f"x: {EMAIL}".encode("latin-1")),
        f"To: {PUNYCODE[:15]}=\r\n{PUNYCODE[15:]}",
        gzip.compress(EMAIL.encode(), mtime=0),
        b64(gzip.compress(EMAIL.encode(), mtime=0)),
        f"email={quote(EMAIL, safe='')}",
        f"email={quote(EMAIL, safe='', encoding='latin-1')}",
        f"email={quote(quote(EMAIL, safe=''), safe='')}",
        f"email={quote_plus(EMAIL)}",
        f"https://shop.example/?email={PUNYCODE}",
        f"a;b;{PUNYCODE};c\n",
        '{"e":"' + "".join(f"\\x{byte:02x}" for byte in EMAIL.encode()) + '"}',
        f"To: =?utf-8?B?{b64(EMAIL.encode())}?=",
        compact({"p": 491712345678}),
        compact({"p": "0171/234 56 78"}),
        compact({"p": "0171 2345678 / +49 30 5557001"}),
        "phone=%2B491712345678&x=1",
    ],
)
def test_it_is_theirs_however_it_is_encoded(said: str | bytes) -> None:
    assert verdict(said) is Verdict.THEIRS


@pytest.mark.parametrize(
    "said",
    [
        compact({"e": f"{PUNYCODE}s"}),
        compact({"e": f"x{PUNYCODE}"}),
        compact({"e": PUNYCODE.replace("+strom", "")}),
        compact({"e": PUNYCODE.replace("+strom", "+gas")}),
        compact({"e": PUNYCODE.replace("@", "@mail.")}),
        compact({"e": "joerg.gross+strom@other.example"}),
        compact({"p": "+49 171 23456789"}),
        compact({"p": "+49 171 234567"}),
        compact({"p": "+43 171 2345678"}),
        compact({"p": "4917123456780"}),
        compact({"id": "49171234-5678-4917-1234-567849171234"}),
        compact({"n": "K-2044170"}),
        compact({"n": "AK-204417"}),
        compact({"r": "SP-2026-900121"}),
        compact({"n": "Maria Gro\u00dfm\u00fcller"}),
    ],
)
def test_a_look_alike_is_somebody_else(said: str) -> None:
    assert verdict(said) is Verdict.OTHERS


@pytest.mark.parametrize(
    "said",
    [
        # An amount, or a time in seconds.
        compact({"total": 1712345678}),
        # One digit more, in a group of its own.
        compact({"p": "+49 171 2345678 9"}),
        compact({"p": "0171 2345 678 9"}),
        "0171 2345678 12",
    ],
)
def test_digits_that_may_be_another_number_are_for_a_person_to_look_at(said: str) -> None:
    assert verdict(said) is Verdict.UNSURE


@pytest.mark.parametrize(
    "said",
    [
        f"paul@example.com {b64(EMAIL.encode())}",
        f"{PUNYCODE} {b64(b'paul@example.com is the other one')}",
        f"a={quote('paul@example.com', safe='')}&b={quote(EMAIL, safe='')}",
        f"a=paul+gas@example.com&b={PUNYCODE}",
        compact({"a": "paul+gas@example.com", "b": EMAIL}),
    ],
)
def test_beside_somebody_elses_address_it_is_not_theirs_alone(said: str) -> None:
    assert verdict(said) is Verdict.UNSURE
