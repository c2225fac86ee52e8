"""A process that is killed while it writes orders in parallel."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.integration.crash_injection import Calls, Killed


class Writes(Calls):
    """Calls of a process that is killed after a number of its orders were written."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most
        self._lock = Lock()

    @contextmanager
    def watched(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        send = BaseClient._make_api_call

        def call(client: Any, operation: str, parameters: Any) -> Any:
            with self._lock:
                if self.is_gone:
                    raise Killed
            answer = send(client, operation, dict(parameters))
            if operation == "PutItem" and parameters["TableName"] == "OrdersTable":
                with self._lock:
                    self._left -= 1
                    self.is_gone = self._left <= 0
                if self.is_gone:
                    raise Killed
            return answer

        with monkeypatch.context() as patched:
            patched.setattr(BaseClient, "_make_api_call", call)
            yield
