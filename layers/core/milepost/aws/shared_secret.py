"""One secret in Secrets Manager with many entries, as a JSON object."""

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import uuid4

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

Entries: TypeAlias = dict[str, Any]

STAGE: Final = "MILEPOST_NEXT"
"""The staging label of a version that is written and is not yet the current one."""
MOST_TRIES: Final = 12
_LOST: Final = frozenset({"InvalidParameterException", "ResourceNotFoundException"})
_TOKEN: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+)', re.DOTALL)


class NotOneObject(ValueError):
    """The secret is not one JSON object."""


class ManyWriters(Exception):
    """Each attempt failed because other processes wrote the secret; repeat it."""


@dataclass(frozen=True, slots=True, repr=False)
class Unreadable:
    """An entry that is not JSON, in its stored form: it is written back unchanged, and not used."""

    text: str


def read_entries(text: str) -> Entries:
    """Every entry, each read separately: one that is not JSON is ``Unreadable``.

    :raises NotOneObject: when it can't be determined where an entry ends
    """
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        entries = _read_each(text)
    if not isinstance(entries, dict):
        raise NotOneObject("it does not hold one JSON object")
    return entries


def write_entries(entries: Mapping[str, Any]) -> str:
    """The text of the secret, from the entries that ``read_entries`` returned."""
    members = (
        f"{json.dumps(name)}: "
        + (value.text if isinstance(value, Unreadable) else json.dumps(value, sort_keys=True))
        for name, value in sorted(entries.items())
    )
    return "{" + ", ".join(members) + "}"


def _read_each(text: str) -> Entries:
    entries: Entries = {}
    for name, value in _members(text):
        entries[name] = Unreadable(value) if name in entries else _value(value)
    return entries


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable(text)


def _members(text: str) -> Iterator[tuple[str, str]]:
    """Names and values as text, split at the outermost commas and colons."""
    place, depth, name, begins = 0, 0, "", 0
    for sign, ends in _tokens(text):
        if depth == 0 and (place or sign != "{"):
            raise NotOneObject("it does not hold one JSON object")
        if depth == 1 and sign == ":" and not name:
            name, begins = _name(text[begins:place]), ends
        elif depth == 1 and sign in (",", "}"):
            if name:
                yield name, text[begins : ends - 1].strip()
            elif text[begins : ends - 1].strip():
                raise NotOneObject("it does not hold one JSON object")
            name, begins = "", ends
        depth += (sign in ("{", "[")) - (sign in ("}", "]"))
        begins = ends if place == 0 else begins
        place = ends
    if depth != 0 or not place:
        raise NotOneObject("it does not hold one JSON object")


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    place, last = 0, len(text.rstrip())
    while place < last:
        found = _TOKEN.match(text, place)
        if found is None:
            raise NotOneObject("it does not hold one JSON object")
        place = found.end()
        yield found[1], place


def _name(text: str) -> str:
    name = _value(text)
    if not isinstance(name, str) or not name:
        raise NotOneObject("it does not hold one JSON object")
    return name


class SharedSecret:
    """The entries of one secret, which other processes may write at the same time."""

    def __init__(
        self,
        client: "SecretsManagerClient",
        *,
        secret_id: str,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._pause = pause

    def read(self) -> Entries:
        """Every entry.

        :raises NotOneObject: when something else is there
        """
        return self._read()[0]

    def change(self, change: Callable[[Entries], None]) -> Entries:
        """Read the entries, pass them to ``change``, and write them if they differ.

        Concurrent changes are never overwritten: the new version is written beside the current one,
        and takes its place only if that is still the one that was read. Otherwise everything is
        repeated, so ``change`` may be called several times.

        :raises NotOneObject: when something else is there
        :raises ManyWriters: when others were faster each time
        """
        for attempt in range(MOST_TRIES):
            entries, version = self._read()
            before = write_entries(entries)
            change(entries)
            after = write_entries(entries)
            if after == before or self._replace(version, after):
                return entries
            # Random waits, so that two writers don't conflict again.
            self._pause(random.uniform(0, min(0.1 * 2**attempt, 3)))  # noqa: S311 - no secret
        raise ManyWriters(
            f"others are writing the secret {self._secret_id} at the moment: try again"
        )

    def _read(self) -> tuple[Entries, str]:
        answer = self._client.get_secret_value(SecretId=self._secret_id)
        try:
            return read_entries(answer.get("SecretString", "")), answer["VersionId"]
        except NotOneObject:
            raise NotOneObject(
                f"The secret {self._secret_id} does not hold one JSON object. Put an earlier "
                "version of it back in Secrets Manager, then repeat this."
            ) from None

    def _replace(self, version: str, text: str) -> bool:
        """Make this the current version if ``version`` is still the current one; returns whether it
        was.

        Source: AWS Secrets Manager API, UpdateSecretVersionStage: when the label is attached to
        another version than RemoveFromVersionId, the operation fails.
        """
        token = str(uuid4())
        self._client.put_secret_value(
            SecretId=self._secret_id,
            SecretString=text,
            ClientRequestToken=token,
            VersionStages=[STAGE],
        )
        try:
            self._client.update_secret_version_stage(
                SecretId=self._secret_id,
                VersionStage="AWSCURRENT",
                MoveToVersionId=token,
                RemoveFromVersionId=version,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _LOST:
                # It may have succeeded already: the SDK repeats a request whose response was lost.
                return self._read()[1] == token
            raise
        return True
