"""Keys that sign links in mails and cursors of lists."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from milepost.aws.cached_reader import CachedReader

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_VERSIONS: Final = ("AWSCURRENT", "AWSPREVIOUS")


class NoKey(Exception):
    """The signing key can't be read, so nothing can be signed or verified."""


class KeysStore:
    """The keys of one secret, read at most every 5 minutes; the first one signs.

    The previous version verifies too, so that links and cursors from before a rotation stay valid.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        *,
        secret_id: str,
        clock: Callable[[], float],
        of: str,
        unreadable: type[Exception] = NoKey,
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._of = of
        self._unreadable = unreadable
        self._keys = CachedReader(self._read_all, clock=clock)

    def keys(self) -> Sequence[bytes]:
        # If the secret can't be read, the keys that were read before may have been revoked since:
        # the error is raised instead.
        return self._keys.get()

    def _read_all(self) -> tuple[bytes, ...]:
        found = [self._read(version) for version in _VERSIONS]
        return tuple(key for key in found if key)

    def _read(self, version: str) -> bytes | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=version)
            key: bytes = answer["SecretString"].encode()
        except (BotoCoreError, ClientError, ResponseParserError, KeyError) as error:
            if version == "AWSPREVIOUS" and _is_missing(error):
                return None
            raise self._unreadable(f"the secret that signs {self._of} can't be read") from None
        if not key:
            raise self._unreadable(f"the secret that signs {self._of} is empty")
        return key


def _is_missing(error: Exception) -> bool:
    return (
        isinstance(error, ClientError)
        and error.response["Error"]["Code"] == "ResourceNotFoundException"
    )
