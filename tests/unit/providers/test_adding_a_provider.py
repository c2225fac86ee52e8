"""docs/add-a-provider.md, tried out: the adapter on that page, registered and put to work."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from milepost.actions.action import ActionRequest, RefusedByProvider
from milepost.actions.perform import perform
from milepost.actions.refresh import ActionContext
from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.common.strict_json import read_object
from milepost.connections.connection import Connection
from milepost.orders.order import Announcement, OrderKey, TrackedOrder
from milepost.orders.recording import record
from milepost.polling.page_cache import Seen
from milepost.polling.poll import Poll
from milepost.polling.result import PollOutcome
from milepost.polling.sinks import Sinks
from milepost.polling.state import PollState, Progress, Validator
from milepost.providers.base import Response
from milepost.providers.registry import REGISTRY, adapter
from milepost.providers.session import Conversation
from tests.fakes.polling import MemoryTouched
from tests.fakes.requests import MemoryPlans

PAGE = Path(__file__).parents[3] / "docs" / "add-a-provider.md"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CONNECTION = Connection(id="acme-1", provider="acme", base_url="https://acme.example")


class OrdersInMemory:
    def __init__(self) -> None:
        self.kept: dict[OrderKey, TrackedOrder] = {}
        self.told: list[Announcement] = []

    def read(self, key: OrderKey) -> TrackedOrder | None:
        return self.kept.get(key)

    def write(self, tracked: TrackedOrder, *, new: tuple[Announcement, ...]) -> None:
        self.kept[tracked.order.key] = tracked
        self.told.extend(new)


class PagesOfAcme:
    """Two pages of orders and then an empty one, for whoever shows the token."""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        if headers.get("authorization") != "Bearer t0ken":
            return Response(401, {}, b"")
        page = int(url.rpartition("page=")[2])
        changed = f"2026-03-0{page}T09:00:00Z"
        orders = [{"number": f"M{page}", "state": "planned", "changed": changed}]
        return Response(200, {}, json.dumps({"orders": orders if page < 3 else []}).encode())


class TooLateAtAcme:
    """Acme, where the meter was exchanged before anybody told us."""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        if (method, url) == ("POST", "https://acme.example/orders/M1/cancel"):
            return Response(409, {}, b'{"problem": "the meter is exchanged"}')
        assert (method, url) == ("GET", "https://acme.example/orders/M1")
        order = b'{"number": "M1", "state": "exchanged", "changed": "2026-03-04T09:00:00Z"}'
        return Response(200, {}, order)


class LeaseInMemory:
    state = PollState()
    is_memory_sound = True
    cursor: datetime | None = None

    def succeed(
        self,
        *,
        cursor: datetime | None,
        validator: Validator | None,
        at: datetime,
        done: Sequence[str] = (),
    ) -> None:
        self.cursor = cursor

    def pause(self, progress: Progress) -> None:
        raise AssertionError("there is time enough")

    def fail(
        self, *, error: str, at: datetime, not_before: datetime | None, starts_over: bool = False
    ) -> None:
        raise AssertionError(error)

    def give_back(self) -> None:
        raise AssertionError("there is nothing to wait for")


class PageHashesInMemory(dict[str, Seen]):
    def load(self, name: str) -> Seen:
        return self.get(name, Seen())

    def save(self, name: str, seen: Seen) -> None:
        self[name] = seen


@pytest.fixture(autouse=True)
def _acme_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code, f"{PAGE} has no Python on it"
    module = ModuleType("acme_of_the_docs")
    exec(compile(code[1], str(PAGE), "exec"), module.__dict__)  # noqa: S102 - our own page
    monkeypatch.setitem(sys.modules, "acme_of_the_docs", module)
    monkeypatch.setitem(REGISTRY, "acme", "acme_of_the_docs:Acme")  # type: ignore[arg-type]


def take_in(orders: OrdersInMemory, body: str) -> None:
    acme = adapter("acme")
    event: dict[str, Any] = read_object(body.encode())
    for report in acme.read_event(event, connection=CONNECTION, seen_at=NOW):
        record(report, orders=orders, rules=acme.rules, now=NOW)


def test_an_order_goes_through_the_three_states_of_the_new_provider() -> None:
    orders = OrdersInMemory()
    for day, state in enumerate(("received", "planned", "exchanged"), start=1):
        take_in(
            orders,
            f'{{"number": "M1", "state": "{state}", "changed": "2026-03-0{day}T09:00:00Z"}}',
        )
    (tracked,) = orders.kept.values()
    assert tracked.order.status is Status.COMPLETED
    assert [one.kind for one in orders.told] == ["accepted", "scheduled", "completed"]


def test_a_state_the_new_provider_does_not_document_raises_attention() -> None:
    orders = OrdersInMemory()
    take_in(orders, '{"number": "M1", "state": "lost", "changed": "2026-03-01T09:00:00Z"}')
    (tracked,) = orders.kept.values()
    assert tracked.order.status is Status.UNKNOWN
    assert "unknown_status" in [reason.code for reason in tracked.order.attention]


def test_a_mangled_payload_of_the_new_provider_is_refused_with_a_reason() -> None:
    with pytest.raises(BadPayload, match="changed: missing"):
        take_in(OrdersInMemory(), '{"number": "M1", "state": "planned"}')


def test_an_action_is_asked_of_the_new_provider_and_its_refusal_comes_back() -> None:
    orders, acme = OrdersInMemory(), adapter("acme")
    take_in(orders, '{"number": "M1", "state": "planned", "changed": "2026-03-01T09:00:00Z"}')
    (key,) = orders.kept
    conversation = Conversation(
        connection=CONNECTION,
        provider=acme,
        credentials={"token": "t0ken"},
        http=TooLateAtAcme(),
        clock=lambda: NOW,
    )
    tools = ActionContext(
        conversation=conversation,
        orders=orders,
        plans=MemoryPlans(),
        clock=lambda: NOW,
        pause=lambda _seconds: None,
    )
    cancel = ActionRequest(order=key, action="cancel", key="k1", person="kim")
    with pytest.raises(RefusedByProvider, match="the meter is exchanged"):
        perform(cancel, tools=tools)
    assert orders.kept[key].order.status is Status.COMPLETED


def test_the_new_provider_is_polled_to_its_last_page() -> None:
    orders, lease, acme = OrdersInMemory(), LeaseInMemory(), adapter("acme")
    sinks = Sinks(
        record=lambda report, *, announce: bool(
            record(report, orders=orders, rules=acme.rules, now=NOW, announce=announce)
        ),
        quarantine=lambda _order, reason: pytest.fail(reason),
    )
    result = Poll(
        connection=CONNECTION,
        provider=acme,
        credentials={"token": "t0ken"},
        http=PagesOfAcme(),
        hashes=PageHashesInMemory(),
        touched=MemoryTouched(),
        sinks=sinks,
        clock=lambda: NOW,
        has_time=lambda: True,
    ).run(lease)
    assert result.outcome is PollOutcome.COMPLETE
    assert sorted(key.order_id for key in orders.kept) == ["M1", "M2"]
    assert lease.cursor == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert lease.cursor < NOW - timedelta(days=1)
