"""The modules that are mutated, and the quick tests that should detect the mutants."""

from collections.abc import Mapping, Sequence
from typing import Final

_TELLING: Final = ("tests/unit/notifications",)
_FOLDING: Final = (
    "tests/unit/orders/test_lifecycle.py",
    "tests/unit/orders/test_timeline_summary.py",
    "tests/unit/orders/test_snapshots.py",
    "tests/unit/orders/test_recording.py",
    "tests/unit/orders/test_announcements.py",
)
_POLLING: Final = (
    "tests/unit/polling/test_poll.py",
    "tests/unit/polling/test_poll_failures.py",
    "tests/unit/polling/test_page_limits.py",
    "tests/unit/polling/test_unchanged_lists.py",
    "tests/unit/polling/test_remembered_pages.py",
    "tests/unit/polling/test_hostile_orders.py",
    "tests/unit/polling/test_page_shift.py",
    "tests/unit/polling/test_recording_together.py",
)
_NOTICES: Final = (
    "tests/contracts/notifications/test_delivery_log.py",
    "tests/contracts/notifications/test_held_notices.py",
    "tests/contracts/aws/test_failing_tables.py",
    "tests/contracts/notifications/test_consistent_reads.py",
)

MODULES: Final[Mapping[str, Sequence[str]]] = {
    "common.http_headers": (
        "tests/unit/notifications/endpoints",
        "tests/unit/providers/test_http.py",
    ),
    "notifications.aws.claims": _NOTICES,
    "notifications.aws.delivery_log": _NOTICES,
    "notifications.aws.delivery_log_items": _NOTICES,
    "notifications.aws.held_notices": _NOTICES,
    "notifications.dispatch": _TELLING,
    "notifications.endpoints.addresses": ("tests/unit/notifications/endpoints",),
    "notifications.mail.held_notices": _TELLING,
    "notifications.mail.sender": _TELLING,
    "orders.announcements": _FOLDING,
    "orders.aws.table": (
        "tests/contracts/orders/test_table.py",
        "tests/contracts/orders/test_item_budget.py",
        "tests/contracts/notifications/test_consistent_reads.py",
        "tests/contracts/aws/test_failing_tables.py",
    ),
    "orders.deadlines": (
        "tests/unit/orders/test_deadlines.py",
        "tests/unit/orders/test_deadline_watch.py",
        "tests/unit/orders/test_provider_stages.py",
    ),
    "orders.lifecycle": _FOLDING,
    "orders.recording": _FOLDING,
    "orders.timeline": _FOLDING,
    "orders.timeline_summary": _FOLDING,
    "orders.tombstones": ("tests/unit/operations/erasure/test_erase.py",),
    "polling.aws.lease": (
        "tests/contracts/polling/test_lease.py",
        "tests/contracts/aws/test_failing_tables.py",
    ),
    "polling.remembered_pages": _POLLING,
    "polling.page_recording": _POLLING,
    "polling.page_fetching": _POLLING,
    "polling.poll": _POLLING,
    "common.side_by_side": ("tests/unit/common/test_side_by_side.py", *_POLLING),
    "polling.unfinished_pages": _POLLING,
    "polling.waiting_orders": _POLLING,
    "providers.offergrid": (
        "tests/unit/providers/test_offergrid.py",
        "tests/unit/providers/test_odd_payloads.py",
        "tests/unit/providers/test_causes.py",
        "tests/unit/providers/test_completeness.py",
        "tests/unit/polling/test_poll.py",
        "tests/unit/polling/test_poll_failures.py",
        "tests/unit/polling/test_page_limits.py",
        "tests/unit/polling/test_unchanged_lists.py",
        "tests/unit/polling/test_remembered_pages.py",
        "tests/unit/polling/test_hostile_orders.py",
        "tests/unit/polling/test_page_shift.py",
    ),
    "providers.offergrid_payload": ("tests/unit/providers/test_offergrid.py",),
    "webhooks.signatures": (
        "tests/unit/webhooks/test_signatures.py",
        "tests/unit/webhooks/test_receiver.py",
    ),
}
"""By their names below ``milepost``. Each is of the core: what it gets wrong, a customer sees."""
