"""Signature schemes of webhooks, defined by parameters instead of code for each provider.

A provider with code names one of ``SCHEMES``; a declared provider sets the parameters itself. They
are stored beside a connection's signing secrets. Imports only the standard library, since it runs
for every received webhook.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

STANDARD_WEBHOOKS: Final = "standard-webhooks"
SPIRII: Final = "spirii"

TOLERANCE_SECONDS: Final = 300
"""How many seconds the timestamp of a webhook may differ from now, at most and by default."""

ALGORITHMS: Final = frozenset({"sha1", "sha256", "sha512", "ed25519", "none"})
"""``none`` compares the header with the secret itself, as for bearer tokens and basic
authentication."""
ENCODINGS: Final = frozenset({"hex", "base64", "text"})
KEYS: Final = frozenset({"text", "hex", "base64", "whsec"})
TIMESTAMP_UNITS: Final = frozenset({"seconds", "milliseconds"})
_HEADER: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,80}")
_SHORT: Final = re.compile(r"[\x20-\x7e]{0,40}")
_PLACE: Final = re.compile(r"\{(id|timestamp|body)\}")
_JOINS_NOTHING: Final = re.compile(r"[^A-Za-z0-9_{}-][^{}]*")


class BadScheme(ValueError):
    """Invalid parameters of a scheme; the message names them and says what to give instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureScheme:
    """The parameters of one signature scheme. Names of headers are in lower case."""

    header: str
    """The header with the signature."""
    algorithm: str = "sha256"
    """The hash algorithm of the HMAC; or ``ed25519``, whose secrets are public keys; or
    ``none``."""
    encoding: str = "hex"
    """The encoding of the signature: ``hex`` or ``base64``; with the algorithm ``none`` also
    ``text``."""
    key: str = "text"
    """The encoding of a secret; ``whsec`` is base64 after ``whsec_`` or ``whpk_``."""
    signed: str = "{body}"
    """The signed content: ``{id}``, ``{timestamp}`` and ``{body}``, with the text between them."""
    prefix: str = ""
    """The text before each signature, such as ``sha256=`` or ``v1,``; signatures with another
    prefix are ignored."""
    delimiter: str = ""
    """The separator between several signatures in the header; without one, there is exactly one
    signature."""
    timestamp_header: str | None = None
    timestamp_prefix: str | None = None
    """The text before the timestamp if the signature's header contains it, such as ``t=``."""
    timestamp_unit: str = "seconds"
    tolerance: int = TOLERANCE_SECONDS
    """How many seconds a timestamp may differ from now; at most five minutes."""
    id_header: str | None = None
    """The header with the delivery's id; None: the id is a hash of the body."""
    challenge: str | None = None
    """The query parameter of a GET request whose value is sent back."""
    challenge_token: str | None = None
    """The query parameter of that request that has to contain one of the secrets."""

    @property
    def has_timestamp(self) -> bool:
        return self.timestamp_header is not None or self.timestamp_prefix is not None


def read_scheme(said: object) -> SignatureScheme:
    """A scheme by its name, or from its parameters.

    :raises BadScheme: when it is invalid, or would trust a part that isn't signed
    """
    if isinstance(said, SignatureScheme):
        return said
    if isinstance(said, str):
        if said in SCHEMES:
            return SCHEMES[said]
        raise BadScheme(f"there is no scheme of this name: there are {', '.join(SCHEMES)}")
    if not isinstance(said, Mapping):
        raise BadScheme("neither the name of a scheme nor its parameters")
    known = {one.name for one in fields(SignatureScheme)}
    for name in said:
        if name not in known:
            raise BadScheme(f"{name} is no parameter: there are {', '.join(sorted(known))}")
    if "header" not in said:
        raise BadScheme("header is missing: say which header has the signature")
    scheme = SignatureScheme(**said)
    _check(scheme)
    return scheme


def parameters(scheme: "str | SignatureScheme") -> Any:
    """The stored form of a scheme: its name, or the parameters that differ from the defaults."""
    if isinstance(scheme, str):
        return scheme
    bare = SignatureScheme(header=scheme.header)
    said = {one.name: getattr(scheme, one.name) for one in fields(SignatureScheme)}
    return {k: v for k, v in said.items() if k == "header" or v != getattr(bare, k)}


