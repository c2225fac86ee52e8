"""``milepost erase``: erases a customer everywhere, irreversibly."""

import re
from typing import Annotated, Any, Final

import typer

from cli.api import NoSuchThing, OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm_by_typing
from cli.errors import CannotDo, WrongUse
from cli.options import JsonOption, YesOption
from cli.orders.lookup import find_orders
from cli.output import is_interactive, tell, tell_json
from cli.stack import StackOption, find_stack
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import customer_id_of, customer_id_of_email, phone_ids
from milepost.queries.customer_lookup import is_phone

app = make_part()

_CUSTOMER_ID: Final = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{8})?")


class NobodyFound(CannotDo):
    """There is no such customer; the text says where the command searched."""


DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be erased, and change nothing.")
]


@app.command(
    "erase", epilog=examples("erase charlotte@example.com --dry-run", "erase charlotte@example.com")
)
def erase(
    customer: Annotated[
        str,
        typer.Argument(
            metavar="CUSTOMER", help="Their email, phone, one of their orders, or their id."
        ),
    ],
    *,
    dry_run: DryRunOption = False,
    stack: StackOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Erase a customer: their orders become tombstones, and all other data that names them is
    removed.

    It can't be undone. A late event does not restore the data. If the command was interrupted,
    repeat it: it removes the rest. Data that names the customer and may also belong to somebody
    else stays, and is shown. Exit code 1 if nobody was found.

    Example: milepost erase charlotte@example.com --dry-run
    """
    api = OrdersApi(find_stack(stack))
    customer_id = _customer_id(api, customer)
    path = f"/customers/{customer_id}"
    if dry_run:
        _show(customer, api.delete(path, dry_run="true"), as_json=as_json)
        return
    if not yes and is_interactive():
        _show(customer, api.delete(path, dry_run="true"), as_json=False)
    question = f"Erase {customer} (customer {customer_id}) and all their orders permanently?"
    confirm_by_typing(question, expected=customer, yes=yes)
    _show(customer, api.delete(path), as_json=as_json)


def _show(customer: str, erased: dict[str, Any], *, as_json: bool) -> None:
    """Print the result.

    :raises NobodyFound: when nothing of such a customer was found
    """
    if as_json:
        tell_json(erased)
    elif erased["found"]:
        _tell(erased)
    else:
        _show_open_places(erased)
    if not erased["found"]:
        raise NobodyFound(_nobody(customer, erased))


def _nobody(customer: str, erased: dict[str, Any]) -> str:
    said = f"Nobody was found by {customer}: no order and no other data names them."
    if erased["not_looked_at"] or erased["goes_on"]:
        said = f"Nobody was found by {customer} so far."
    return f"{said} Check the spelling, or use one of their orders or their id."


def _tell(erased: dict[str, Any]) -> None:
    would = "would become" if erased["dry_run"] else "became"
    tell(f"Orders that {would} tombstones: {erased['orders']}.")
    for order in erased["order_ids"]:
        tell(f"  {order}")
    verb = "Would be removed" if erased["dry_run"] else "Removed"
    for place, number in erased["removed"].items():
        tell(f"{verb} from {place.replace('_', ' ')}: {number}.")
        for one in erased["removed_ids"][place] if erased["dry_run"] else ():
            tell(f"  {one}")
    _show_open_places(erased)
    for left in erased["left"]:
        tell(f"Check {left['place'].replace('_', ' ')} {left['where']}: {left['why']}.")


def _show_open_places(erased: dict[str, Any]) -> None:
    """The places that were not searched, and until when data that appears later is erased."""
    for place, why in erased["not_looked_at"].items():
        tell(f"Could not search {place.replace('_', ' ')}: {why}.")
    for place in erased["goes_on"]:
        tell(
            f"{place.replace('_', ' ')} has not been searched completely: this "
            "continues automatically."
        )
    if erased["remembered_until"]:
        tell(f"Data that arrives late is erased too, until {erased['remembered_until']}.")


def _customer_id(api: OrdersApi, customer: str) -> str:
    if _CUSTOMER_ID.fullmatch(customer):
        return customer
    if "@" in customer:
        return customer_id_of_email(customer)
    try:
        (first, *_) = find_orders(api, customer, connection=None)
    except NoSuchThing:
        if is_phone(customer):
            return _customer_id_of_phone(api, customer)
        raise
    order = api.get(f"/orders/{first}")
    return customer_id_of(order["details"], OrderKey.parse(first))


def _customer_id_of_phone(api: OrdersApi, phone: str) -> str:
    """The id of the customer with this number.

    :raises WrongUse: when several have
    """
    found = api.get("/customers", phone=phone)["customers"]
    if len(found) > 1:
        lines = "\n".join(f"  {one['id']}  {one['name'] or ''}".rstrip() for one in found)
        raise WrongUse(
            f"{phone} is the number of several customers. Erase each by their id:\n{lines}"
        )
    # What is kept elsewhere of somebody without an order may still name the number.
    return found[0]["id"] if found else phone_ids(phone)[0]
