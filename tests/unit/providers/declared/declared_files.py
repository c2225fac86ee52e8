"""Files of declared providers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from milepost.connections.connection import Connection
from milepost.providers.base import PageRequest, Response
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.file_format import Declaration
from milepost.providers.session import Conversation

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
BASE = "https://api.heatly.example/v2"
FILE = """\
version: 1
name: heatly
base_url: https://api.heatly.example/v2
sign_in: {kind: bearer}
list:
  path: /orders
  items: data.orders
  pages: {kind: none}
one_order: {path: "/orders/{order_id}"}
times: {zone: Europe/Berlin, not_set: ["0000-00-00 00:00:00"], patterns: ["%d.%m.%Y %H:%M"]}
order:
  id: id
  status: state
  changed_at: changed
  facts: {appointment: visit, customer: {email: mail}, payment: {amount: price}}
statuses:
  map: {Angelegt: pending, Fertig: completed, Storniert: cancelled}
  ignore: [Entwurf]
"""


ORDER = {"id": 7, "state": "fertig ", "changed": "2026-03-01 10:00:00", "mail": "kim@example.org"}


def declared(change: str = "", **parts: Any) -> DeclaredProvider:
    content = yaml.safe_load(FILE + change)
    content |= parts
    return DeclaredProvider(Declaration.model_validate(content), base_url=BASE)


CONNECTION = Connection(id="heatly-de", provider="heatly", base_url=BASE)


class Recorded:
    """Responds to every request in the same way, and records it."""

    def __init__(self, body: bytes = b"{}", status: int = 200) -> None:
        self.answer = Response(status, {}, body)
        self.asked: list[tuple[str, str, Mapping[str, str], bytes | None]] = []

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        self.asked.append((method, url, headers, body))
        return self.answer


def fetch(sign_in: dict[str, Any], credentials: dict[str, str], body: bytes = b"{}") -> Recorded:
    http = Recorded(body)
    conversation = Conversation(
        connection=CONNECTION,
        provider=declared(sign_in=sign_in, headers={"X-Version": "2"}),
        credentials=credentials,
        http=http,
        clock=lambda: NOW,
    )
    conversation.fetch(PageRequest("/orders?x=1"))
    return http


EVENTS = """\
webhooks:
  signature: standard-webhooks
  event: type
  made_at: at
  kinds:
    changed: {kind: order, order: data}
    moved: {kind: part, id: data.id, changed_at: at, facts: {appointment: data.visit}}
    touched: {kind: fetch, id: data.id}
    ping: {kind: ignore}
"""
