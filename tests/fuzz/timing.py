"""Measures whether the duration of a comparison reveals where a forged signature differs.

``python -m tests.fuzz.timing [rounds]``. Prints ratios of medians and asserts nothing: a machine
that does other things at the same time moves every one of them.
"""

import random
import statistics
import sys
import time
from contextlib import suppress
from typing import Final

from milepost.webhooks.signatures import BadSignature, verify
from tests.signing import SECRET, spirii_headers, standard_headers

NOW: Final = 1_772_447_400
ROUNDS: Final = 40_000
PARTS: Final = 8
"""Each part of the rounds has a message of its own; how their ratios differ is the spread."""
SPIRIIS: Final = "a key of spirii"
SECRETS: Final = {"standard-webhooks": SECRET, "spirii": SPIRIIS}
PLACES: Final = {"first": 0, "middle": 0.5, "last": 1}
Case = dict[str, str]
Taken = dict[str, list[int]]


def cases_of(scheme: str, body: bytes) -> dict[str, Case]:
    """Headers with a correct signature, or with one different letter."""
    if scheme == "spirii":
        good = spirii_headers(body, secret=SPIRIIS, timestamp=NOW)
        name, starts, ends = "Spirii-Signature", 0, 64
    else:
        good = standard_headers(body, timestamp=NOW)
        name, starts, ends = "webhook-signature", len("v1,"), len("v1,") + 43
    return {"nowhere": good} | {
        where: {**good, name: _changed(good[name], starts + int(place * (ends - starts - 1)))}
        for where, place in PLACES.items()
    }


def _changed(text: str, at: int) -> str:
    # Both are letters of either alphabet, also where the last one of base64 has few bits to say.
    return text[:at] + ("8" if text[at] == "0" else "0") + text[at + 1 :]


def measure(scheme: str, *, rounds: int, part: int) -> Taken:
    """Nanoseconds for each verification, with the cases in another order in each round."""
    body = b'{"event":"order.status_changed","number":%d}' % part * 15
    cases, secrets = cases_of(scheme, body), (SECRETS[scheme],)
    taken: Taken = {where: [] for where in cases}
    order, chance = list(cases), random.Random(part)
    for _ in range(rounds):
        chance.shuffle(order)
        for where in order:
            is_let_in, headers = False, cases[where]
            began = time.perf_counter_ns()
            with suppress(BadSignature):
                verify(scheme, headers=headers, body=body, secrets=secrets, now=NOW)
                is_let_in = True
            taken[where].append(time.perf_counter_ns() - began)
            assert is_let_in is (where == "nowhere")
    return taken


def ratio(taken: Taken, where: str) -> float:
    return statistics.median(taken[where]) / statistics.median(taken["first"])


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"Time to verify, over that of a signature that differs in its first letter: {PARTS}")
    print(
        f"messages, {rounds:,} rounds; the median message, in brackets the least and the greatest."
    )
    for scheme in SECRETS:
        parts = [measure(scheme, rounds=rounds // PARTS, part=part) for part in range(PARTS)]
        for where in ("middle", "last", "nowhere"):
            found = sorted(ratio(taken, where) for taken in parts)
            median = statistics.median(found)
            print(f"  {scheme:18} {where:8} {median:.3f} ({found[0]:.3f} to {found[-1]:.3f})")
    print("One that differs nowhere is accepted, as its sender learns anyhow: it raises nothing.")


if __name__ == "__main__":
    main()
