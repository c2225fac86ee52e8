"""``milepost suppressions``: addresses to which no mail may be sent: list and lift."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.errors import CannotDo, WrongUse
from cli.local_times import UTC_ZONE, read_zone
from cli.options import CsvOption, JsonOption, YesOption, ZoneOption
from cli.output import tell, tell_csv, tell_json, tell_table
from cli.stack import StackOption, find_stack
from milepost.api.text_patterns import SUPPRESSION_ID
from milepost.exports.list_columns import SUPPRESSIONS

app = make_part("Addresses to which no mail may be sent: they bounced, complained, unsubscribed.")


@app.command("list", epilog=examples("suppressions list", "suppressions list --all --csv"))
def list_suppressions(
    *,
    address: Annotated[
        str | None, typer.Option("--address", help="Only this address, in any spelling.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="The maximum number of addresses.")
    ] = 50,
    all_: Annotated[bool, typer.Option("--all", help="All addresses.")] = False,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List suppressions, the newest first. An address is known unless its customer unsubscribed by
    a link or was erased."""
    moments = read_zone(zone)
    found: list[Mapping[str, Any]] = []
    following = None
    for page in OrdersApi(find_stack(stack)).pages(
        "/suppressions",
        items="suppressions",
        resume_by="cursor",
        most=None if all_ else limit,
        address=address,
    ):
        found += page["suppressions"]
        following = page["next"]
    if as_json:
        tell_json({"suppressions": found, "next": following})
        return
    if as_csv:
        tell_csv(SUPPRESSIONS, found)
        return
    if not found:
        tell("No address is suppressed.")
        return
    tell_table(
        [f"since ({moments.label})", "id", "address", "of", "reason"],
        [
            [
                moments.minute(one["since"]),
                one["id"],
                one["address"] or "",
                one["audience"] or "everybody",
                one["reason"],
            ]
            for one in found
        ],
        drop=("of",),
    )
    if following:
        tell(f"{len(found)} addresses; there are more: --limit or --all.")


@app.command("lift", epilog=examples("suppressions lift sales@example.org --yes"))
def lift_suppression(
    address: Annotated[
        str,
        typer.Argument(metavar="ADDRESS|ID", help="An address, or an id from `suppressions list`."),
    ],
    *,
    yes: YesOption = False,
    stack: StackOption = None,
) -> None:
    """Lift the suppression of an address, because its owner asks for it or the mailbox works again.

    Somebody who unsubscribed or complained wants no mails: ask them first. With an address, all its
    suppressions are lifted; with an id, one.
    """
    api = OrdersApi(find_stack(stack))
    found = _find(api, address)
    reasons = "; ".join(dict.fromkeys(str(one["reason"]) for one in found if one["reason"]))
    said = f"{address} is suppressed ({reasons})." if reasons else f"This lifts {address}."
    confirm(f"{said} Send mails to it again?", yes=yes)
    for one in found:
        api.delete(f"/suppressions/{one['id']}")
    tell(f"{address} gets mails again.")


def _find(api: OrdersApi, address: str) -> Sequence[Mapping[str, Any]]:
    """:raises CannotDo: when the address is not suppressed
    :raises WrongUse: when it is neither an address nor an id
    """
    if "@" not in address:
        if not re.fullmatch(SUPPRESSION_ID, address):
            raise WrongUse(f"{address} is no email address, and no id of `suppressions list`.")
        return [{"id": address, "reason": None}]
    found: Sequence[Mapping[str, Any]] = api.get("/suppressions", address=address)["suppressions"]
    if not found:
        raise CannotDo(
            f"{address} is not suppressed: `milepost suppressions "
            "list` shows the addresses that are."
        )
    return found
