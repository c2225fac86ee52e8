"""The addresses of the console and of its sign-in pages. Short: two addresses."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """``url`` and ``login`` have no slash at their end."""

    url: str
    """The address of the console's first page, such as ``https://orders.example.org/console``."""
    login: str
    """The address of the user pool's domain."""
    client: str
    """The app client's id."""


class Settings(Protocol):
    """Knows the addresses."""

    def addresses(self) -> Addresses: ...
