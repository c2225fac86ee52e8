"""Peers, each a script that knows nothing of Milepost, in an environment of their own."""

import os
from statistics import median
from typing import Final

from bench.children import ROOT, WORK, run_python
from bench.figures import Figure, ratio
from bench.poll import poll_by_hand, poll_twice, prime
from bench.provider import running_provider
from bench.stub import running_stub

PYTHON: Final = str(ROOT / ".local" / "tools" / "bench" / "bin" / "python")


def require_peers() -> None:
    """:raises SystemExit: when their environment is missing, with what makes it"""
    if not os.access(PYTHON, os.X_OK):
        raise SystemExit("The peers are not installed: run `make bench-peers`.")


def measure(*, quick: bool) -> list[Figure]:
    """How fast each walks the same unchanged orders a second time, beside the loop and ours."""
    require_peers()
    rows = []
    for orders in (2_000,) if quick else (10_000, 50_000):
        with running_provider(orders) as provider, running_stub(provider) as endpoint:
            prime(provider, endpoint)
            rounds = [_round(provider, endpoint, orders) for _ in range(1 if quick else 3)]
        ours = [one["ours"] for one in rounds]
        for name in ("dlt", "singer", "by hand"):
            theirs = [one[name] for one in rounds]
            rows.append(
                Figure(
                    what=f"poll of {orders:,} unchanged orders by {name}: ours is so many times it",
                    measured=ratio(theirs, ours),
                    goal=4 if name == "dlt" else None,
                    at_least=True,
                    note=f"{orders / median(theirs):,.0f} orders a CPU second; "
                    f"ours {orders / median(ours):,.0f}",
                )
            )
    return rows


def _round(provider: str, endpoint: str, orders: int) -> dict[str, float]:
    return {
        "dlt": _run("poll_with_dlt", provider, orders),
        "singer": _run("poll_with_singer", provider, orders),
        "by hand": poll_by_hand(provider),
        "ours": poll_twice(endpoint)["seconds"],
    }


def _run(script: str, provider: str, orders: int) -> float:
    code = (ROOT / "bench" / "peers" / f"{script}.py").read_text()
    environment = {"HOME": str(WORK), "PATH": os.defpath}
    seconds: float = run_python(code, provider, str(orders), python=PYTHON, environment=environment)
    return seconds
