"""The kinds of changes: the ``operation_id`` of each route that changes something, and the names
under which the command records its own changes."""

from typing import Final

OF_ROUTES: Final = frozenset(
    {
        "add_subscription",
        "call_off_action",
        "change_subscription",
        "delete_subscription",
        "delete_view",
        "discard_dead_letter",
        "discard_quarantined",
        "erase_customer",
        "finish_signing_secret_rotation",
        "import_orders",
        "lift_suppression",
        "make_export",
        "pause_subscription",
        "perform_action",
        "plan_batch",
        "poll_connection",
        "redrive_dead_letters",
        "replay_quarantine",
        "replay_quarantined",
        "resend_notice",
        "resume_subscription",
        "revoke_tracking_links",
        "rotate_signing_secret",
        "rotate_subscription_secret",
        "save_view",
        "send_test_webhook",
        "start_batch",
        "stop_batch",
    }
)
OF_THE_COMMAND: Final = frozenset(
    {
        "apply_connections",
        "apply_provider",
        "finish_signing_secret_rotation",
        "lift_suppression",
        "release_notices",
        "resend_notice",
        "resume_subscription",
        "rotate_signing_secret",
        "rotate_subscription_secret",
        "set_secret",
    }
)
KINDS: Final = OF_ROUTES | OF_THE_COMMAND
