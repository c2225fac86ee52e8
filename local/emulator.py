"""The emulator's own process: `python -m local.emulator` (settings come from the environment).

It corrects, at start, where ministack 1.5 differs from AWS in ways that would hide mistakes.
"""

import importlib
import os
import sys
import threading
from typing import Any, Final

from local.emulator_corrections import (
    authorization,
    cloudformation,
    cognito,
    http_server,
    lambda_runtime,
    mail_events,
    mail_sending,
    missing_operations,
    secrets,
    stream_mapping,
)

SCHEDULE_CHECK_SECONDS: Final = 1
BATCHES_AT_ONCE: Final = 2
_CORRECTIONS: Final = (
    authorization,
    mail_sending,
    missing_operations,
    mail_events,
    stream_mapping,
    lambda_runtime,
    secrets,
    cognito,
    cloudformation,
    http_server,
)
"""Each corrects one service, in this order."""


def run_emulator() -> None:
    """Serve until standard input ends or a signal comes."""
    _hide_development_packages()
    for correction in _CORRECTIONS:
        correction.correct_ministack()
    # Every 10 seconds by default, which makes each poll of a demo late.
    scheduler: Any = importlib.import_module("ministack.services.scheduler")
    scheduler._SCHEDULE_TICK_INTERVAL = SCHEDULE_CHECK_SECONDS
    # 5 by default: with seven queues and streams that is more processes than a machine has cores,
    # and each of them starts with a batch of one.
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    functions._ESM_SQS_DEFAULT_CONCURRENCY = BATCHES_AT_ONCE
    _leave_with_parent()
    sys.argv = ["ministack"]
    importlib.import_module("ministack.app").main()


def _hide_development_packages() -> None:
    # Functions run with sys.executable. The virtual environment's Python would let them import
    # packages that no layer ships, which would then fail only on AWS.
    sys.executable = getattr(sys, "_base_executable", sys.executable)


def _leave_with_parent() -> None:
    def wait_for_end() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), 15)

    threading.Thread(target=wait_for_end, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    run_emulator()
