"""Encryption of the tokens that sessions keep.

The key of each session follows from its id, which the browser alone has: the table has the id's
digest. So whoever reads the table, our own code included, can't decrypt a token until the browser
comes with its cookie, and there is no key to keep, to rotate or to pay for.
"""

import base64
import hashlib
from typing import Final

from milepost.console.sessions import Refused

_PURPOSE: Final = b"milepost-refresh"
"""Makes the key differ from all else that is computed from the id. 16 bytes at most."""


class SessionSealing:
    """Implements ``sessions.Sealing`` with libsodium's secretbox (XSalsa20 and Poly1305).

    The library is imported by the first that needs it: most requests do not.
    """

    def seal(self, token: str, *, session_id: str) -> str:
        """The token, encrypted for this session, as base64."""
        from nacl.secret import SecretBox  # noqa: PLC0415

        return base64.b64encode(SecretBox(_key_of(session_id)).encrypt(token.encode())).decode()

    def unseal(self, sealed: str, *, session_id: str) -> str:
        """The token again.

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
    """256 bits, from an id that has as many (``sessions.new_id``)."""
    return hashlib.blake2b(session_id.encode(), digest_size=32, person=_PURPOSE).digest()
