"""Who sent this: every row about headers is one refusal, whatever is wrong."""

import base64
from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.webhooks import signatures
from milepost.webhooks.signature_schemes import SPIRII, STANDARD_WEBHOOKS
from milepost.webhooks.signatures import MOST_SIGNATURES, BadSignature, NoSecret
from milepost.webhooks.signatures import verify as verify_scheme
from tests.signing import OTHER_SECRET, SECRET, spirii_headers, standard_headers, standard_signature

NOW = 1_772_446_200
BODY = b'{"event":"order.status_changed","orderId":"ord-1"}'
GOOD = standard_headers(BODY, timestamp=NOW)
SPIRII_SECRET = "5b1f0c9e-spirii"


def verify(
    headers: Mapping[str, str],
    body: bytes = BODY,
    *,
    secrets: Sequence[str] = (SECRET,),
    now: float = NOW,
) -> str:
    return verify_scheme(STANDARD_WEBHOOKS, headers=headers, body=body, secrets=secrets, now=now)


def refused(headers: Mapping[str, str], body: bytes = BODY, **how: object) -> None:
    with pytest.raises(BadSignature) as refusal:
        verify(headers, body, **how)  # type: ignore[arg-type]
    assert str(refusal.value) == ""


def test_a_signed_delivery_is_let_in_with_its_id() -> None:
    assert verify(GOOD) == "msg_2Kq"


@pytest.mark.parametrize("change", [str.upper, str.title, str.swapcase])
def test_header_names_come_in_any_case(change: object) -> None:
    assert verify({change(name): value for name, value in GOOD.items()})  # type: ignore[operator]


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_header_is_refused(name: str) -> None:
    refused({other: value for other, value in GOOD.items() if other != name})


@pytest.mark.parametrize("name", sorted(GOOD))
def test_an_empty_header_is_refused(name: str) -> None:
    refused({**GOOD, name: ""})


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_header_repeated_in_other_letters_is_refused(name: str) -> None:
    refused({**GOOD, name.upper(): GOOD[name]})


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_header_repeated_and_joined_by_the_gateway_is_refused(name: str) -> None:
    refused({**GOOD, name: f"{GOOD[name]},{GOOD[name]}"})


@pytest.mark.parametrize("name", sorted(GOOD))
@pytest.mark.parametrize("value", ["é", "\uff11\uff12", "\x00", " ", "\ud800", "\U0001d7d9"])
def test_a_header_of_strange_characters_is_refused(name: str, value: str) -> None:
    refused({**GOOD, name: value})
    refused({**GOOD, name: GOOD[name] + value})


@pytest.mark.parametrize(
    "signature",
    [
        "v1",
        "v1:" + GOOD["webhook-signature"][3:],
        GOOD["webhook-signature"] + ",",
        "v1," + GOOD["webhook-signature"],
        "v1,not base64!",
        "v1,====",
        "v1,",
        "v1," + GOOD["webhook-signature"][3:-4],
        "v2," + GOOD["webhook-signature"][3:],
        "V1," + GOOD["webhook-signature"][3:],
        GOOD["webhook-signature"][3:],
        GOOD["webhook-signature"] + "\n",
        GOOD["webhook-signature"] + " v1,bad base64",
        "v1,\u00e9\u00e9",
    ],
)
def test_a_malformed_signature_is_refused(signature: str) -> None:
    refused({**GOOD, "webhook-signature": signature})


def test_the_right_one_of_several_signatures_is_found() -> None:
    wrong = standard_signature(BODY, secret=OTHER_SECRET, timestamp=NOW)
    future = "v1a," + base64.b64encode(b"asymmetric").decode()
    signatures = f"{wrong} {future} {GOOD['webhook-signature']}"
    assert verify({**GOOD, "webhook-signature": signatures})


def test_more_than_one_space_between_signatures_is_one() -> None:
    wrong = standard_signature(BODY, secret=OTHER_SECRET, timestamp=NOW)
    assert verify({**GOOD, "webhook-signature": f"{wrong}  {GOOD['webhook-signature']}"})
    refused({**GOOD, "webhook-signature": f"{wrong}   {wrong}"})


@pytest.mark.parametrize("apart", ["\t", "\n", ", ", "\u00a0", ";"])
def test_signatures_are_parted_by_nothing_but_spaces(apart: str) -> None:
    refused({**GOOD, "webhook-signature": apart.join([GOOD["webhook-signature"]] * 2)})


def test_as_many_signatures_as_are_looked_at_are_let_in() -> None:
    wrong = standard_signature(BODY, secret=OTHER_SECRET, timestamp=NOW)
    signatures = [wrong] * (MOST_SIGNATURES - 1) + [GOOD["webhook-signature"]]
    assert verify({**GOOD, "webhook-signature": " ".join(signatures)})


@pytest.mark.parametrize("count", [MOST_SIGNATURES + 1, 10_000])
def test_more_signatures_than_are_looked_at_are_refused(count: int) -> None:
    refused({**GOOD, "webhook-signature": " ".join([GOOD["webhook-signature"]] * count)})


@pytest.mark.parametrize("off", [-300, -299, 0, 299, 300])
def test_a_timestamp_within_five_minutes_is_let_in(off: int) -> None:
    assert verify(standard_headers(BODY, timestamp=NOW + off))


@pytest.mark.parametrize("off", [-301, 301, -86_400, 86_400])
def test_a_timestamp_more_than_five_minutes_off_is_refused(off: int) -> None:
    refused(standard_headers(BODY, timestamp=NOW + off))


