"""Orders that were recorded like a worker records them."""

from dataclasses import replace

from milepost.orders.aws.table import OrdersTable
from milepost.orders.recording import record
from milepost.orders.report import Report
from tests.builders import OFFERGRID, RULES
from tests.stack import Stack, aws

LOOKED_AFTER = replace(OFFERGRID, contact="lead@example.org")


def orders(stack: Stack) -> OrdersTable:
    table = stack.resources["OrdersTable"]
    return OrdersTable(aws("dynamodb"), table_name=table, connection=LOOKED_AFTER)


def keep(stack: Stack, *reports: Report) -> None:
    for one in reports:
        record(one, orders=orders(stack), rules=RULES, now=one.seen_at)
