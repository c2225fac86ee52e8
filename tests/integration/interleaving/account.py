"""One account in which everything meets: two orders of one customer, and all that is about them.

``open_world`` makes it with the functions themselves, as the days before would have. What is on its
way at the end of that (messages, records of the stream, what is held, what is planned) is where the
interleavings begin.
"""

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from types import ModuleType
from typing import Any, Final

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.sqs.models import sqs_backends

from milepost.api.routing import SUBJECTS
from milepost.aws.dynamodb_items import from_item
from milepost.aws.notices_keys import DUE
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.notice import DEFAULT_KINDS, Channel
from milepost.notifications.subscription import Mode, Subscription
from milepost.orders.aws import index_keys
from milepost.orders.order import Kind
from milepost.orders.search_terms import customer_id_of_email
from tests.batches import sqs_batch
from tests.integration.adjusted_functions import allow_this_machine, use_clock, use_one_thread
from tests.integration.interleaving.calls import REGION, Calls, tables
from tests.integration.interleaving.command_runs import CHARGE, HOME, OWNER, File, run_command
from tests.integration.interleaving.time_and_providers import Providers, Time
from tests.integration.operator_requests import http_event, hurry
from tests.make_mail_events import LINK_KEY
from tests.signing import SECRET
from tests.stack import NOWHERE, Context, Stack, aws, template
from tests.unit.notifications.endpoints.receiver import receiving

CUSTOMER: Final[Mapping[str, str]] = {
    "firstName": "Wilhelmina",
    "lastName": "Quillfeather",
    "email": "wilhelmina.quillfeather@example.com",
    "phone": "+61 491 570 737",
}
SALES: Final = "sales@example.org"
LATE: Final = "late@example.org"
SUBSCRIBED: Final = frozenset({"sales", "late", "crm"})


@dataclass
class World:
    """The account, its functions, and what is on its way."""

    stack: Stack
    calls: Calls
    time: Time
    providers: Providers
    receiver_url: str
    apps: dict[str, ModuleType] = field(default_factory=dict)
    """Each function in an execution environment, warm from what it did before."""
    further: dict[str, ModuleType] = field(default_factory=dict)
    """Each function in a second environment, for an invocation while the first one is busy."""
    busy: list[str] = field(default_factory=list)
    """Functions that run. An environment takes one invocation at a time."""
    stream: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"announce": [], "measure_stages": []}
    )
    """Records of OrdersTable's stream that are to be handed to each of its readers."""
    parked: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """What is on its way to each function from the days before. It stays there, and is nobody's
    concern, unless one of those that meet is about it."""
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the provider has, by the name that the tests give it."""
    _images: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    @property
    def customer(self) -> str:
        return customer_id_of_email(CUSTOMER["email"])

    def load(self, function: str) -> ModuleType:
        """The function in an environment that isn't busy; created at its first use."""
        environments = self.further if function in self.busy else self.apps
        if function not in environments:
            environments[function] = self._create_environment(function)
        return environments[function]

    def create_environments(self, function: str) -> None:
        """Create both now, so that no copy of this process has to."""
        for environments in (self.apps, self.further):
            environments[function] = self._create_environment(function)

    def _create_environment(self, function: str) -> ModuleType:
        app = self.stack.load(function)
        use_clock(app, self.time.clock())
        use_one_thread(app)
        if function == "orders_api":
            hurry(app)
            # A resolver that is made while another one answers takes over what that one has read.
            for subject in SUBJECTS:
                app.api.resolver_of(subject)
        if function == "call_endpoint":
            allow_this_machine(app)
        return app

    def run(self, function: str, event: Any) -> Any:
        """The function's answer."""
        app = self.load(function)
        self.busy.append(function)
        try:
            return app.handler(json.loads(json.dumps(event)), Context())
        finally:
            self.busy.remove(function)

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "") -> Any:
        return self.run("orders_api", request(method, path, body, key=key))

    def command(self, *words: str) -> None:
        """Run a command that succeeds."""
        code, said = run_command(self.stack, *words, clock=self.time.clock())
        assert code == 0, said

    def items(self, table: str) -> list[dict[str, Any]]:
        """What a table holds, read without a call."""
        return [from_item(one) for one in _items(self.stack.resources[table])]

    def take(self, queue: str) -> list[str]:
        """The bodies of all messages in a queue, which are then on their way to its function."""
        queues = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues
        waiting = queues[self.stack.resources[queue].rpartition("/")[2]]._messages
        bodies = [message.body for message in waiting]
        waiting.clear()
        return bodies

    def unpark(self, what: str) -> list[Any]:
        """What was parked for a function, which is on its way again."""
        return self.parked.pop(what, [])

    def make_due(self) -> None:
        """Let the digest that was parked be due again."""
        for item in self.unpark(DUE):
            aws("dynamodb").put_item(TableName=self.stack.resources["NoticesTable"], Item=item)

    def put_back(self, queue: str, body: str) -> None:
        aws("sqs").send_message(QueueUrl=self.stack.resources[queue], MessageBody=body)

    def message_id_of_customers_mail(self) -> str:
        (log,) = [
            one
            for one in self.items("NoticesTable")
            if one.get("recipient") == CUSTOMER["email"] and one["pk"].startswith("order#")
        ]
        found: str = log["message_id"]
        return found

    def follow_stream(self, parameters: Mapping[str, Any]) -> None:
        """Note records of what was written to OrdersTable, as its stream would."""
        name = self.stack.resources["OrdersTable"]
        if parameters.get("TableName") != name and "TransactItems" not in parameters:
            return
        now = {(item["pk"]["S"], item["sk"]["S"]): item for item in _items(name)}
        for key in now.keys() | self._images.keys():
            before, after = self._images.get(key), now.get(key)
            if before == after:
                continue
            images = {"NewImage": after, "OldImage": before}
            record = {
                "eventID": f"{len(self.stream['announce'])}",
                "dynamodb": {
                    **{name: image for name, image in images.items() if image},
                    "Keys": {"pk": {"S": key[0]}, "sk": {"S": key[1]}},
                    "SequenceNumber": f"{time.monotonic_ns():040d}",
                },
            }
            for waiting in self.stream.values():
                waiting.append(record)
        self._images = now


