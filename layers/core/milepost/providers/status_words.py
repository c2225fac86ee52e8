"""Lookup of status words, event names and kinds, the same for every provider. Short: one lookup."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from milepost.common.status import Status, normal_form
from milepost.orders.details import Details

Meaning = TypeVar("Meaning")


class ByStatusWord(Mapping[str, Meaning], Generic[Meaning]):
    """Meanings of a provider's words; case and white space are ignored in a lookup.

    Iterates over the words as the provider documents them. A word with any other difference is
    another word: it isn't found, and never guessed.
    """

    def __init__(self, meanings: Mapping[str, Meaning]) -> None:
        self._words = tuple(meanings)
        self._meanings = {normal_form(word): one for word, one in meanings.items()}
        # Every report of an order is looked up at each of its writes, nearly always as documented.
        self._as_documented = {word: self._meanings[normal_form(word)] for word in meanings}

    def __getitem__(self, word: str) -> Meaning:
        found = self._as_documented.get(word)
        return self._meanings[normal_form(word)] if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)


class StatusTable(ByStatusWord[Status]):
    """The canonical status of each raw status of a provider.

    :param without_meaning: raw statuses that the provider documents and that say nothing of where
        the order stands
    """

    def __init__(
        self, meanings: Mapping[str, Status], *, without_meaning: Iterable[str] = ()
    ) -> None:
        super().__init__(meanings)
        self._without_meaning = frozenset(map(normal_form, without_meaning))

    def documents(self, raw_status: str) -> bool:
        """Whether the provider documents this raw status, with a meaning or without one."""
        return raw_status in self or normal_form(raw_status) in self._without_meaning

    def read_status(self, raw_status: str, _details: Details) -> Status | None:
        """As ``Rules.read_status``, for a provider whose raw status alone decides.

        None if the word isn't in the table.
        """
        return self.get(raw_status)
