"""Filters of order lists: options of the command, and the API's query parameters."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import typer

from cli.options import ConnectionsOption
from milepost.common.status import Status
from milepost.queries.list_choices import Due, Sort

SortOption: TypeAlias = Annotated[
    Sort, typer.Option("--sort", help="Sort by this; lists of over 2,000 orders only by next_date.")
]


@dataclass(frozen=True, kw_only=True)
class OrderFilters:
    """Filters of orders. None doesn't limit the list."""

    status: Annotated[
        list[Status] | None,
        typer.Option("--status", help="May be repeated; without it, every open one."),
    ] = None
    connection: ConnectionsOption = None
    provider: Annotated[str | None, typer.Option("--provider", help="Such as spirii.")] = None
    raw_status: Annotated[
        str | None,
        typer.Option(
            "--raw-status",
            metavar="WORD",
            help="The provider's own word, such as 'Contract Generated'.",
        ),
    ] = None
    service_type: Annotated[
        str | None, typer.Option("--service-type", help="Such as broadband.")
    ] = None
    attention: Annotated[
        str | None,
        typer.Option(
            "--attention", metavar="CODE", help="A reason to look, such as overdue, or any."
        ),
    ] = None
    due: Annotated[
        Due | None, typer.Option("--due", help="By the calendar of each order's connection.")
    ] = None
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day of the next date.")
    ] = None
    last_day: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last day of the next date.")
    ] = None
    waiting: Annotated[
        str | None,
        typer.Option("--waiting", metavar="FOR", help="What the customer has to do first, or any."),
    ] = None
    reference: Annotated[
        str | None, typer.Option("--reference", help="Words of the reference, or their beginnings.")
    ] = None
    customer: Annotated[
        str | None,
        typer.Option(
            "--customer",
            help="A customer's id, or words of name, email, phone or number, or their beginnings.",
        ),
    ] = None
    product: Annotated[
        str | None,
        typer.Option("--product", help="Words of the product or supplier, or their beginnings."),
    ] = None
    place: Annotated[
        str | None, typer.Option("--place", help="Words of the address, or their beginnings.")
    ] = None
    updated_since: Annotated[
        str | None,
        typer.Option(
            "--updated-since", metavar="TIME", help="Updated then or later: 2026-03-01T09:00:00Z."
        ),
    ] = None
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            "-q",
            help="Words, or their beginnings, of name, address, email, phone, ids, reference, "
            "meter, MaLo, serial or invoice number.",
        ),
    ] = None

    def as_query(self, sort: Sort = Sort.NEXT_DATE) -> dict[str, Any]:
        """The parameters of ``GET /orders``; filters that aren't set are None."""
        return {
            "status": [str(one) for one in self.status] if self.status else None,
            "connection": self.connection or None,
            "provider": self.provider,
            "raw_status": self.raw_status,
            "service_type": self.service_type,
            "attention": self.attention,
            "due": str(self.due) if self.due else None,
            "from": self.first_day,
            "to": self.last_day,
            "waiting": self.waiting,
            "reference": self.reference,
            "customer": self.customer,
            "product": self.product,
            "place": self.place,
            "updated_since": self.updated_since,
            "q": self.search,
            "sort": None if sort is Sort.NEXT_DATE else str(sort),
        }