def _items(table: str) -> list[dict[str, Any]]:
    stored = tables()[table].all_items()
    return [one.to_json()["Attributes"] for one in stored]


def park(world: World) -> None:
    """Keep apart what is on its way: whoever is about it takes it from there."""
    for reader, waiting in world.stream.items():
        world.parked[reader] = waiting[:]
        waiting.clear()
    for queue in ("EmailQueue", "EndpointQueue"):
        world.parked[queue] = world.take(queue)
    name = world.stack.resources["NoticesTable"]
    for item in _items(name):
        if item["pk"]["S"] == DUE:
            world.parked[DUE].append(item)
            aws("dynamodb").delete_item(TableName=name, Key={k: item[k] for k in ("pk", "sk")})


def request(method: str, path: str, body: Any = None, *, key: str = "") -> Any:
    """An operator's request."""
    made = http_event(method, path, body, role="operator", query={})
    made["headers"]["idempotency-key"] = key or sha256(made["rawPath"].encode()).hexdigest()
    return made


@contextmanager
def open_world() -> Iterator[World]:
    """The account with all that is in it."""
    with ExitStack() as closing:
        patched = closing.enter_context(pytest.MonkeyPatch.context())
        patched.setenv("POWERTOOLS_METRICS_NAMESPACE", "Milepost")
        patched.setattr(index_keys, "MOST_SHARDS", 1)
        calls, clock = Calls(), Time()
        providers = Providers(clock)
        for one in (calls, clock, providers):
            one.install(patched)
        receiver = closing.enter_context(receiving(status=204, content=b""))
        BackendDict.reset()
        world = World(Stack(), calls, clock, providers, receiver.url)
        calls.written = world.follow_stream
        _apply(world)
        _live_through_the_days_before(world)
        yield world


