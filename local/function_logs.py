"""What functions log, in the local stack's own log file too.

ministack 1.5.33 shows only what queue and stream mappings ran; the rest is in CloudWatch Logs.
"""

import importlib
import sys
from typing import Any


def correct_ministack() -> None:
    """Write what every invocation logged to standard error, which is the log file."""
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    execute = functions._execute_function

    def execute_and_show(function: dict[str, Any], event: Any) -> Any:
        result = execute(function, event)
        if log := result.get("log"):
            name = (function.get("config") or function).get("FunctionName", "?")
            print(f"--- {name}\n{log}", file=sys.stderr, flush=True)
        return result

    functions._execute_function = execute_and_show
