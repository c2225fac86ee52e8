"""Notices of every order: the filters of ``milepost notices list``, and what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

import typer

from cli.api import OrdersApi
from cli.local_times import read_moment
from cli.options import ConnectionsOption
from cli.output import tell, tell_folded, tell_row
from milepost.common.timestamps import parse_instant
from milepost.notifications.notice import Audience, Channel, State
from milepost.notifications.notice_list import UNDELIVERED, WantedNotices
from milepost.orders.order import Kind

Listed: TypeAlias = Mapping[str, Any]


_COLUMNS: Final = ("when", "kind", "audience", "channel", "state", "order")
_WIDTHS: Final = (16, 11, 8, 7, 10, 20)

OptionalOrder = Annotated[
    str | None,
    typer.Argument(
        metavar="[ORDER]",
        help="Notices of this order, or of a customer's email; by default of all orders.",
        show_default=False,
    ),
]


@dataclass(frozen=True, kw_only=True)
class NoticeFilters:
    """Filters of notices. None, or False, doesn't limit the list."""

    connection: ConnectionsOption = None
    state: Annotated[
        list[State] | None, typer.Option("--state", help="May be repeated; by default all.")
    ] = None
    undelivered: Annotated[
        bool,
        typer.Option(
            "--undelivered",
            help="Notices that nobody received: skipped, suppressed, failed, bounced.",
        ),
    ] = False
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Text that the reason contains.")
    ] = None
    audience: Annotated[Audience | None, typer.Option("--audience")] = None
    kind: Annotated[list[Kind] | None, typer.Option("--kind", help="May be repeated.")] = None
    channel: Annotated[Channel | None, typer.Option("--channel")] = None
    recipient: Annotated[
        str | None,
        typer.Option("--to", metavar="RECIPIENT", help="An address in any spelling, or a URL."),
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="At this time or later: an instant, or 90m, 6h, 3d ago."
        ),
    ] = None
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Before this time, written as for --since."),
    ] = None

    def wanted(self) -> WantedNotices:
        """The filters of these options, for any connection.

        :raises WrongUse: when a time can't be read
        """
        first = read_moment(self.since, option="--since")
        last = read_moment(self.until, option="--until")
        return WantedNotices(
            states=frozenset({*(self.state or ()), *(UNDELIVERED if self.undelivered else ())}),
            kinds=frozenset(self.kind or ()),
            audience=self.audience,
            channel=self.channel,
            recipient=self.recipient,
            reason=self.reason,
            since=parse_instant(first) if first else None,
            until=parse_instant(last) if last else None,
        )


def read_notices(
    api: OrdersApi, wanted: WantedNotices, connections: list[str] | None, *, most: int | None
) -> dict[str, Any]:
    """Notices of all orders, up to a number, and the cursor of the next page."""
    found: list[Listed] = []
    following = None
    for page in api.pages(
        "/notices",
        items="notices",
        resume_by="cursor",
        most=most,
        state=sorted(map(str, wanted.states)),
        kind=sorted(map(str, wanted.kinds)),
        connection=connections or [],
        audience=wanted.audience,
        channel=wanted.channel,
        recipient=wanted.recipient,
        reason=wanted.reason,
        since=wanted.since.isoformat() if wanted.since else None,
        until=wanted.until.isoformat() if wanted.until else None,
    ):
        found += page["notices"]
        following = page["next"]
    return {"notices": found, "next": following}


def show_notices(found: Mapping[str, Any], *, with_ids: bool) -> None:
    """Print two lines for each notice: kind and state, then recipient and reason."""
    notices = found["notices"]
    if not notices:
        tell("The log has no such notice.")
        return
    tell_row(_COLUMNS, _WIDTHS, style="bold")
    for one in notices:
        minute = str(one["at"] or "")[:16].replace("T", " ")
        kind, audience, channel = one["kind"], one["audience"], one["channel"]
        tell_row((minute, kind, audience, channel, one["state"], one["order"]), _WIDTHS)
        why = f": {one['reason']}" if one["reason"] else ""
        tell_folded(f"{one['recipient'] or 'nobody'}{why}", indent=4)
        if with_ids:
            tell(f"    {one['id']}")
    if found["next"]:
        tell(f"{len(notices)} notices; there are more: --limit or --all.")
