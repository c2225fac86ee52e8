"""The loop anybody would write: fetch, read, compare with what was there."""

import json
import sys
import time

import urllib3

pool = urllib3.PoolManager()
known: dict[str, dict] = {}


def walk() -> list[dict]:
    cursor, changed = "0", []
    while cursor:
        url = f"{sys.argv[1]}/reseller/orders?limit=100&cursor={cursor}"
        page = json.loads(pool.request("GET", url).data)
        for order in page["orders"]:
            if known.get(order["orderId"]) != order:
                known[order["orderId"]] = order
                changed.append(order)
        cursor = page["nextCursor"]
    return changed


print(json.dumps(len(walk())), flush=True)
for _ in sys.stdin:
    started = time.process_time()
    changed = walk()
    seconds = time.process_time() - started
    print(json.dumps({"seconds": seconds, "changed": len(changed)}), flush=True)
