"""The kinds under which the command records its own changes. Those of routes are their
``operation_id`` (``milepost.api.change_recording``). Short: a table."""

from typing import Final

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
