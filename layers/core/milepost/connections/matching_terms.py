"""Selects a connection's commission terms for an order.

When they are due: ``queries.commission``. When an unpaid one is overdue:
``queries.overdue_commissions``.
"""

from collections.abc import Iterable, Sequence

from milepost.common.status import is_same_word, normal_form
from milepost.connections.connection import CommissionTerms, Connection


def matching_terms(
    connection: Connection, *, supplier: str | None, service: str | None
) -> CommissionTerms | None:
    """The most specific terms that match the order; None when none do.

    Terms for its supplier and service take precedence over terms for only its supplier, these over
    terms for only its service, and these over terms for all orders. Case and white space make no
    difference.
    """
    service = service or connection.service_type
    matching = [
        one
        for one in connection.commission
        if _matches(one.supplier, supplier) and _matches(one.service, service)
    ]
    return max(matching, key=_specificity, default=None)


def repeated_terms(terms: Sequence[CommissionTerms]) -> int | None:
    """The place of the first terms that are for the same orders as others before them."""
    seen = set[tuple[str, str]]()
    for place, one in enumerate(terms):
        orders = (normal_form(one.supplier or ""), normal_form(one.service or ""))
        if orders in seen:
            return place
        seen.add(orders)
    return None


def any_recurs(terms: Iterable[CommissionTerms]) -> bool:
    """Whether any of the terms are earned again each month."""
    return any(one.recurring == "monthly" for one in terms)


def _matches(wanted: str | None, said: str | None) -> bool:
    return wanted is None or is_same_word(wanted, said)


def _specificity(terms: CommissionTerms) -> tuple[bool, bool]:
    return terms.supplier is not None, terms.service is not None
