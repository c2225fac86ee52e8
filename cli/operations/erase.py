"""``milepost erase``: removing a customer from everything, for good."""

import re
from typing import Annotated, Final

import typer

from cli.api import OrdersApi
from cli.confirming import confirm
from cli.options import JsonOption, YesOption
from cli.orders.finding import find_orders
from cli.output import tell, tell_json
from cli.parts import examples, make_part
from cli.stack import StackOption, find_stack
from milepost.finding import customer_id_of, customer_id_of_email
from milepost.order import OrderKey

app = make_part()

_CUSTOMER_ID: Final = re.compile(r"[0-9a-f]{16}")


@app.command("erase", epilog=examples("erase charlotte@example.com"))
def erase(
    customer: Annotated[
        str,
        typer.Argument(metavar="CUSTOMER", help="Their email, one of their orders, or their id."),
    ],
    *,
    stack: StackOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Erase a customer: their orders become tombstones, and all else that names them goes.

    It can't be undone. A late event does not bring them back. Repeat it when it broke off: it
    finishes what is left.
    """
    api = OrdersApi(find_stack(stack))
    customer_id = _customer_id(api, customer)
    confirm(f"Erase {customer} (customer {customer_id}) and all their orders for good?", yes=yes)
    erased = api.delete(f"/customers/{customer_id}")
    if as_json:
        tell_json(erased)
        return
    tell(f"Orders that became tombstones: {erased['orders']}.")
    for place, number in erased["removed"].items():
        tell(f"Removed from {place.replace('_', ' ')}: {number}.")


def _customer_id(api: OrdersApi, customer: str) -> str:
    if _CUSTOMER_ID.fullmatch(customer):
        return customer
    if "@" in customer:
        return customer_id_of_email(customer)
    (first, *_) = find_orders(api, customer, connection=None)
    order = api.get(f"/orders/{first}")
    return customer_id_of(order["details"], OrderKey.parse(first))
