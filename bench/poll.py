"""A poll of very many orders, of which none or few have changed, and a hand-written loop."""

import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from statistics import median
from typing import Any, Final

from bench.children import CONTEXT, LAMBDA, ROOT, run_python, running_python
from bench.figures import Figure, ratio
from bench.packaged import environment_of, path_of
from bench.provider import running_provider
from bench.stub import read_calls, running_stub

ORDERS: Final = 50_000
EVERY: Final = 100
"""One order in so many has changed in the second poll."""

_POLL: Final = (
    CONTEXT
    + """
import json, os, sys, time
answers, sys.stdout = sys.stdout, open(os.devnull, "w")
import app
def poll():
    started = time.process_time()
    result = app.handler({"connection": "offergrid-home"}, context)
    result["seconds"] = time.process_time() - started
    # A poll that fails is fast, and says nothing.
    assert result["outcome"] in ("complete", "unchanged"), result
    print(json.dumps(result), file=answers, flush=True)
poll()  # what is measured is a warm function
for _ in sys.stdin:
    poll()
"""
)
_PRIME: Final = """
import json, sys, urllib.request
from urllib.parse import urlencode
import app
from milepost.polling.page_cache import Seen, key_of
from milepost.providers.registry import adapter_of
connection = app.scheduled.connections.get("offergrid-home")
provider, seen, orders = adapter_of(connection), Seen(until=app.now()), 0
request = provider.first_page(connection, changed_since=None)
while request:
    url = f"{sys.argv[1]}{request.path}?{urlencode(request.query)}"
    with urllib.request.urlopen(url) as answer:
        fetched = seen.look_at(answer.read(), request=request, provider=provider)
    keys = [key_of(order["orderId"]) for order in fetched.page.orders]
    entries = list(zip(fetched.hashes(), keys, strict=True))
    seen.keep(fetched.digest, entries, outline=fetched.kept_outline)
    request, orders = fetched.outline.next, orders + len(fetched.page.orders)
app.scheduled.hashes.save("offergrid-home", seen)
print(json.dumps(orders))
"""


def measure(*, quick: bool) -> list[Figure]:
    """A poll without changes, then one with 1% changed orders, with the calls to AWS."""
    orders, rounds = (10_000, 3) if quick else (ORDERS, 5)
    ours, by_hand = [], []
    with running_provider(orders) as provider, running_stub(provider) as endpoint:
        prime(provider, endpoint)
        with polling(endpoint) as poll, looping_by_hand(provider) as loop:
            read_calls(endpoint)
            for _ in range(rounds):
                by_hand.append(loop()["seconds"])
                ours.append(poll()["seconds"])
            unchanged = read_calls(endpoint)
            change(provider, step=2)
            changed = poll()
            written = read_calls(endpoint)
    return [
        Figure(
            what=f"poll of {orders:,} orders, none changed: speed",
            measured=ratio(by_hand, ours),
            unit="x the loop by hand",
            goal=0.7,
            at_least=True,
            note=f"{orders / median(ours):,.0f} orders a CPU second; by hand "
            f"{orders / median(by_hand):,.0f}",
        ),
        Figure(
            what="… items of orders written",
            measured=unchanged["PutItem"],
            goal=0,
            note=_describe(unchanged, rounds),
        ),
        Figure(
            what="… read units per 10,000 orders",
            measured=read_units(unchanged) / rounds / orders * 10_000,
            goal=25,
            note="digests are one object in S3",
        ),
        Figure(
            what=f"poll of {orders:,} orders, one in {EVERY} changed: writes per changed order",
            measured=written["PutItem"] / (orders // EVERY),
            goal=1,
            note=f"{written['PutItem']} of {changed['changed']} changed; {_describe(written, 1)}",
        ),
    ]


def read_units(calls: Counter[str]) -> float:
    """The maximum: an order's item is smaller than 4 KB, and read without ConsistentRead."""
    return 0.5 * (calls["GetItem"] + calls["Query"])


def _describe(calls: Counter[str], polls: int) -> str:
    return ", ".join(f"{count / polls:g} {name}" for name, count in sorted(calls.items()))


def prime(provider: str, endpoint: str) -> None:
    """Store the digests that a poll would leave after it has read every order."""
    environment = {**LAMBDA, **environment_of("poll_orders", endpoint=endpoint)}
    run_python(_PRIME, provider, path=path_of("poll_orders"), environment=environment)


def change(provider: str, *, step: int) -> None:
    """Move one order in a hundred to another step."""
    with urllib.request.urlopen(f"{provider}/change?step={step}&every={EVERY}"):
        pass


def polling(endpoint: str) -> AbstractContextManager[Callable[[], Any]]:
    """A warm poll_orders as it was built: each call is a poll, and returns its response and
    seconds.
    """
    environment = {**LAMBDA, **environment_of("poll_orders", endpoint=endpoint)}
    return running_python(_POLL, path=path_of("poll_orders"), environment=environment)


def looping_by_hand(provider: str) -> AbstractContextManager[Callable[[], Any]]:
    """Read the same pages by the shortest possible loop."""
    code = (ROOT / "bench" / "peers" / "loop_by_hand.py").read_text()
    return running_python(code, provider, path=path_of("poll_orders"))