def subscriptions_of(world: World) -> list[Subscription]:
    home, accepted = frozenset({HOME}), frozenset({Kind.ACCEPTED})
    kinds = DEFAULT_KINDS | {Kind.OVERDUE}
    return [
        Subscription(id="sales", recipient=SALES, kinds=kinds, connections=home),
        Subscription(id="late", recipient=LATE, mode=Mode.HOURLY, kinds=accepted, connections=home),
        Subscription(
            id="crm",
            recipient=world.receiver_url,
            channel=Channel.HTTPS,
            owner=OWNER,
            kinds=accepted,
            connections=home,
        ),
    ]


def _apply(world: World) -> None:
    stack = world.stack
    stack.put_public_url(NOWHERE)
    stack.keep_secret(
        "ApiCredentials",
        {name: one.connection.credentials for name, one in world.providers.accounts.items()},
    )
    world.command("connections", "apply", _file(world), "--yes", "--prune")
    stack.keep_secret("EndpointSecrets", {"crm": SECRET})
    aws("secretsmanager").put_secret_value(
        SecretId=stack.resources["UnsubscribeSecret"], SecretString=LINK_KEY.decode()
    )
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    for one in subscriptions_of(world):
        table.put(one)
    for name, one in template().items():
        if one["Type"] == "AWS::Serverless::Function":
            world.create_environments(function_of(name))


def function_of(resource: str) -> str:
    """The function's name, of that of its resource."""
    return re.sub("(?<!^)(?=[A-Z])", "_", resource.removesuffix("Function")).lower()


def _file(world: World) -> str:
    return File(world.providers.sandboxes.url).write()


def _live_through_the_days_before(world: World) -> None:
    """One order is accepted and its notices are on their way; the other one is accepted now."""
    home, charge = world.providers.accounts[HOME], world.providers.accounts[CHARGE]
    at = lambda **ago: format_instant(world.time.start - timedelta(**ago))  # noqa: E731
    for name in ("told", "moving"):
        made = home.create_order({"customer": dict(CUSTOMER), "at": at(days=4)})
        world.orders[name] = made
    world.orders["charge"] = charge.create_order({"at": at(days=4)})
    world.time.shift = -timedelta(days=3)
    _poll(world)
    world.time.shift = -timedelta(hours=2)
    _move(world, "told", status="accepted", at=at(hours=3))
    _poll(world)
    hand_on(world, "announce")
    hand_on(world, "measure_stages")
    _send_to_customer(world)
    world.time.shift = -timedelta(hours=1)
    _move(world, "moving", status="accepted", at=at(hours=2))
    _poll(world)
    _move(world, "moving", status="scheduled", at=at(minutes=50), scheduledFor=at(days=-5))
    world.time.shift = timedelta(0)
    charge_id = world.orders["charge"]["id"]
    order = f"{CHARGE}:{charge_id}:{charge_id}"
    answer = world.ask(
        "POST", f"/orders/{order}/actions/fulfill", {"at": at(hours=-4)}, key="the-plan-before"
    )
    assert answer["statusCode"] == 200, answer
    park(world)
    _forget_what_is_warm(world)


def _move(world: World, name: str, **change: Any) -> None:
    order = world.orders[name]
    account = world.providers.accounts[HOME]
    world.orders[name] = account.move_order(order["orderId"], {**change, "webhook": False})


def _poll(world: World) -> None:
    for name in (HOME, CHARGE):
        answer = world.run("poll_orders", {"connection": name})
        assert answer["outcome"] == "complete", answer


def hand_on(world: World, reader: str) -> Any:
    """Give the stream's records to one of its readers."""
    records, world.stream[reader] = world.stream[reader], []
    return world.run(reader, {"Records": records}) if records else {}


def _send_to_customer(world: World) -> None:
    """The customer has their mail; the others' are still in the queue."""
    bodies = world.take("EmailQueue")
    theirs = [one for one in bodies if CUSTOMER["email"] in one]
    assert len(theirs) == 1, bodies
    answer = world.run("send_notice", sqs_batch(theirs))
    assert not answer["batchItemFailures"]
    for one in bodies:
        if one not in theirs:
            world.put_back("EmailQueue", one)


def _forget_what_is_warm(world: World) -> None:
    world.calls.seen.published.clear()
    world.calls.seen.requests.clear()
    world.calls.spoken.clear()
