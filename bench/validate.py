"""Verify, parse and validate one order of 1.9 KB, against what msgspec can do with its types."""

import json
from statistics import median
from typing import Any, Final

from bench.children import ROOT, run_python
from bench.figures import Figure, ratio
from bench.packaged import path_of
from bench.peers import PYTHON, require_peers
from tests.builders import offergrid_item, offergrid_order
from tests.signing import SECRET, standard_headers

GOAL: Final = 2.2
TIMESTAMP: Final = 1_772_447_400

_OURS: Final = """
import json, sys, time
from milepost.common.strict_json import read_object
from milepost.providers.offergrid import Order
from milepost.providers.payload_types import read_shape
from milepost.webhooks.signatures import verify
asked = json.loads(sys.argv[1])
body, secrets, now = asked["body"].encode(), (asked["secret"],), asked["now"]
def once():
    verify("standard-webhooks", headers=asked["headers"], body=body, secrets=secrets, now=now)
    return read_shape(Order, read_object(body))
"""
_TIMED: Final = """
for _ in range(200):
    once()
started = time.process_time()
for _ in range({times}):
    once()
print(json.dumps((time.process_time() - started) / {times}))
"""


def measure(*, quick: bool) -> list[Figure]:
    """One row: ours by the limit."""
    require_peers()
    rounds, times = (3, 2_000) if quick else (11, 5_000)
    asked = json.dumps(_asked())
    limit_code = (ROOT / "bench" / "peers" / "typed_order.py").read_text()
    ours, limit = [], []
    for _ in range(rounds):
        timed = _TIMED.format(times=times)
        ours.append(run_python(_OURS + timed, asked, path=path_of("record_report")))
        limit.append(run_python(limit_code + timed, asked, python=PYTHON))
    return [
        Figure(
            what="verify, parse and validate an order of 1.9 KB",
            measured=ratio(ours, limit),
            unit="x msgspec",
            goal=GOAL,
            note=f"{median(ours) * 1e6:.0f} us; msgspec {median(limit) * 1e6:.0f} us",
            if_missed="Strict JSON (exact decimals, none too long, no key twice) and pydantic's "
            "models with plain fields take twice the limit each. Tried: counting keys instead of "
            "seeing each pair and trimming texts in pydantic's core, a tenth at most; jiter, which "
            "is twice as fast until its overlong numbers are looked for; msgspec behind strict "
            "JSON, 2.5 before texts are trimmed and times read as providers write them",
        )
    ]


def _asked() -> dict[str, Any]:
    items = [offergrid_item(itemId=f"item-7c1e20-{number}") for number in range(1, 4)]
    body = json.dumps(offergrid_order(items=items))
    headers = standard_headers(body.encode(), timestamp=TIMESTAMP, delivery_id="msg_2KqV7bWxR")
    return {"body": body, "secret": SECRET, "now": TIMESTAMP, "headers": headers}
