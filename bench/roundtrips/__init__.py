"""How long people wait if each call to AWS takes 5 ms, which is the minimum within one region.

The stub answers 5 ms later. What DynamoDB Local answers is recorded first, and given again 5 ms
after each request, so that its own time is in no measurement; moto's answers take 5 ms, and what it
takes longer is deducted or counted. Where only part of the time is waiting for AWS, rows also say
how many calls are made in turn, and how long the processor works: on a busy machine those can be
compared, milliseconds can't.
"""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from bench.cold import GOALS, start_bare, start_floor, start_of
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
    """Rows for polls, the way of an event to SNS, pages, a digest, a backlog, the command and
    inits.
    """
    return [row for part in _PARTS for row in part(quick=quick)] + [*_inits(5 if quick else 9)]


def _inits(rounds: int) -> Iterator[Figure]:
    bare, floor = list[float](), list[float]()
    ours: dict[str, list[float]] = {name: [] for name in _INITS}
    with running_stub() as endpoint:
        for _ in range(rounds):
            bare.append(start_bare())
            floor.append(start_floor(endpoint))
            for name, taken in ours.items():
                taken.append(start_of(name, endpoint))
    for name, taken in ours.items():
        yield Figure(
            what=f"init of {name}",
            measured=ratio(taken, bare),
            unit="R",
            goal=GOALS[name],
            note=f"R: a bare boto3 client; {median(taken) * 1000:.0f} ms of the processor",
            if_missed=f"{ratio(floor, bare):.2f} R of it are Event Handler with validation, "
            "pydantic and three clients, before anything of ours",
        )
