"""Finds connections without a complete sender in the settings for customers' mails."""

from collections.abc import Iterable, Iterator
from typing import Final

from milepost.connections.connection import Connection

_WANTS_A_LEGAL_LINE: Final = frozenset({"DE", "AT"})
"""Where a business letter, and so a mail to a customer, names the company in full. Source: section
35a GmbHG and section 37a HGB in Germany, section 14 UGB in Austria."""


def incomplete_senders(connections: Iterable[Connection]) -> Iterator[tuple[str, str]]:
    """The ids of these connections, and the missing parts, in words.

    Connections whose customers get no notices are left out.
    """
    for one in sorted(connections, key=lambda connection: connection.id):
        if not one.customer_notices:
            continue
        if one.sender is None:
            yield one.id, "its customers get mails, but no sender is set"
        elif not one.sender.legal and one.country in _WANTS_A_LEGAL_LINE:
            yield (
                one.id,
                f"its sender has no legal line, which the law requires in {one.country}",
            )
