"""A service with which people run actions: with real sandboxes, and orders in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.sandboxes import Sandboxes
from milepost.actions.action import ActionRequest, PlannedCall
from milepost.actions.perform import perform, run_planned
from milepost.actions.refresh import ActionContext
from milepost.actions.schedule import call_off
from milepost.connections.connection import Connection
from milepost.orders.action_results import ActionDone
from milepost.orders.order import Order, OrderKey, TrackedOrder
from milepost.orders.recording import record
from milepost.orders.report import Report, Source
from milepost.providers.http import INTERACTIVE_TIMEOUTS, ProviderHttp, ProviderPool
from milepost.providers.registry import adapter
from milepost.providers.session import Conversation
from tests.fakes.orders import MemoryOrders
from tests.fakes.requests import MemoryPlans

OG, RABOT, SUBS, SPIRII = "offergrid-home", "rabot-energy", "subs-grid", "spirii-charge"
PROVIDERS = {
    OG: "offergrid",
    RABOT: "rabot",
    SUBS: "subs",
    SPIRII: "spirii",
}
HTTP = ProviderPool()


@dataclass
class Counter:
    """Runs people's actions, and shows what is stored and which requests the provider got."""

    sandboxes: Sandboxes
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    plans: MemoryPlans = field(default_factory=MemoryPlans)
    ahead: timedelta = timedelta(0)
    """How far our clock is ahead of the real one."""
    pauses: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def connection(self, name: str) -> Connection:
        url = self.sandboxes.url(name)
        return Connection(
            id=name, provider=PROVIDERS[name], base_url=url, token_url=f"{url}/connect/token"
        )

    def tools(self, name: str) -> ActionContext:
        connection = self.connection(name)
        allowed = [connection.base_url]
        return ActionContext(
            conversation=Conversation(
                connection=connection,
                provider=adapter(connection.provider),
                credentials=self.sandboxes.accounts[name].connection.credentials,
                http=ProviderHttp(HTTP, allowed=allowed, patience=INTERACTIVE_TIMEOUTS),
                clock=self.now,
            ),
            orders=self.orders,
            plans=self.plans,
            clock=self.now,
            pause=self.pauses.append,
        )

    def create(self, name: str, **fields: Any) -> OrderKey:
        """An order in the sandbox, in the form in which a poll would have recorded it."""
        account = self.sandboxes.accounts[name]
        with account.lock:
            said = account.create_order(fields)
            id = account.id_of(said)
        self.poll(name, id)
        return next(key for key in self.orders.kept if key.order_id == id)

    def poll(self, name: str, id: str) -> None:
        account, provider = self.sandboxes.accounts[name], adapter(PROVIDERS[name])
        with account.lock:
            reports = provider.read_order(
                account.find_order(id),
                connection=self.connection(name),
                requested_at=self.now() - timedelta(seconds=1),
            )
        for report in reports:
            record(report, orders=self.orders, rules=provider.rules, now=self.now())

    def move(self, key: OrderKey, *, seen: bool = True, **change: Any) -> None:
        """Change the order in the sandbox; with ``seen``, also record the change."""
        account = self.sandboxes.accounts[key.connection]
        item = {"itemId": key.item_id} if key.item_id != key.order_id else {}
        with account.lock:
            account.move_order(key.order_id, {**item, **change})
        if seen:
            self.poll(key.connection, key.order_id)

    def ask(self, key: OrderKey, action: str, *, id: str = "k1", **arguments: Any) -> ActionDone:
        return perform(request(key, action, id=id, **arguments), tools=self.tools(key.connection))

    def plan(self, key: OrderKey, action: str, *, at: datetime, id: str = "p1") -> ActionDone:
        wanted = ActionRequest(order=key, action=action, key=id, person="kim", planned_for=at)
        return perform(wanted, tools=self.tools(key.connection))

    def call_off(self, key: OrderKey, action: str, *, id: str = "c1") -> ActionDone:
        return call_off(request(key, action, id=id), tools=self.tools(key.connection))

    def run_due(self) -> list[ActionDone | None]:
        """Run all actions that are due, like the schedules would, each once."""
        due = [call for call, at in self.plans.due.items() if at <= self.now()]
        for call in due:
            self.plans.drop(call)
        return [self.run(call) for call in due]

    def run(self, call: PlannedCall) -> ActionDone | None:
        return run_planned(call, tools=self.tools(call.order.connection))

    def order(self, key: OrderKey) -> Order:
        return self.orders.kept[key].order

    def tracked(self, key: OrderKey) -> TrackedOrder:
        return self.orders.kept[key]

    def by_people(self, key: OrderKey) -> Sequence[Report]:
        """People's actions on the timeline."""
        entries = self.order(key).timeline
        return [e.report for e in entries if e.report.source is Source.PERSON]

    def noted(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The requests to the provider's staff."""
        account = self.sandboxes.accounts[name]
        with account.lock:
            return list(account.actions)


def request(key: OrderKey, action: str, *, id: str = "k1", **arguments: Any) -> ActionRequest:
    return ActionRequest(order=key, action=action, key=id, person="kim", arguments=arguments)
