"""Peers, each a script that knows nothing of Milepost, in their own environment."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from statistics import median
from typing import Any, Final

from bench.children import ROOT, WORK, running_python
from bench.figures import Figure, ratio
from bench.poll import EVERY, change, looping_by_hand, polling, prime
from bench.provider import running_provider
from bench.stub import running_stub

PYTHON: Final = str(ROOT / ".local" / "tools" / "bench" / "bin" / "python")

SIZES: Final = (10_000, 50_000)
QUICK: Final = (2_000,)
ROUNDS: Final = 3
GOALS: Final = {"dlt": 4.0}
THEIRS: Final = ("dlt", "singer", "a loop")


def require_peers() -> None:
    """:raises SystemExit: when their environment is missing, with what makes it"""
    if not os.access(PYTHON, os.X_OK):
        raise SystemExit("The peers are not installed: run `make bench-peers`.")


def measure(*, quick: bool) -> list[Figure]:
    """How fast each walks the same orders again when none of them, or one in a hundred, changed."""
    require_peers()
    sizes = QUICK if quick else SIZES
    return [row for orders in sizes for row in _measure(orders, with_changes=orders == sizes[-1])]


def _measure(orders: int, *, with_changes: bool) -> Iterator[Figure]:
    with (
        running_provider(orders) as provider,
        running_stub(provider) as endpoint,
        ExitStack() as running,
    ):
        prime(provider, endpoint)
        walks = {
            "dlt": running.enter_context(_walking("poll_with_dlt", provider, orders)),
            "singer": running.enter_context(_walking("poll_with_singer", provider, orders)),
            "a loop": running.enter_context(looping_by_hand(provider)),
            "ours": running.enter_context(polling(endpoint)),
        }
        rounds = [_round(walks, changed=0) for _ in range(ROUNDS)]
        after_change = []
        if with_changes:
            change(provider, step=2)
            after_change.append(_round(walks, changed=orders // EVERY))
    for name in THEIRS:
        yield _compare(f"poll of {orders:,} unchanged orders beside {name}", name, orders, rounds)
    for name in THEIRS if with_changes else ():
        what = f"poll of {orders:,} orders, one in {EVERY} changed, beside {name}"
        compared = _compare(what, name, orders, after_change)
        yield replace(compared, goal=None, note=f"{compared.note}, which stores the changed ones")


def _compare(what: str, name: str, orders: int, rounds: Sequence[Mapping[str, float]]) -> Figure:
    ours, theirs = ([one[each] for one in rounds] for each in ("ours", name))
    return Figure(
        what=what,
        measured=ratio(theirs, ours),
        unit="x as fast",
        goal=GOALS.get(name),
        at_least=True,
        note=f"{orders / median(theirs):,.0f} orders a CPU second; "
        f"ours {orders / median(ours):,.0f}",
    )


def _round(walks: Mapping[str, Callable[[], Any]], *, changed: int) -> dict[str, float]:
    """Seconds that each took.

    :raises RuntimeError: when one found other changes than there were
    """
    found = {name: walk() for name, walk in walks.items()}
    if wrong := {name: one["changed"] for name, one in found.items() if one["changed"] != changed}:
        raise RuntimeError(f"{changed} orders had changed; found were {wrong}")
    return {name: one["seconds"] for name, one in found.items()}


def _walking(script: str, provider: str, orders: int) -> AbstractContextManager[Callable[[], Any]]:
    code = (ROOT / "bench" / "peers" / f"{script}.py").read_text()
    environment = {"HOME": str(WORK), "PATH": os.defpath}
    return running_python(code, provider, str(orders), python=PYTHON, environment=environment)
