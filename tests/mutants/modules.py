"""The modules that are mutated, and the quick tests that are to notice."""

from collections.abc import Mapping, Sequence
from typing import Final

_UNIT: Final = "tests/unit/core/test_"
_CONTRACTS: Final = "tests/contracts/test_"
_TELLING: Final = ("tests/unit/telling",)
_FOLDING: Final = tuple(
    f"{_UNIT}{name}.py" for name in ("fold", "history", "snapshots", "recording", "announcing")
)
_POLLING: Final = tuple(
    f"{_UNIT}{name}.py"
    for name in ("polling", "poll_failures", "poll_memory", "hostile_orders", "page_shift")
)
_NOTICES: Final = tuple(
    f"{_CONTRACTS}{name}.py"
    for name in ("notices_table", "holds", "failing_tables", "consistent_reads")
)

MODULES: Final[Mapping[str, Sequence[str]]] = {
    "announcing": _FOLDING,
    "aws.holds": _NOTICES,
    "aws.notices_table": _NOTICES,
    "aws.orders_table": tuple(
        f"{_CONTRACTS}{name}.py"
        for name in ("orders_table", "item_budget", "consistent_reads", "failing_tables")
    ),
    "aws.polls_table": tuple(
        f"{_CONTRACTS}{name}.py" for name in ("polls_table", "failing_tables")
    ),
    "batch_sending": _TELLING,
    "deadlines": (f"{_UNIT}deadlines.py", f"{_UNIT}watching.py"),
    "endpoints": ("tests/unit/endpoints",),
    "history": _FOLDING,
    "lifecycle": _FOLDING,
    "page_recording": _POLLING,
    "poll_memory": _POLLING,
    "polling": _POLLING,
    "providers.offergrid": (
        *(f"{_UNIT}{name}.py" for name in ("offergrid", "odd_payloads", "causes", "completeness")),
        *_POLLING,
    ),
    "recording": _FOLDING,
    "retry_after": ("tests/unit/endpoints", f"{_UNIT}fetching.py"),
    "sending": _TELLING,
    "signatures": (f"{_UNIT}signatures.py", f"{_UNIT}receiving.py"),
    "telling": _TELLING,
    "timeline": _FOLDING,
    "tombstones": (f"{_UNIT}erasing.py",),
}
"""By their names below ``milepost``. Each is of the core: what it gets wrong, a customer sees."""
