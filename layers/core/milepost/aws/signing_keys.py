"""Keys that sign links in mails and cursors of lists."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEEP_SECONDS: Final = 300
_VERSIONS: Final = ("AWSCURRENT", "AWSPREVIOUS")


class NoKey(Exception):
    """The key that signs can't be read, so nothing is signed and nothing that was is believed."""


class KeysStore:
    """The keys of one secret, read at most every 5 minutes; the first one signs.

    The version before the current one counts too, so that a rotation breaks nothing that was
    handed out shortly before.
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
        self._clock = clock
        self._of = of
        self._unreadable = unreadable
        self._known: tuple[bytes, ...] = ()
        self._read_at = float("-inf")

    def keys(self) -> Sequence[bytes]:
        if self._clock() - self._read_at > KEEP_SECONDS:
            found = [self._read(version) for version in _VERSIONS]
            self._known = tuple(key for key in found if key)
            self._read_at = self._clock()
        return self._known

    def _read(self, version: str) -> bytes | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=version)
            key: bytes = answer["SecretString"].encode()
        except (BotoCoreError, ClientError, ResponseParserError, KeyError) as error:
            if version == "AWSPREVIOUS" and _is_missing(error):
                return None
            # What was read before may have been revoked since: fail closed.
            self._known = ()
            self._read_at = float("-inf")
            raise self._unreadable(f"the secret that signs {self._of} can't be read") from None
        if not key:
            raise self._unreadable(f"the secret that signs {self._of} is empty")
        return key


def _is_missing(error: Exception) -> bool:
    return (
        isinstance(error, ClientError)
        and error.response["Error"]["Code"] == "ResourceNotFoundException"
    )
