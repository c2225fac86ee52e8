"""Mutants that no test can kill, since they change nothing observable, and the reasons."""

from collections.abc import Mapping
from typing import Final

EQUIVALENT: Final[Mapping[str, str]] = {}
"""By the lines that ``mutmut show`` removes and adds."""