@pytest.mark.parametrize(
    "timestamp",
    ["1.9", "1_7", " 17", "17 ", "+17", "-17", "0x11", "1e9", "nan", "", "9" * 5_000,
     f"{NOW}.0", f" {NOW}", f"{NOW}_0", f"+{NOW}"],
)  # fmt: skip
def test_a_timestamp_that_is_no_plain_number_is_refused(timestamp: str) -> None:
    refused(standard_headers(BODY, timestamp=timestamp))


@pytest.mark.parametrize(
    "delivery_id", ["msg.2Kq", ".", "msg 2Kq", "msg,2Kq", "msg\n", "x" * 257, "msg/2", "é"]
)
def test_an_id_of_other_characters_is_refused(delivery_id: str) -> None:
    refused(standard_headers(BODY, delivery_id=delivery_id, timestamp=NOW))


def test_bytes_cannot_wander_between_id_timestamp_and_body() -> None:
    signature = standard_signature(b"x." + BODY, delivery_id="a", timestamp=NOW)
    refused({"webhook-id": f"a.{NOW}", "webhook-timestamp": "x", "webhook-signature": signature})


@pytest.mark.parametrize("changed", [BODY + b" ", BODY[:-1], BODY.replace(b":", b": ", 1), b""])
def test_a_body_of_other_bytes_is_refused(changed: bytes) -> None:
    refused(GOOD, changed)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_another_id_or_timestamp_than_was_signed_is_refused(name: str) -> None:
    refused({**GOOD, name: {"webhook-id": "msg_other", "webhook-timestamp": str(NOW + 1)}[name]})


def test_another_connections_secret_is_refused() -> None:
    refused(standard_headers(BODY, secret=OTHER_SECRET, timestamp=NOW))


def test_both_secrets_of_a_rotation_are_let_in_until_the_old_one_ends() -> None:
    old = standard_headers(BODY, secret=OTHER_SECRET, timestamp=NOW)
    assert verify(GOOD, secrets=(SECRET, OTHER_SECRET))
    assert verify(old, secrets=(SECRET, OTHER_SECRET))
    refused(old, secrets=(SECRET,))


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_",), ("whsec_not base64",), (None,)])
def test_without_a_usable_secret_nothing_is_let_in(secrets: tuple[str, ...]) -> None:
    with pytest.raises(NoSecret):
        verify(GOOD, secrets=secrets)


@pytest.mark.parametrize("scheme", [STANDARD_WEBHOOKS, SPIRII])
def test_a_secret_with_half_a_character_lets_nothing_in(scheme: str) -> None:
    with pytest.raises(NoSecret):
        verify_scheme(scheme, headers=GOOD, body=BODY, secrets=("key \ud800",), now=NOW)


def test_an_unknown_scheme_lets_nothing_in() -> None:
    with pytest.raises(NoSecret):
        verify_scheme("none", headers=GOOD, body=BODY, secrets=(SECRET,), now=NOW)


def test_a_secret_may_stand_without_its_prefix() -> None:
    assert verify(GOOD, secrets=(SECRET.removeprefix("whsec_"),))


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, *(name.upper() for name in GOOD), "content-type"]),
        st.one_of(st.text(max_size=40), st.sampled_from(sorted(GOOD.values()))),
        max_size=5,
    )
)
def test_no_headers_give_anything_but_an_id_or_a_refusal(headers: dict[str, str]) -> None:
    try:
        delivery_id = verify(headers)
    except BadSignature:
        return
    assert delivery_id == GOOD["webhook-id"]


def test_spiriis_scheme_is_let_in() -> None:
    headers = spirii_headers(BODY, secret=SPIRII_SECRET, timestamp=NOW)
    assert verify_scheme(SPIRII, headers=headers, body=BODY, secrets=(SPIRII_SECRET,), now=NOW)


@pytest.mark.parametrize("signature", ["", "zz", "abc", "00" * 32, "é" * 64])
def test_spiriis_scheme_refuses_a_wrong_signature(signature: str) -> None:
    headers = spirii_headers(BODY, secret=SPIRII_SECRET, timestamp=NOW)
    headers["Spirii-Signature"] = signature
    with pytest.raises(BadSignature):
        verify_scheme(SPIRII, headers=headers, body=BODY, secrets=(SPIRII_SECRET,), now=NOW)


def test_signatures_are_compared_in_a_time_that_tells_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By hmac.compare_digest alone, of every active secret with every signature, equal or not."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(expected: bytes, given: bytes) -> bool:
        compared.append((expected, given))
        return compare_digest(expected, given)

    monkeypatch.setattr(signatures.hmac, "compare_digest", compare)
    wrong = "v1," + base64.b64encode(bytes(32)).decode()
    headers = {**GOOD, "webhook-signature": f"{GOOD['webhook-signature']} {wrong}"}
    assert verify(headers, secrets=(SECRET, OTHER_SECRET))
    assert len(compared) == 4
    assert {len(expected) for expected, _ in compared} == {32}


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("whsec", lambda said: base64.b64decode(said.removeprefix("whsec_"), validate=True)),
        ("base64", lambda said: base64.b64decode(said, validate=True)),
        ("hex", bytes.fromhex),
    ],
)
def test_a_new_secret_has_the_form_that_its_scheme_reads(
    form: str, read: Callable[[str], bytes]
) -> None:
    made = signatures.make_signing_secret({"header": "x-signature", "key": form})
    assert made.startswith("whsec_") is (form == "whsec")
    assert len(read(made)) == 32
