"""Everything that actions need of one connection: orders, provider session, tables."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from milepost.actions.action import Plans
from milepost.actions.aws.scheduler import ActionSchedules
from milepost.actions.refresh import ActionContext
from milepost.aws.clients import INTERACTIVE_CONFIG, client
from milepost.aws.dynamodb_items import to_item
from milepost.connections.aws.settings import ApiCredentials, ConnectionSettings
from milepost.connections.connection import Connection
from milepost.orders.aws.erased_customers import ErasedCustomers
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import Erasures
from milepost.polling.aws.touched_orders import TouchedTable
from milepost.polling.touched_orders import MarkedOrders, Touched
from milepost.providers.http import INTERACTIVE_TIMEOUTS, ProviderHttp, ProviderPool
from milepost.providers.registry import REGISTRY, adapter_of
from milepost.providers.session import Conversation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTools:
    """Creates the dependencies of actions on an order; each has its own conversation with the
    provider.
    """

    dynamodb: "DynamoDBClient"
    orders_table: str
    touched: Touched
    connections: ConnectionSettings
    credentials: ApiCredentials
    plans: Plans
    pool: ProviderPool
    clock: Callable[[], datetime]
    erasures: Erasures
    pause: Callable[[float], None] = time.sleep

    def for_order(self, key: OrderKey) -> ActionContext:
        """The dependencies for the order's connection.

        :raises UnknownConnection: when it is not applied
        """
        connection = self.connections.get(key.connection)
        return self._for(connection, self.credentials.get(connection.id))

    def for_order_of_removed(self, key: OrderKey) -> ActionContext | None:
        """The dependencies to record something on an order whose connection is no longer applied;
        its provider can't be called. None if there is no such order, or if the provider no longer
        exists."""
        answer = self.dynamodb.get_item(
            TableName=self.orders_table,
            Key=to_item(item_key(key)),
            ProjectionExpression="provider",
            ConsistentRead=True,
        )
        if "Item" not in answer:
            return None
        provider = answer["Item"]["provider"]["S"]
        declared = self.connections.declared(provider)
        if provider not in REGISTRY and declared is None:
            return None
        gone = Connection(id=key.connection, provider=provider, base_url="", declared=declared)
        return self._for(gone, {})

    def _for(self, connection: Connection, credentials: Mapping[str, str]) -> ActionContext:
        allowed = filter(None, (connection.base_url, connection.token_url))
        return ActionContext(
            conversation=Conversation(
                connection=connection,
                provider=adapter_of(connection),
                credentials=credentials,
                http=ProviderHttp(self.pool, allowed=allowed, patience=INTERACTIVE_TIMEOUTS),
                clock=self.clock,
            ),
            orders=MarkedOrders(
                OrdersTable(self.dynamodb, table_name=self.orders_table, connection=connection),
                mark=lambda key: self.touched.mark(key.connection, [key.order_id], at=self.clock()),
            ),
            plans=self.plans,
            clock=self.clock,
            pause=self.pause,
            erasures=self.erasures,
        )

    def forget_credentials(self) -> None:
        """Read the credentials again at the next use, because the provider refused them."""
        self.credentials.forget()


def open_action_tools(
    environment: Mapping[str, str],
    *,
    dynamodb: "DynamoDBClient",
    connections: ConnectionSettings,
    clock: Callable[[], datetime],
) -> ActionTools:
    """The dependencies for the stack that the environment variables name, for callers that wait."""
    return ActionTools(
        dynamodb=dynamodb,
        orders_table=environment["ORDERS_TABLE"],
        touched=TouchedTable(dynamodb, table_name=environment["TOUCHED_TABLE"]),
        connections=connections,
        credentials=ApiCredentials(
            client("secretsmanager", config=INTERACTIVE_CONFIG),
            secret_id=environment["API_CREDENTIALS_ARN"],
            clock=time.monotonic,
        ),
        plans=ActionSchedules(
            client("scheduler", config=INTERACTIVE_CONFIG),
            group=environment["ACTION_SCHEDULES_GROUP"],
            role_arn=environment["ACTION_SCHEDULES_ROLE_ARN"],
            function_arn=environment["PERFORM_ACTION_ARN"],
            dead_letters_arn=environment["FAILED_INVOCATIONS_ARN"],
        ),
        pool=ProviderPool(maxsize=2),
        clock=clock,
        erasures=ErasedCustomers(
            dynamodb,
            table_name=environment["ERASURES_TABLE"],
            orders_table=environment["ORDERS_TABLE"],
        ),
    )
