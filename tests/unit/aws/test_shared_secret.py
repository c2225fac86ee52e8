"""Secrets that many share: each entry is read by itself, and closes its own connection alone."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from milepost.aws.shared_secret import NotOneObject, Unreadable, read_entries, write_entries
from milepost.common.http_headers import is_header_value
from milepost.connections.aws.settings import credentials_of
from milepost.connections.connection import UnusableConnection
from milepost.webhooks.receiver import Request, Signing, receive
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from tests.signing import SECRET, standard_headers

GOOD = '"good": {"api_key": "k"}'
NOW = 1_780_000_000
BROKEN = [
    "nothing",
    "[}",
    "",
    "1 2",
    "[" * 100_000 + "]" * 100_000,
    '{"api_key": }',
    "{'api_key': 'k'}",
    '{"a": "b"} "c": "d"',
    '"\\q"',
]
CANNOT_HOLD = ["", "null", "[]", '{"good": 1', '{"good": 1}}', "{good: 1}", '{"good": "x}', "{}{}"]


@pytest.mark.parametrize("broken", BROKEN)
def test_an_entry_that_is_no_json_leaves_the_others_readable(broken: str) -> None:
    for text in (f'{{"bad": {broken}, {GOOD}}}', f'{{{GOOD}, "bad": {broken}}}'):
        entries = read_entries(text)
        assert entries["good"] == {"api_key": "k"}
        assert isinstance(entries["bad"], Unreadable)


@pytest.mark.parametrize("broken", BROKEN)
def test_an_entry_that_is_no_json_is_written_back_as_it_was(broken: str) -> None:
    entries = read_entries(f'{{"bad": {broken}, {GOOD}}}')
    entries["new"] = "x"
    again = read_entries(write_entries(entries))
    assert again == entries
    assert again["bad"].text == broken


@pytest.mark.parametrize("text", CANNOT_HOLD)
def test_what_is_not_one_object_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotOneObject):
        read_entries(text)


def test_a_name_twice_is_ambiguous_where_entries_are_read_one_by_one() -> None:
    entries = read_entries('{"a": 1, "a": 2, "b": nothing, "c": 3}')
    assert isinstance(entries["a"], Unreadable)
    assert entries["c"] == 3


@pytest.mark.parametrize(
    "entry",
    [None, [], "key", 7, {"api_key": None}, {"api_key": ["k"]}, {"api_key": ""}, Unreadable("{")]
    + [
        {"api_key": text}
        for text in ("a\r\nX-Evil: 1", "a\x00b", "k\n", " k", "schlüssel€", "\x7f")
    ],
)
def test_credentials_that_cannot_be_sent_close_their_connection_alone(entry: Any) -> None:
    entries = {"bad": entry, "good": {"api_key": "k"}}
    assert credentials_of("good", entries) == {"api_key": "k"}
    with pytest.raises(UnusableConnection) as raised:
        credentials_of("bad", entries)
    assert str(raised.value).startswith("the credentials of bad can't be used: ")
    assert "Evil" not in str(raised.value)
    assert "schl" not in str(raised.value)


def test_a_connection_without_an_entry_has_no_credentials() -> None:
    assert credentials_of("none", {}) == {}


@pytest.mark.parametrize("text", ["k", "a b", "müller", "a\tb", "~!", "x" * 4000])
def test_what_a_header_can_carry(text: str) -> None:
    assert is_header_value(text)


@dataclass
class Stored:
    """Signing secrets as they are stored, read as receive_webhook reads them."""

    text: str
    kept: list[bytes] = field(default_factory=list)

    def get(self, connection_id: str, *, now: float) -> Signing:
        return Signing.read(read_entries(self.text)[connection_id])

    def refresh(self, *, now: float) -> bool:
        return False

    def put(self, *, connection_id: str, delivery_id: str, body: bytes, now: float) -> None:
        self.kept.append(body)

    def answer(self, connection_id: str) -> int:
        headers = standard_headers(b"{}", timestamp=NOW)
        request = Request("POST", connection_id, headers, b"{}")
        return receive(request, secrets=self, inbox=self, now=NOW).status


GOOD_SIGNING = {"scheme": STANDARD_WEBHOOKS, "secrets": [SECRET]}


@pytest.mark.parametrize(
    "entry",
    [
        "null",
        "[]",
        '"whsec_x"',
        "{}",
        "{'scheme': 1}",
        json.dumps({"scheme": STANDARD_WEBHOOKS}),
        json.dumps({"scheme": STANDARD_WEBHOOKS, "secrets": SECRET}),
        json.dumps({"scheme": STANDARD_WEBHOOKS, "secrets": [SECRET, 7]}),
        json.dumps({"scheme": STANDARD_WEBHOOKS, "secrets": [SECRET, None]}),
        json.dumps({"scheme": STANDARD_WEBHOOKS, "secrets": [SECRET, "whsec_no base64"]}),
        json.dumps({"scheme": STANDARD_WEBHOOKS, "secrets": [[SECRET]]}),
        json.dumps({"scheme": [STANDARD_WEBHOOKS], "secrets": [SECRET]}),
        json.dumps({"scheme": "none-of-them", "secrets": [SECRET]}),
        json.dumps({"scheme": STANDARD_WEBHOOKS, "secrets": {"0": SECRET}}),
    ],
)
def test_signing_secrets_that_cannot_be_used_close_their_connection_alone(entry: str) -> None:
    stored = Stored(f'{{"bad": {entry}, "good": {json.dumps(GOOD_SIGNING)}}}')
    assert stored.answer("bad") == 503
    assert stored.answer("good") == 202
    assert stored.kept == [b"{}"]
