"""One account of a sandbox, controlled by its own HTTP interface."""

import json
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from local.stack import Stack

_TRIES: Final = 3


class SandboxAccount:
    """The soak's requests to one connection's sandbox; for one thread."""

    def __init__(self, stack: Stack, connection: str) -> None:
        described = stack.connections[connection]
        self.id, self.provider = connection, str(described["provider"])
        self._url = urlsplit(str(described["sandbox_url"]))
        self._http: HTTPConnection | None = None

    def start_anew(self) -> None:
        """Remove all earlier data, and disable rate limits."""
        self._call("POST", "reset")
        self._call("PUT", "limits", {"enforced": False})

    def create_orders(self, count: int) -> list[str]:
        """Creates new orders without notifications; returns their ids."""
        made = self._call("POST", "orders", {"count": count})
        return [self.name_of(order) for order in made.get("orders", [made])]

    def move(self, order: str, move: Mapping[str, Any], *, webhook: bool = True) -> None:
        self._call("POST", f"orders/{order}/move", {**move, "webhook": webhook})

    def sign_with(self, secrets: Sequence[str]) -> None:
        """Sign webhooks with these secrets from now on."""
        self._call("PUT", "webhook", {"secrets": list(secrets)})

    def add_fault(self, fault: str, **more: Any) -> None:
        self._call("POST", "faults", {"fault": fault, **more})

    def forget_faults(self) -> None:
        self._call("DELETE", "faults")

    def send_raw(self, body: str, *, bad_signature: bool = False) -> None:
        """A webhook with exactly these bytes."""
        self._call("POST", "webhooks", {"body": body, "bad_signature": bad_signature})

    def deliveries(self, *, status: str | None = None) -> Sequence[Mapping[str, Any]]:
        query = f"?status={status}" if status else ""
        found: Sequence[Mapping[str, Any]] = self._call("GET", f"deliveries{query}")["deliveries"]
        return found

    def orders(self) -> Sequence[Mapping[str, Any]]:
        """Every order at the provider."""
        listed = self._call("GET", "orders")
        found: Sequence[Mapping[str, Any]] = listed["orders"]
        return found

    def name_of(self, order: Mapping[str, Any]) -> str:
        return str(order.get("orderId") or order.get("contractNumber") or order["id"])

    def _call(self, method: str, path: str, content: Any = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        for attempt in range(_TRIES):
            try:
                return self._ask(method, path, body)
            except (OSError, HTTPException):
                self._http = None
                # An order moved twice would not be the life that was meant.
                if method == "POST" or attempt == _TRIES - 1:
                    raise
                time.sleep(0.2)
        raise AssertionError

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        # A connection that was left open may be closed by the time, and a POST isn't repeated.
        if self._http is None or method == "POST":
            self._http = HTTPConnection(self._url.netloc, timeout=60)
        self._http.request(method, f"{self._url.path}/_sandbox/{path}", body=body)
        answer = self._http.getresponse()
        content = answer.read()
        assert answer.status < 300, (path, content)
        return json.loads(content)
