"""Makes the summary of reports that are removed from a timeline."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from milepost.orders.item_sizes import DETAILS_BYTES
from milepost.orders.order import OVERDUE, acknowledged_by
from milepost.orders.report import Report, Source, shorten
from milepost.orders.summary import SWALLOWED_DIGITS, Stage, Summary
from milepost.orders.timeline import is_late

MOST_STAGES: Final = 300
MOST_SWALLOWED: Final = 500
MOST_ACKNOWLEDGED: Final = 200
MOST_PAYMENTS: Final = 120
"""Maximum numbers of stages, report ids, acknowledged reasons and payments that a summary keeps."""

_NOTHING: Final[frozenset[str]] = frozenset()


def sum_up(
    standing: Summary,
    before: Summary | None,
    *,
    gone: Sequence[Report],
    stages: Sequence[Stage],
    raised: frozenset[str],
) -> Summary:
    """The summary of everything before a timeline.

    :param standing: the order's status at that time; counts and lists are added here
    :param before: the previous summary
    :param gone: reports that are removed from the timeline
    :param stages: all stages that were finished at that time
    :param raised: ids of the present reasons for attention, including acknowledged ones
    """
    late = (one for one in gone if is_late(one, before) and one.source is not Source.PERSON)
    people = (one for one in gone if one.source is Source.PERSON)
    left_out = max(0, len(stages) - MOST_STAGES)
    swallowed = [one.id[:SWALLOWED_DIGITS] for one in gone]
    return replace(
        standing,
        details=shorten(standing.details, DETAILS_BYTES),
        count=len(gone) + (before.count if before else 0),
        acknowledged=_acknowledged(gone, before.acknowledged if before else _NOTHING, raised),
        stages=tuple(stages[-MOST_STAGES:]),
        stages_left_out=left_out + (before.stages_left_out if before else 0),
        late=sum(1 for _ in late) + (before.late if before else 0),
        people=sum(1 for _ in people) + (before.people if before else 0),
        payments=_payments(gone, before.payments if before else ()),
        swallowed=(*(before.swallowed if before else ()), *swallowed)[-MOST_SWALLOWED:],
    )


def _acknowledged(
    gone: Iterable[Report], before: frozenset[str], raised: frozenset[str]
) -> frozenset[str]:
    """Ids of the reasons that people have acknowledged. If there are too many, those that would
    otherwise be raised again come first, then the latest."""
    new = acknowledged_by(gone)
    known = before | new
    if len(known) <= MOST_ACKNOWLEDGED:
        return known
    still = {one for one in known if one in raised or one.startswith(f"{OVERDUE}#")}
    first = [*sorted(still), *sorted(new - still), *sorted(before - new - still)]
    return frozenset(first[:MOST_ACKNOWLEDGED])


def _payments(gone: Iterable[Report], before: tuple[str, ...]) -> tuple[str, ...]:
    """The dates on which the provider paid a commission, each once."""
    paid = (one.details.get("commission", {}).get("paid_at") for one in gone)
    return tuple(dict.fromkeys([*before, *(at for at in paid if at)]))[-MOST_PAYMENTS:]
