"""Encrypts the tokens that sessions store.

The key of each session is derived from its id, which only the browser has: the table has a hash of
the id. So a token can be decrypted only during a request of that browser, and there is no key to
store, to rotate or to pay for.
"""

import base64
import hashlib
from typing import Final

from milepost.console.sessions import Refused

_PURPOSE: Final = b"milepost-refresh"
"""Makes the key differ from other values that are derived from the id. 16 bytes at most."""


class SessionSealing:
    """Implements ``sessions.Sealing`` with libsodium's secretbox (XSalsa20 and Poly1305).

    The library is imported at its first use, since most requests don't need it.
    """

    def seal(self, token: str, *, session_id: str) -> str:
        """The token, encrypted for this session, as base64."""
        from nacl.secret import SecretBox  # noqa: PLC0415

        return base64.b64encode(SecretBox(_key_of(session_id)).encrypt(token.encode())).decode()

    def unseal(self, sealed: str, *, session_id: str) -> str:
        """The decrypted token.

        :raises Refused: when it was encrypted for another session, otherwise than here, or changed
        """
        from nacl.exceptions import CryptoError  # noqa: PLC0415
        from nacl.secret import SecretBox  # noqa: PLC0415

        try:
            encrypted = base64.b64decode(sealed, validate=True)
            return SecretBox(_key_of(session_id)).decrypt(encrypted).decode()
        except (CryptoError, ValueError):
            raise Refused("the session's token can't be decrypted") from None


def _key_of(session_id: str) -> bytes:
    """A key of 256 bits, from an id with as many bits (``sessions.new_id``)."""
    return hashlib.blake2b(session_id.encode(), digest_size=32, person=_PURPOSE).digest()
