"""Prints one order: its status, timeline, forecast and notices."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from cli.local_times import Moments
from cli.orders.fact_lines import fact_lines
from cli.output import tell, tell_folded

Shown: TypeAlias = Mapping[str, Any]

_FACTS: Final = ("reference", "service_type", "appointment")


def show_order(order: Shown, moments: Moments) -> None:
    """Print all data of one item; --json has it field by field."""
    tell()
    since = moments.minute(order["since"])
    tell(f"{order['id']}  {order['status']} since {since} ({moments.label})", style="bold")
    for line in _about(order, moments):
        tell_folded(line, indent=2)
    if order["earlier"]:
        earlier = order["earlier"]
        until = moments.minute(earlier["until"])
        tell(f"{earlier['reports']} reports until {until}, summarized: {earlier['status']}")
    tell("  timeline")
    for entry in order["timeline"]:
        tell_folded(_entry(entry, moments), indent=4)
    if order["notices"]:
        tell("  notices")
        for notice in order["notices"]:
            tell_folded(_notice(notice, moments), indent=4)


def _about(order: Shown, moments: Moments) -> Iterator[str]:
    facts = {name: _fact(name, order[name], moments) for name in _FACTS if order[name]}
    if facts:
        yield "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())
    yield from fact_lines(order["details"], moments)
    for reason in order["attention"]:
        yield f"! {reason['code']}: {reason['text']}"
    if order["next"]:
        yield from _coming(order["next"], moments)
    if order["forecast"]:
        yield forecast_line(order["forecast"], moments)
    for plan in order["planned"]:
        when = moments.minute(plan["planned_for"])
        yield f"planned: {plan['action']} at {when}, by {plan['person']}"
    if order["erased_at"]:
        yield f"the customer was erased {moments.minute(order['erased_at'])}"
    if order["actions"]:
        yield f"can be done: {', '.join(order['actions'])}"


def _fact(name: str, value: str, moments: Moments) -> str:
    """A fact as text; times are in the same time zone as all others."""
    return moments.minute(value) if name == "appointment" else value


def _coming(coming: Shown, moments: Moments) -> Iterator[str]:
    who = f" ({coming['who']} acts)" if coming["who"] else ""
    yield f"next, by {moments.minute(coming['by'])}{who}: {coming['step']}"
    if coming["expected_by"]:
        yield f"all of it by {moments.minute(coming['expected_by'])}"
    if coming["waiting"]:
        since = moments.minute(coming["waiting"]["since"])
        yield f"waits for the customer ({coming['waiting']['what']}) since {since}"
    yield from coming["open_points"]


def _entry(entry: Shown, moments: Moments) -> str:
    when = moments.minute(entry["at"])
    if entry["person"]:
        return f"{when}  {_deed(entry, moments)}  (by {entry['person']})"
    said = entry["raw_status"] or "facts"
    return f"{when}  {said}  ({entry['effect']}, by {entry['source']})"


def _deed(entry: Shown, moments: Moments) -> str:
    parts: Sequence[str | None] = (
        (entry["result"] or "").replace("_", " "),
        f"for {moments.minute(entry['planned_for'])}" if entry["planned_for"] else None,
        entry["outcome"] if entry["outcome"] != entry["result"] else None,
        entry["note"],
    )
    return f"{entry['action'] or 'note'}: {', '.join(one for one in parts if one)}"


def _notice(notice: Shown, moments: Moments) -> str:
    reason = f" ({notice['reason']})" if notice["reason"] else ""
    recipient = notice["recipient"] or "nobody"
    if notice["channel"] == "sns":
        recipient = f"topic {recipient.rpartition(':')[2]}"
    elif notice["channel"] == "event_bus":
        recipient = f"event bus {recipient}"
    when = moments.minute(notice["at"])
    return f"{when}  {notice['kind']} to {recipient}: {notice['state']}{reason}"


def forecast_line(forecast: Mapping[str, Any], moments: Moments) -> str:
    """When the order will usually be complete, and from how many orders this is known."""
    end = forecast["end"]
    if end is None or end["earliest"] is None:
        days = forecast["track_days"]
        return f"forecast: not enough orders yet; the {forecast['track']} track takes {days} days"
    earliest, latest = moments.minute(end["earliest"]), end["latest"]
    when = f"between {earliest} and {moments.minute(latest)}" if latest else f"after {earliest}"
    likely = f", most likely {moments.minute(end['likely'])}" if end["likely"] else ""
    unknown = "" if latest else ", no upper date known"
    return (
        f"forecast: usually complete {when}{likely}{unknown}; from {end['orders']} orders, "
        f"of which {end['share']:.0%} are completed"
    )
