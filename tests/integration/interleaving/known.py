"""Pairs that are known to lose, double or revive something when they meet, each with what.

A pair leaves this list with the change that makes it right.
"""

from collections.abc import Mapping
from typing import Final

KNOWN: Final[Mapping[frozenset[str], str]] = {
    frozenset({"perform_action", "a plan changed"}): (
        "a plan that is being carried out can be changed: it is done, and planned for later as well"
    ),
    frozenset({"perform_action", "an action now"}): (
        "an action that a person runs now, while its plan is being carried out, is done twice"
    ),
    frozenset({"send_notice"}): (
        "a claim on a mail (25 s) ends before its holder has to: two senders send it"
    ),
}
