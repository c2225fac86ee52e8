"""What people wait for when each call to AWS takes 5 ms, as it does in one region at the least.

Everything that answers here is the same engine as in the other parts, behind a fixed delay: the
stub and DynamoDB Local answer 5 ms later, and moto's answers take no less than 5 ms.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from bench.cold import GOALS, start_bare, start_of
from bench.figures import Figure, ratio
from bench.roundtrips import backlog, command, digest, pages, polls, way_of_an_event
from bench.stub import running_stub

_PARTS: Final[tuple[Callable[..., Iterator[Figure]], ...]] = (
    polls.measure,
    way_of_an_event.measure,
    pages.measure,
    digest.measure,
    backlog.measure,
    command.measure,
)
_INITS: Final = ("orders_api", "console")


def measure(*, quick: bool) -> list[Figure]:
    """Rows for polls, an event's way to SNS, pages, a digest, a backlog, the command and inits."""
    return [row for part in _PARTS for row in part(quick=quick)] + [*_inits(5 if quick else 9)]


def _inits(rounds: int) -> Iterator[Figure]:
    bare = list[float]()
    ours: dict[str, list[float]] = {name: [] for name in _INITS}
    with running_stub() as endpoint:
        for _ in range(rounds):
            bare.append(start_bare())
            for name, taken in ours.items():
                taken.append(start_of(name, endpoint))
    for name, taken in ours.items():
        yield Figure(
            what=f"init of {name}",
            measured=ratio(taken, bare),
            unit="R",
            goal=GOALS[name],
            note=f"R: a bare boto3 client; {median(taken) * 1000:.0f} ms of the processor",
        )
