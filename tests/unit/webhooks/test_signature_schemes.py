"""Signatures by parameters: the schemes of well-known senders, by their own documentation."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from milepost.webhooks.receiver import Request, Signing, receive
from milepost.webhooks.signature_schemes import SCHEMES, BadScheme, parameters, read_scheme
from milepost.webhooks.signatures import (
    BadSignature,
    NoSecret,
    answer_challenge,
    signed_headers,
    verify,
)

NOW = 1_772_446_200
BODY = b'{"id":7,"status":"shipped"}'
KEY = "a shared secret of this store"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()

STRIPE: Mapping[str, Any] = {
    "header": "stripe-signature", "prefix": "v1=", "delimiter": ",", "timestamp_prefix": "t=",
    "signed": "{timestamp}.{body}",
}  # fmt: skip
GITHUB: Mapping[str, Any] = {
    "header": "x-hub-signature-256", "prefix": "sha256=", "id_header": "x-github-delivery",
}  # fmt: skip
SHOPIFY: Mapping[str, Any] = {"header": "x-shopify-hmac-sha256", "encoding": "base64"}
BEARER: Mapping[str, Any] = {
    "header": "authorization", "algorithm": "none", "encoding": "text", "prefix": "Bearer ",
}  # fmt: skip
BASIC: Mapping[str, Any] = {**BEARER, "encoding": "base64", "prefix": "Basic "}
ASYMMETRIC: Mapping[str, Any] = {
    "header": "webhook-signature", "algorithm": "ed25519", "encoding": "base64", "key": "whsec",
    "signed": "{id}.{timestamp}.{body}", "prefix": "v1a,", "delimiter": " ",
    "timestamp_header": "webhook-timestamp", "id_header": "webhook-id",
}  # fmt: skip


def mac(text: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(KEY.encode(), text, getattr(hashlib, algorithm)).digest()


def ed25519_headers(body: bytes = BODY) -> dict[str, str]:
    signature = base64.b64encode(PRIVATE.sign(f"msg_1.{NOW}.".encode() + body)).decode()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": f"v1,aGVsbG8= v1a,{signature}",
    }


def stripe_headers(timestamp: int = NOW, body: bytes = BODY) -> dict[str, str]:
    good = mac(f"{timestamp}.".encode() + body).hex()
    return {"Stripe-Signature": f"t={timestamp},v1={'0' * 64},v1={good},v0={'1' * 64}"}


GOOD: list[tuple[Mapping[str, Any], dict[str, str], str]] = [
    (STRIPE, stripe_headers(), KEY),
    (GITHUB, {"X-Hub-Signature-256": "sha256=" + mac(BODY).hex(), "X-GitHub-Delivery": "a-1"}, KEY),
    (SHOPIFY, {"X-Shopify-Hmac-SHA256": base64.b64encode(mac(BODY)).decode()}, KEY),
    ({"header": "x-sig", "algorithm": "sha1"}, {"X-Sig": mac(BODY, "sha1").hex()}, KEY),
    ({"header": "x-sig", "algorithm": "sha512"}, {"X-Sig": mac(BODY, "sha512").hex()}, KEY),
    (BEARER, {"Authorization": f"bearer {KEY}"}, KEY),
    (BASIC, {"Authorization": "Basic " + base64.b64encode(KEY.encode()).decode()}, KEY),
    (ASYMMETRIC, ed25519_headers(), "whpk_" + base64.b64encode(PUBLIC).decode()),
    (
        {
            "header": "x-sig", "timestamp_header": "x-time", "timestamp_unit": "milliseconds",
            "signed": "{timestamp}{body}",
        },
        {"x-sig": mac(f"{NOW}123".encode() + BODY).hex(), "x-time": f"{NOW}123"},
        KEY,
    ),
]  # fmt: skip


def let_in(said: Any, headers: Mapping[str, str], secrets: list[str], body: bytes = BODY) -> str:
    return verify(read_scheme(said), headers=headers, body=body, secrets=secrets, now=NOW)


@pytest.mark.parametrize(("said", "headers", "secret"), GOOD)
def test_a_good_delivery_is_let_in_and_every_change_of_it_is_refused(
    said: Mapping[str, Any], headers: dict[str, str], secret: str
) -> None:
    other = "whpk_" + base64.b64encode(b"\x05" * 32).decode() if said is ASYMMETRIC else "z" * 30
    assert let_in(said, headers, [secret])
    assert let_in(said, headers, [other, secret]), "both of a rotation are active"
    changes: list[tuple[dict[str, str], bytes]] = [
        ({name: value for name, value in headers.items() if name != gone}, BODY)
        for gone in headers
        if gone.lower() in (said["header"], said.get("timestamp_header"), said.get("id_header"))
    ]
    if said.get("algorithm") != "none":
        changes.append((headers, BODY + b" "))
    changes += [({**headers, name: f"{value}0"}, BODY) for name, value in headers.items()
                if name.lower() == said["header"] and "v0=" not in value]  # fmt: skip
    for changed, body in changes:
        with pytest.raises(BadSignature):
            let_in(said, changed, [secret], body)
    with pytest.raises(BadSignature):
        let_in(said, headers, [other])
    with pytest.raises(NoSecret):
        let_in(said, headers, [])


def test_the_example_of_github_s_documentation_is_let_in() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-hub-signature-256": signature, "x-github-delivery": "72d3162e-cc78"}
    secret = "It's a Secret to Everybody"
    assert let_in(GITHUB, headers, [secret], b"Hello, World!") == "72d3162e-cc78"


@pytest.mark.parametrize("off", [-301, 301])
def test_a_timestamp_in_the_signature_s_header_is_held_to_the_tolerance(off: int) -> None:
    with pytest.raises(BadSignature):
        let_in(STRIPE, stripe_headers(NOW + off), [KEY])
    assert let_in(STRIPE, stripe_headers(NOW + off // 2), [KEY])


def test_two_timestamps_in_one_header_are_refused() -> None:
    joined = stripe_headers()["Stripe-Signature"]
    with pytest.raises(BadSignature):
        let_in(STRIPE, {"stripe-signature": f"{joined},t={NOW}"}, [KEY])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"signed": "{timestamp}"}, "body"),
        ({"signed": "{body}", "timestamp_header": "x-t"}, "signed"),
        ({"signed": "{timestamp}.{body}"}, "timestamp"),
        ({"signed": "{id}{body}", "id_header": "x-i"}, "mark"),
        ({"signed": "{id}a{body}", "id_header": "x-i"}, "mark"),
        ({"signed": "{id}.{body}"}, "id_header"),
        ({"signed": "{body}{body}"}, "once"),
        ({"signed": "{url}{body}"}, "places"),
        ({"tolerance": 301}, "tolerance"),
        ({"tolerance": 0}, "tolerance"),
        ({"tolerance": True}, "tolerance"),
        ({"algorithm": "md5"}, "algorithm"),
        ({"algorithm": "none"}, "encoding"),
        ({"encoding": "text"}, "encoding"),
        ({"header": "X Sig"}, "header"),
        ({"timestamp_prefix": "t=", "signed": "{timestamp}.{body}"}, "delimiter"),
        ({"challenge_token": "t"}, "challenge"),
        ({"secret": "s"}, "parameter"),
        ({"algorithm": ["sha256"]}, "algorithm"),
    ],
)
def test_parameters_that_would_trust_what_is_not_signed_are_no_scheme(
    change: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadScheme, match=why):
        read_scheme({"header": "x-sig", **change})


def test_a_stored_entry_with_bad_parameters_has_no_secret() -> None:
    entry = {"scheme": {"header": "x-sig", "tolerance": 10**6}, "secrets": [KEY]}
    assert Signing.read(entry).secrets == ()
    stored = {"scheme": dict(SHOPIFY), "secrets": [KEY]}
    assert Signing.read(stored).scheme == read_scheme(SHOPIFY)


@pytest.mark.parametrize("said", [STRIPE, GITHUB, SHOPIFY, BEARER, BASIC, *SCHEMES.values()])
def test_what_we_sign_by_a_scheme_is_let_in_by_it(said: Any) -> None:
    secret = "whsec_" + base64.b64encode(bytes(32)).decode() if said in SCHEMES.values() else KEY
    headers = signed_headers(said, secret=secret, delivery_id="d-1", timestamp=NOW, body=BODY)
    assert let_in(said, headers, [secret])
    assert read_scheme(parameters(read_scheme(said))) == read_scheme(said)


def signed_by(key: bytes, signature: bytes) -> bool:
    shown = "v1a," + base64.b64encode(signature).decode()
    headers = {**ed25519_headers(), "webhook-signature": shown}
    try:
        let_in(ASYMMETRIC, headers, ["whpk_" + base64.b64encode(key).decode()])
    except BadSignature:
        return False
    return True


def test_a_public_key_lets_in_what_its_owner_signed_and_nothing_else() -> None:
    good = base64.b64decode(ed25519_headers()["webhook-signature"].rpartition("v1a,")[2])
    assert signed_by(PUBLIC, good)
    changed = good[:-1] + bytes([good[-1] ^ 1])
    for bad in (changed, good[:-1], good + b"\0", good[:32] + bytes(32), bytes(64), b""):
        assert not signed_by(PUBLIC, bad)
    for key in (bytes(32), b"\xff" * 32, PUBLIC[:31], PUBLIC + b"\0"):
        assert not signed_by(key, good)
    # With the neutral point as its key, anything could be signed.
    neutral = (1).to_bytes(32, "little")
    assert not signed_by(neutral, neutral + bytes(32))


class OneSecret:
    def __init__(self, scheme: Any) -> None:
        self.signing = Signing(read_scheme(scheme), (KEY,))

    def get(self, connection_id: str, *, now: float) -> Signing:
        return self.signing

    def refresh(self, *, now: float) -> bool:
        return False


def ask(scheme: Any, query: dict[str, str]) -> Any:
    request = Request("GET", "shop", {}, b"", query)
    return receive(request, secrets=OneSecret(scheme), inbox=None, now=NOW)  # type: ignore[arg-type]


def test_a_challenge_is_answered_with_its_own_words_as_plain_text() -> None:
    scheme = {**SHOPIFY, "challenge": "hub.challenge", "challenge_token": "hub.verify_token"}
    good = {"hub.challenge": "1158201444", "hub.verify_token": KEY}
    answer = ask(scheme, good)
    assert (answer.status, answer.text) == (200, "1158201444")
    for query in (
        {**good, "hub.verify_token": "another"},
        {"hub.challenge": "1158201444"},
        {**good, "hub.challenge": "<script>"},
        {**good, "hub.challenge": "x" * 300},
        {"x": "y"},
    ):
        assert (ask(scheme, query).status, ask(scheme, query).text) == (405, None)
    assert ask(SHOPIFY, good).status == 405
    with pytest.raises(BadSignature):
        answer_challenge(read_scheme(SHOPIFY), query=good, secrets=[KEY])
