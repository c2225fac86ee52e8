"""``milepost orders watch``: reads a list repeatedly, and prints the changes."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import typer

from cli.api import NoSuchThing, OrdersApi
from cli.errors import COULD_NOT
from cli.local_times import Moments
from cli.orders.listing import Listed, counts_in_words, read_list
from cli.orders.lookup import short_id
from cli.output import tell, warn
from milepost.common.timestamps import format_instant
from milepost.exports.list_columns import codes_of

_COMPARED: Final = ("status", "raw_status", "appointment", "next_date", "attention")

Change = Mapping[str, Any]
"""``order``, ``before`` and ``now``: an order as lists show it, or None."""


def watch_orders(
    api: OrdersApi,
    query: Mapping[str, Any],
    *,
    every: float,
    most: int,
    once: bool,
    within: float | None,
    moments: Moments,
    as_json: bool,
) -> None:
    """Print changes until Ctrl-C, until the first change (``once``), or for a number of seconds
    (``within``).
    """
    deadline = None if within is None else time.monotonic() + within
    has_changed = False
    found = read_list(api, query, most=most)
    seen = _by_id(found)
    counts = counts_in_words(found["counts"]) or "no orders yet"
    warn(f"Watching {len(seen)} orders ({counts}). Times: {moments.label}. Ctrl-C ends it.")
    try:
        while deadline is None or time.monotonic() < deadline:
            time.sleep(every)
            present = _by_id(read_list(api, query, most=most))
            for change in compare(seen, present, api=api):
                has_changed = True
                _tell(change, moments, as_json=as_json)
            seen = present
            if once and has_changed:
                return
    except KeyboardInterrupt:
        return
    if not has_changed:
        raise typer.Exit(COULD_NOT)


def compare(
    before: Mapping[str, Listed], now: Mapping[str, Listed], *, api: OrdersApi
) -> Iterator[Change]:
    """The changes between two reads.

    An order that is not on the list any more is looked up: it may have been closed, which is news.
    """
    for order_id, one in now.items():
        known = before.get(order_id)
        if known is None or any(known[name] != one[name] for name in _COMPARED):
            yield {"order": order_id, "before": known, "now": one}
    for order_id in before.keys() - now.keys():
        try:
            one = api.get(f"/orders/{order_id}")
        except NoSuchThing:
            yield {"order": order_id, "before": before[order_id], "now": None}
            continue
        if one["status"] != before[order_id]["status"]:
            present = {name: one.get(name) for name in before[order_id]}
            yield {"order": order_id, "before": before[order_id], "now": present}


def _by_id(found: Mapping[str, Any]) -> dict[str, Listed]:
    return {one["id"]: one for one in found["orders"]}


def _tell(change: Change, moments: Moments, *, as_json: bool) -> None:
    seen_at = datetime.now(UTC)
    if as_json:
        line = {"seen_at": format_instant(seen_at)} | dict(change)
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        return
    tell(f"{moments.clock(seen_at)}  {in_a_line(change, moments)}")


def in_a_line(change: Change, moments: Moments) -> str:
    """A change for people: the order, its statuses before and after, and its next date."""
    before, now = change["before"], change["now"]
    if now is None:
        return f"{change['order']}  is gone"
    was = before["status"] if before else "new"
    status = now["status"] if before and was == now["status"] else f"{was} > {now['status']}"
    parts = [short_id(now["id"]), status, *_what_else(before, now, moments)]
    return "  ".join(part for part in parts if part)


def _what_else(before: Listed | None, now: Listed, moments: Moments) -> Iterator[str]:
    if now["appointment"] and (before is None or before["appointment"] != now["appointment"]):
        yield f"on {moments.minute(now['appointment'])}"
    if now["attention"] and (before is None or before["attention"] != now["attention"]):
        yield f"! {codes_of(now['attention'])}"
    yield now["reference"] or ""
