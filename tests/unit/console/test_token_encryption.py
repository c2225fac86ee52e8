"""Tokens in sessions: who can read them, and what becomes of those that nobody can."""

import base64
import hashlib

import pytest

from milepost.console.sessions import Refused, hash_of, new_id
from milepost.console.token_encryption import SessionSealing

SEALING = SessionSealing()
TOKEN = "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0." + "r" * 1_700


def test_a_token_is_read_again_by_its_own_session_and_is_nowhere_in_what_is_kept() -> None:
    session_id = new_id()
    first, second = (SEALING.seal(TOKEN, session_id=session_id) for _ in range(2))
    assert SEALING.unseal(first, session_id=session_id) == TOKEN
    assert first != second
    assert b"eyJjdHki" not in base64.b64decode(first)
    assert b"r" * 8 not in base64.b64decode(first)


def test_what_the_table_knows_of_a_session_does_not_decrypt_its_token() -> None:
    session_id = new_id()
    sealed = SEALING.seal(TOKEN, session_id=session_id)
    for known in (hash_of(session_id), f"session#{hash_of(session_id)}", "", new_id()):
        with pytest.raises(Refused):
            SEALING.unseal(sealed, session_id=known)
    kept = bytes.fromhex(hash_of(session_id))
    derived = hashlib.blake2b(session_id.encode(), digest_size=32, person=b"milepost-refresh")
    assert derived.digest() != kept


@pytest.mark.parametrize(
    "sealed",
    [
        "",
        "plain text",
        "a" * 400,
        base64.b64encode(b"short").decode(),
        # As KMS encrypted tokens: a version before had a key of KMS.
        base64.b64encode(b"\x01\x02\x02\x00" + b"x" * 180).decode(),
        "ümlaut",
    ],
)
def test_a_token_that_was_encrypted_otherwise_is_refused(sealed: str) -> None:
    with pytest.raises(Refused):
        SEALING.unseal(sealed, session_id=new_id())


@pytest.mark.parametrize("place", [0, 23, 24, 40, -1])
def test_a_token_that_was_changed_is_refused(place: int) -> None:
    session_id = new_id()
    changed = bytearray(base64.b64decode(SEALING.seal(TOKEN, session_id=session_id)))
    changed[place] ^= 1
    with pytest.raises(Refused):
        SEALING.unseal(base64.b64encode(changed).decode(), session_id=session_id)
