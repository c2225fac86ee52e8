"""Pairs that are known to lose, double or revive something when they meet, each with what.

A pair leaves this list with the change that makes it right.
"""

from collections.abc import Mapping
from typing import Final

KNOWN: Final[Mapping[frozenset[str], str]] = {}
