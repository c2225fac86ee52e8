"""References to secrets in the file: they say where a value is stored, never the value."""

import os
from dataclasses import dataclass
from pathlib import Path


class UnreadableReference(ValueError):
    """A reference that can't be resolved. The message has its position, never the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReader:
    """Resolves ``env:NAME`` and ``file:PATH``; the path is relative to ``directory``.

    ``literals`` says whether a value may be in the file itself.
    """

    directory: Path
    literals: bool

    def read(self, text: str) -> str:
        """The value of a reference.

        :raises UnreadableReference: when there is none, or a literal where none is allowed
        """
        kind, colon, rest = text.partition(":")
        if colon and kind == "env":
            return self._from_environment(rest.strip())
        if colon and kind == "file":
            return self._from_file(rest.strip())
        if self.literals:
            return text
        raise UnreadableReference(
            "the file may contain a secret itself only for the local stack: "
            "write env:NAME or file:PATH, and change the secret if this file "
            "was ever shared"
        )

    def _from_environment(self, name: str) -> str:
        value = os.environ.get(name, "").strip()
        if not value:
            raise UnreadableReference(
                f"the environment has no {name}: set it, or leave this line out "
                "to keep the stored secret"
            )
        return value

    def _from_file(self, name: str) -> str:
        path = self.directory / Path(name).expanduser()
        try:
            value = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise UnreadableReference(f"{path} can't be read: {reason}") from None
        if not value:
            raise UnreadableReference(f"{path} is empty: put the secret into it")
        return value
