"""What may never be stored is taken out, and every other byte stays."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.quarantine.redaction import without_secrets

SECRET = "hunter2-DE02"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ('{"a":1, "password" : "S" ,"b":[2]}', '{"a":1, "password" : null ,"b":[2]}'),
        ('{"IBAN":"S","Bank-Account":{"x":["S"]}}', '{"IBAN":null,"Bank-Account":null}'),
        ('{"password":"S"S"S","x":1}', '{"password":null,"x":1}'),
        ('{"p\\u0061ssword":"S"}', '{"p\\u0061ssword":null}'),
        ('{"user_password":"\\"S","x":"}"}', '{"user_password":null,"x":"}"}'),
        ('{"accessToken":["}","S"],"x":1}', '{"accessToken":null,"x":1}'),
        ('{"authorization_code":{"sent":true,"code":"S"}}',
         '{"authorization_code":{"sent":true,"code":null}}'),
        ('{"authorizationCode":"S","postcode":"10969"}',
         '{"authorizationCode":null,"postcode":"10969"}'),
        ('[[[{"pin":-12.5e3}]]]', '[[[{"pin":null}]]]'),
        ('{"note":"the password: is none"}', '{"note":"the password: is none"}'),
        ('{"iban":"S","iban":"S"}', '{"iban":null,"iban":null}'),
        # What isn't JSON.
        ("{password: 'S', x: 1}", "{password: null, x: 1}"),
        ('{"iban":["S", {"x":"S"', '{"iban":null'),
        ('{"token":"S', '{"token":null'),
        ('{"a":"x"y","password":"S"}', '{"a":"x"y","password":null}'),
        ('{"a":"x,"password":"S"}', '{"a":"x,"password":null}'),
        ("{\"a\":\"x, 'password': 'S'}", "{\"a\":\"x, 'password': null}"),
        ("{\"a\": it's, \"password\":\"S\", 'b'}", "{\"a\": it's, \"password\":null, 'b'}"),
    ],
)  # fmt: skip
def test_no_secret_is_left_however_it_is_written(raw: str, kept: str) -> None:
    assert without_secrets(raw.replace("S", SECRET).encode()) == kept.encode()


def test_what_holds_no_secret_stays_to_the_byte() -> None:
    raw = b'\xef\xbb\xbf{"a" : "\xff\xfe",\r\n "b":01,, "c":"\\ud800", NaN}\x00'
    assert without_secrets(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        '{"a":' * 50_000 + '{"iban":"S"}' + "}" * 50_000,
        '{"iban":' + "[" * 50_000 + '"S"',
        '\\"' * 50_000 + '"iban":"S"',
        '"\\' * 50_000 + '"iban":"S"',
        "'" * 50_000 + '"iban":"S"',
        '{"iban":"S' * 20_000,
        '"iban"' + " " * 50_000 + ':"S"',
    ],
    ids=lambda raw: raw[:12],
)
def test_depth_and_unclosed_texts_neither_stop_nor_slow_it_down(raw: str) -> None:
    assert SECRET.encode() not in without_secrets(raw.replace("S", SECRET).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "b", "x y"]) | st.text(max_size=6), inner, max_size=3
        )
    ),
)


@given(JSON, JSON)
def test_json_stays_json_and_all_that_is_no_secret_the_same(value: object, secret: object) -> None:
    raw = json.dumps({"before": 1, "iban": secret, "after": {"x": 2}}).encode()
    assert json.loads(without_secrets(raw)) == {"before": 1, "iban": None, "after": {"x": 2}}
    read = json.loads(without_secrets(json.dumps(value).encode()))
    assert without_secrets(json.dumps(read).encode()) == json.dumps(read).encode()
