"""Ed25519 signatures (RFC 8032), verified. Short of everything else: nothing is signed here.

``cryptography`` would add 12 MB to every function for one scheme that few senders use. A check
handles nothing secret, so that its time may depend on what it is given. Tried against RFC 8032's
vectors and ``cryptography`` in the tests.
"""

import hashlib
from typing import Final, TypeAlias

_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)
_Point: TypeAlias = tuple[int, int, int, int]
"""Extended homogeneous coordinates."""
_NEUTRAL: Final[_Point] = (0, 1, 1, 0)
KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64


def is_signed(*, key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is the one of this message by the owner of the public key."""
    if len(key) != KEY_BYTES or len(signature) != _SIGNATURE_BYTES:
        return False
    owner, commitment = _read_point(key), _read_point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if owner is None or commitment is None or scalar >= _ORDER or _is_small(owner):
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    return _are_same(_times(scalar, _BASE), _sum(commitment, _times(challenge, owner)))


def _sum(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: _Point) -> _Point:
    found = _NEUTRAL
    while scalar:
        if scalar & 1:
            found = _sum(found, point)
        point = _sum(point, point)
        scalar >>= 1
    return found


def _are_same(one: _Point, other: _Point) -> bool:
    return not (
        (one[0] * other[2] - other[0] * one[2]) % _P or (one[1] * other[2] - other[1] * one[2]) % _P
    )


def _is_small(point: _Point) -> bool:
    """Whether it is one of the eight points with which any message could be signed."""
    return _are_same(_times(8, point), _NEUTRAL)


def _read_point(encoded: bytes) -> _Point | None:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= _P:
        return None
    squared = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(squared, (_P + 3) // 8, _P)
    if (x * x - squared) % _P:
        x = x * _ROOT % _P
    if (x * x - squared) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _base() -> _Point:
    point = _read_point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))
    if point is None:
        raise ArithmeticError("the base point is no point")
    return point


_BASE: Final = _base()
