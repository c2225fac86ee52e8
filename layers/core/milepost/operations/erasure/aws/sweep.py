"""The result of searching one place. Short: all places share it."""

from typing import Final

from milepost.operations.erasure.place import Left, Swept
from milepost.operations.erasure.subject import Judgement, Verdict

_MOST_LEFT: Final = 50
"""Maximum number of items of a place that are listed for a person to check; the others are
counted."""


class Sweep:
    """The result of a place so far."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._removed: list[str] = []
        self._left: list[Left] = []
        self._more = 0
        self.is_whole = True

    def is_theirs(self, found: Judgement, where: str) -> bool:
        """Add an item, and whether to remove it."""
        if found.verdict is Verdict.THEIRS:
            self._removed.append(where)
            return True
        if found.verdict is Verdict.UNSURE and len(self._left) < _MOST_LEFT:
            self._left.append(Left(place=self._place, where=where, why=found.why))
        elif found.verdict is Verdict.UNSURE:
            self._more += 1
        return False

    def result(self) -> Swept:
        if self._more:
            why = (
                f"{self._more} more items of this place may be theirs: erase "
                "again after these have been checked"
            )
            self._left.append(Left(place=self._place, where="", why=why))
        return Swept(removed=self._removed, left=self._left, is_whole=self.is_whole)
