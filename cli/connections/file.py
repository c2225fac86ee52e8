"""Reads connections.yaml and reports all errors at once, each with its line and what to do."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from cli.connections.file_schema import SHAPES, DeclaredConnection, DeclaredFile
from cli.connections.provider_defaults import profile_of, scheme_of
from cli.connections.secret_references import SecretReader, UnreadableReference
from cli.connections.signing_forms import is_signing_secret, what_it_takes
from cli.connections.yaml_positions import BadYaml, Positions, read_yaml
from cli.errors import InvalidFile, Problem
from milepost.common.business_days import UnknownCountry, UnknownRegion, business_days_of
from milepost.common.http_headers import is_header_value
from milepost.connections.connection import CommissionTerms
from milepost.connections.default_settings import COUNTRY
from milepost.connections.matching_terms import repeated_terms
from milepost.connections.tracks import BUSINESS
from milepost.notifications.chat.addresses import check_webhook
from milepost.notifications.endpoints.addresses import Refused
from milepost.notifications.endpoints.secret_rotation import KEY_BYTES, has_right_length
from milepost.notifications.notice import CHATS
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS

_NOT_WRITTEN: Final = frozenset({"[key]", "[one]", "[several]"})
"""Parts of a place that pydantic adds, and that aren't in the file."""
_WORDS: Final[Mapping[str, str]] = {
    "missing": "is missing: add it",
    "string_type": "must be text: put the value in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "list_type": "must be a list: begin each entry with a dash",
    "dict_type": "must be keys with values",
    "model_type": "must be keys with values",
    "string_too_short": "is empty: fill it in, or leave it out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The resolved references of a connection; None for signing secrets that the file leaves
    out.
    """

    # A traceback or a log that shows the object must not show what is in it.
    credentials: Mapping[str, str] = field(repr=False)
    signing: tuple[str, ...] | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSecrets:
    """All resolved references of a file: by connection, and by the position of a subscription.

    ``endpoints`` has the secrets of endpoints and the addresses of chats' webhooks.
    """

    connections: Mapping[str, Secrets]
    endpoints: Mapping[int, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsFile:
    """A file that is valid by itself."""

    path: Path
    declared: DeclaredFile
    positions: Positions

    def read_secrets(self, *, literals: bool) -> FileSecrets:
        """Every secret that the file references.

        :param literals: whether values may be in the file itself
        :raises InvalidFile: when a reference leads nowhere, or to what can't be a secret
        """
        reader = SecretReader(directory=self.path.parent, literals=literals)
        problems: list[Problem] = []
        found = {
            one.id: _read_secrets(_Entry(self, index, one), reader, problems)
            for index, one in enumerate(self.declared.connections)
        }
        endpoints = _read_endpoint_secrets(self, reader, problems)
        if problems:
            raise InvalidFile(self.path, problems)
        return FileSecrets(connections=found, endpoints=endpoints)

    def beside(self, path: str) -> Path:
        """The path of a file that the file names."""
        return self.path.parent / Path(path).expanduser()

    def problem(self, place: tuple[str | int, ...], what: str) -> Problem:
        """An error at a position in this file."""
        names = [one.id for one in self.declared.connections]
        return Problem(where=_describe(place, names), what=what, line=self.positions.line_of(place))


def read_file(path: Path) -> ConnectionsFile:
    """Read and check a file, without reading the values of secrets.

    :raises InvalidFile: with all that is wrong in it
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InvalidFile(path, [Problem(where="", what=f"can't be read: {reason}")]) from None
    try:
        content, positions = read_yaml(text)
    except BadYaml as error:
        raise InvalidFile(path, [Problem(where="", what=str(error), line=error.line)]) from None
    try:
        declared = DeclaredFile.model_validate(content)
    except ValidationError as error:
        raise InvalidFile(path, _problems_of(error, content, positions)) from None
    file = ConnectionsFile(path=path, declared=declared, positions=positions)
    if problems := [*_repeated_ids(file), *_unknown_places(file), *_repeated_terms(file)]:
        raise InvalidFile(path, problems)
    return file


def _repeated_ids(file: ConnectionsFile) -> Iterator[Problem]:
    counts = Counter(one.id for one in file.declared.connections)
    for index, one in enumerate(file.declared.connections):
        if counts[one.id] > 1:
            what = f"{one.id} is the id of {counts[one.id]} connections: give each its own id"
            yield file.problem(("connections", index, "id"), what)


def _unknown_places(file: ConnectionsFile) -> Iterator[Problem]:
    """Countries and regions with unknown holidays, if business days are counted there."""
    for index, one in enumerate(file.declared.connections):
        if one.stage_days_count != BUSINESS and one.region is None:
            continue
        try:
            business_days_of(one.country or COUNTRY, one.region)
        except UnknownCountry as unknown:
            yield file.problem(("connections", index, "country"), str(unknown))
        except UnknownRegion as unknown:
            yield file.problem(("connections", index, "region"), str(unknown))


def _repeated_terms(file: ConnectionsFile) -> Iterator[Problem]:
    """Two commission terms for the same orders, so that it would be unclear which one applies."""
    for index, one in enumerate(file.declared.connections):
        place = repeated_terms(
            [
                CommissionTerms(
                    amount="", currency="", supplier=terms.supplier, service=terms.service
                )
                for terms in one.commission_terms
            ]
        )
        if place is not None:
            what = "is for the same supplier and service as earlier terms: keep one of them"
            yield file.problem(("connections", index, "commission", place), what)


def _problems_of(error: ValidationError, content: Any, positions: Positions) -> list[Problem]:
    names = _names_in(content)
    return [
        Problem(
            where=_describe(place, names),
            what=_in_words(one["type"], one["msg"], place),
            line=positions.line_of(place),
        )
        for one in error.errors(include_url=False, include_input=False)
        for place in [tuple(part for part in one["loc"] if part not in _NOT_WRITTEN)]
    ]


def _names_in(content: Any) -> list[str | None]:
    """The ids of the file's connections, even if everything else is wrong."""
    entries = content.get("connections") if isinstance(content, dict) else None
    entries = entries if isinstance(entries, list) else []
    ids = [entry.get("id") if isinstance(entry, dict) else None for entry in entries]
    return [name if isinstance(name, str) else None for name in ids]


def _in_words(kind: str, message: str, place: tuple[str | int, ...]) -> str:
    if kind == "extra_forbidden":
        return f"is no setting{_meant(place)}"
    if kind == "list_type" and place == ("connections",):
        return 'must be a list: begin each connection with "- id: ..."'
    if kind == "string_pattern_mismatch" and place[-1] == "id":
        return "must be up to 40 of a-z, 0-9 and dashes, and must not begin with a dash"
    return _WORDS.get(kind, message.removeprefix("Value error, "))


def _meant(place: tuple[str | int, ...]) -> str:
    shape = SHAPES.get(tuple(part for part in place[:-1] if isinstance(part, str)))
    known = list(shape.model_fields) if shape else []
    near = difflib.get_close_matches(str(place[-1]), known, n=1)
    if near:
        return f": did you mean {near[0]}?"
    return f": there are {', '.join(known)}" if known else ""


def _describe(place: tuple[str | int, ...], names: list[str] | list[str | None]) -> str:
    """``connections[1] (rabot-de).base_url``: the position, with the connection's id."""
    parts: list[str] = []
    for index, part in enumerate(place):
        if isinstance(part, str):
            parts.append(f".{part}" if parts else part)
            continue
        parts.append(f"[{part}]")
        if place[index - 1] == "connections" and index == 1 and part < len(names) and names[part]:
            parts.append(f" ({names[part]})")
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Entry:
    file: ConnectionsFile
    index: int
    declared: DeclaredConnection

    def problem(self, place: tuple[str | int, ...], what: str) -> Problem:
        return self.file.problem(("connections", self.index, *place), what)


def _read_secrets(entry: _Entry, reader: SecretReader, problems: list[Problem]) -> Secrets:
    credentials = dict[str, str]()
    known = profile_of(entry.declared.provider).credentials
    for name, reference in entry.declared.credentials.items():
        place = ("credentials", name)
        if known and name not in known:
            what = f"is not a credential of {entry.declared.provider}: it needs {', '.join(known)}"
            problems.append(entry.problem(place, what))
            continue
        try:
            credentials[name] = reader.read(reference)
        except UnreadableReference as error:
            problems.append(entry.problem(place, str(error)))
            continue
        if not is_header_value(credentials[name]):
            problems.append(entry.problem(place, _NO_HEADER_VALUE))
    return Secrets(credentials=credentials, signing=_read_signing(entry, reader, problems))


def _read_signing(
    entry: _Entry, reader: SecretReader, problems: list[Problem]
) -> tuple[str, ...] | None:
    if entry.declared.signing is None:
        return None
    scheme = scheme_of(entry.declared.provider) or ""
    found: list[str] = []
    for index, reference in enumerate(entry.declared.signing.secrets):
        place = ("signing", "secrets", index)
        try:
            found.append(reader.read(reference))
        except UnreadableReference as error:
            problems.append(entry.problem(place, str(error)))
            continue
        if not is_signing_secret(scheme, found[-1]):
            problems.append(entry.problem(place, _no_signing_secret(scheme)))
    return tuple(found)


def _read_endpoint_secrets(
    file: ConnectionsFile, reader: SecretReader, problems: list[Problem]
) -> dict[int, str]:
    found = dict[int, str]()
    for index, one in enumerate(file.declared.subscriptions):
        if one.channel in CHATS:
            _read_webhook(file, index, reader, problems, found)
            continue
        if one.secret is None:
            continue
        place = ("subscriptions", index, "secret")
        try:
            found[index] = reader.read(one.secret)
        except UnreadableReference as error:
            problems.append(file.problem(place, str(error)))
            continue
        if not is_signing_secret(STANDARD_WEBHOOKS, found[index]):
            problems.append(file.problem(place, _no_signing_secret(STANDARD_WEBHOOKS)))
        elif not has_right_length(found[index]):
            least, most = KEY_BYTES
            what = f"must have {least} to {most} bytes, as the secret of an endpoint"
            problems.append(file.problem(place, what))
    return found


def _read_webhook(
    file: ConnectionsFile,
    index: int,
    reader: SecretReader,
    problems: list[Problem],
    found: dict[int, str],
) -> None:
    """The address of a chat's webhook, from its reference."""
    one = file.declared.subscriptions[index]
    place = ("subscriptions", index, str(one.channel))
    try:
        address = reader.read(one.slack or one.teams or "")
        # It is unknown here for which stack it is.
        check_webhook(address, channel=one.channel, allow_private=True)
    except (UnreadableReference, Refused) as error:
        problems.append(file.problem(place, str(error)))
        return
    found[index] = address


_NO_HEADER_VALUE: Final = (
    "can't be sent in an HTTP header: it has a line break, a control "
    "character, or a character that is not in Latin-1"
)


def _no_signing_secret(scheme: str) -> str:
    return f"is not a signing secret: {what_it_takes(scheme)}"
