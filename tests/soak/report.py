"""The output of a soak."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.soak.soak import Soak

_SHOWN: Final = 10
_REDELIVERED: Final = "failed processing SQS batch"


def has_failed(soak: Soak) -> bool:
    """Whether a promise was broken. A kill may repeat one mail, and SNS delivers at least once."""
    verdict = soak.verdict
    too_many_mails = verdict.mailed_again > soak.kills["send-notice"]
    return bool(verdict.lost or verdict.doubled or verdict.wrong or too_many_mails)


def print_report(soak: Soak, *, log: Path) -> None:
    """The figures, and the problems if there are any."""
    figures, verdict = soak.figures, soak.verdict
    with log.open(errors="replace") as lines:
        redelivered = sum(_REDELIVERED in line for line in lines)
    rows = {
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "orders that are not what their provider says": len(verdict.wrong),
        "seed": soak.plan.seed,
        "changes": figures["changes"],
        "orders": verdict.figures["orders"],
        "webhooks": verdict.figures["webhooks"],
        "sent twice": figures["duplicates"],
        "out of order": figures["late"],
        "malformed": f"{figures['malformed']}, of which forged {figures['forged']}",
        "quarantined": verdict.figures["quarantined"],
        "bad pages": figures["bad pages"],
        "polls": _listed(soak.polls),
        "processes killed": f"{soak.kills.total()}: {_listed(soak.kills)}",
        "people": _listed(soak.people),
        "batches that a queue gave again": redelivered,
        "webhooks that a provider sent again": verdict.figures["webhooks sent again"],
        "dead letters": figures["dead letters"],
        "announcements": verdict.figures["announcements"],
        "SNS messages again, under their own id": verdict.told_again,
        "mails": verdict.figures["mails"],
        "mails again (after a kill)": verdict.mailed_again,
        "seconds until all was told": f"{soak.seconds:.0f}",
        "changes a second": f"{figures['changes'] / soak.seconds:.1f}",
        "CPU seconds of emulator and functions": f"{soak.cpu:.0f}",
        "changes a CPU second": f"{figures['changes'] / max(soak.cpu, 0.01):.1f}",
        "seconds from a webhook's change to its record, p50 / p99": _quantiles(verdict.latencies),
    }
    for name, value in rows.items():
        print(f"{name:58} {value}")
    for kind in ("lost", "doubled", "wrong"):
        found: Sequence[str] = getattr(verdict, kind)
        for line in found[:_SHOWN]:
            print(f"{kind}: {line}")
    print("FAILED" if has_failed(soak) else "nothing lost, nothing doubled", flush=True)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _quantiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    return " / ".join(f"{ordered[int(share * (len(ordered) - 1))]:.2f}" for share in (0.5, 0.99))