def _check(scheme: SignatureScheme) -> None:
    _one_of("algorithm", scheme.algorithm, ALGORITHMS)
    _one_of("encoding", scheme.encoding, ENCODINGS)
    _one_of("key", scheme.key, KEYS)
    _one_of("timestamp_unit", scheme.timestamp_unit, TIMESTAMP_UNITS)
    for name in ("header", "timestamp_header", "id_header"):
        value = getattr(scheme, name)
        if value is not None and not (isinstance(value, str) and _HEADER.fullmatch(value)):
            raise BadScheme(f"{name} must be the name of a header in lower case")
    for name in ("prefix", "delimiter", "timestamp_prefix", "challenge", "challenge_token"):
        value = getattr(scheme, name)
        if value is not None and not (isinstance(value, str) and _SHORT.fullmatch(value)):
            raise BadScheme(f"{name} must be a text of up to 40 printable ASCII characters")
    is_whole = isinstance(scheme.tolerance, int) and not isinstance(scheme.tolerance, bool)
    if not is_whole or not 1 <= scheme.tolerance <= TOLERANCE_SECONDS:
        raise BadScheme(f"tolerance must be 1 to {TOLERANCE_SECONDS} seconds")
    _check_combination(scheme)
    if scheme.algorithm != "none":
        _check_signed(scheme)


def _check_combination(scheme: SignatureScheme) -> None:
    if (scheme.encoding == "text") != (scheme.algorithm == "none" and scheme.encoding != "base64"):
        raise BadScheme("encoding text goes with algorithm none, and none goes with text or base64")
    if scheme.algorithm == "none":
        if scheme.has_timestamp or scheme.key != "text":
            raise BadScheme("with algorithm none nothing is signed: leave out key and timestamp")
        return
    if scheme.timestamp_header and scheme.timestamp_prefix is not None:
        raise BadScheme("give either timestamp_header or timestamp_prefix")
    if scheme.timestamp_prefix == "" or (scheme.timestamp_prefix and not scheme.delimiter):
        raise BadScheme("timestamp_prefix needs a text, and a delimiter that parts it off")
    if scheme.timestamp_prefix and scheme.timestamp_prefix == scheme.prefix:
        raise BadScheme("prefix and timestamp_prefix must differ")
    if scheme.challenge_token and not scheme.challenge:
        raise BadScheme("challenge_token goes with challenge")


def _check_signed(scheme: SignatureScheme) -> None:
    """Check that the signed content separates its parts, and includes every part that is relied
    on."""
    if not isinstance(scheme.signed, str) or not _SHORT.fullmatch(scheme.signed):
        raise BadScheme("signed must be a text such as {timestamp}.{body}")
    literals, names = _PLACE.split(scheme.signed)[::2], _PLACE.findall(scheme.signed)
    if any("{" in one or "}" in one for one in literals):
        raise BadScheme("signed has {id}, {timestamp} and {body}, and no other places")
    if names.count("body") != 1 or len(set(names)) != len(names):
        raise BadScheme("signed must have {body} once, and each other place at most once")
    if ("timestamp" in names) != scheme.has_timestamp:
        raise BadScheme("a timestamp must be signed, and what is signed needs its header")
    if "id" in names and scheme.id_header is None:
        raise BadScheme("signed has {id}: say its id_header")
    for name, behind, following in zip(names, literals[1:], [*names[1:], ""], strict=True):
        is_apart = not following or bool(_JOINS_NOTHING.fullmatch(behind))
        if name == "id" and not is_apart:
            raise BadScheme("signed needs a mark such as a dot behind {id}")
        if name == "body" and following and not is_apart:
            raise BadScheme("signed needs a mark such as a dot behind {body}")


def _one_of(name: str, value: object, allowed: frozenset[str]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise BadScheme(f"{name} must be one of {', '.join(sorted(allowed))}")


SCHEMES: Final[Mapping[str, SignatureScheme]] = {
    STANDARD_WEBHOOKS: SignatureScheme(
        header="webhook-signature",
        encoding="base64",
        key="whsec",
        signed="{id}.{timestamp}.{body}",
        prefix="v1,",
        delimiter=" ",
        timestamp_header="webhook-timestamp",
        id_header="webhook-id",
    ),
    SPIRII: SignatureScheme(
        header="spirii-signature",
        signed="{timestamp}.{body}",
        timestamp_header="spirii-timestamp",
        id_header="spirii-event-id",
    ),
}
"""Sources: standardwebhooks.com specification; Spirii Business API documentation, "Webhooks"."""
