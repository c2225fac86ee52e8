"""``milepost orders link``: the link to an order's tracking page."""

from typing import Annotated, Final

import typer

from cli.api import OrdersApi
from cli.command_group import examples
from cli.confirmation import confirm
from cli.local_times import UTC_ZONE, read_zone
from cli.options import JsonOption, OrderArgument, WhoseOption, YesOption, ZoneOption
from cli.orders.lookup import find_one
from cli.output import tell, tell_json, warn
from cli.stack import StackOption, find_stack

EPILOG: Final = examples("orders link PP-1", "orders link PP-1 --revoke --yes")


def link_order(
    order: OrderArgument,
    *,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="First make every earlier link invalid.")
    ] = False,
    connection: WhoseOption = None,
    zone: ZoneOption = UTC_ZONE,
    yes: YesOption = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a link to the page on which a customer follows their order.

    Whoever has the link sees the page: give it to the customer alone. The order's connection needs
    a tracking page (docs/tracking-page.md).
    """
    moments = read_zone(zone)
    found_stack = find_stack(stack)
    api = OrdersApi(found_stack)
    item = find_one(api, order, connection=connection)
    if revoke:
        confirm(f"Make every link to {item} invalid, also those in mails?", yes=yes)
        api.delete(f"/orders/{item}/tracking-link")
    made = api.get(f"/orders/{item}/tracking-link")
    url = f"{found_stack.api_url.rstrip('/')}{made['path']}"
    if as_json:
        tell_json({"order": made["order"], "url": url, "expires": made["expires"]})
        return
    tell(url)
    warn(f"Valid until {moments.minute(made['expires'])} ({moments.label}).")
