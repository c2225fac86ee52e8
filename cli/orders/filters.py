"""Filters of order lists: options of the command, and the API's query parameters."""

from typing import Annotated, Any, TypeAlias

import typer

from milepost.common.status import Status
from milepost.queries.list_choices import Due, Sort

Statuses: TypeAlias = Annotated[
    list[Status] | None,
    typer.Option("--status", help="May be repeated; without it, every open one."),
]
ProviderName: TypeAlias = Annotated[str | None, typer.Option("--provider", help="Such as spirii.")]
RawStatus: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--raw-status",
        metavar="WORD",
        help="The provider's own word, such as 'Contract Generated'.",
    ),
]
ServiceType: TypeAlias = Annotated[
    str | None, typer.Option("--service-type", help="Such as broadband.")
]
AttentionCode: TypeAlias = Annotated[
    str | None,
    typer.Option("--attention", metavar="CODE", help="A reason to look, such as overdue, or any."),
]
DueOption: TypeAlias = Annotated[
    Due | None, typer.Option("--due", help="By the calendar of each order's connection.")
]
FirstDay: TypeAlias = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="First day of the next date.")
]
LastDay: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="DAY", help="Last day of the next date.")
]
Waiting: TypeAlias = Annotated[
    str | None,
    typer.Option("--waiting", metavar="FOR", help="What the customer has to do first, or any."),
]
Reference: TypeAlias = Annotated[
    str | None, typer.Option("--reference", help="How words of the reference begin.")
]
CustomerWords: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--customer",
        help="A customer's id, or how words of name, email, phone or number begin.",
    ),
]
Product: TypeAlias = Annotated[
    str | None, typer.Option("--product", help="How words of the product or supplier begin.")
]
PlaceWords: TypeAlias = Annotated[
    str | None, typer.Option("--place", help="How words of the address begin.")
]
UpdatedSince: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--updated-since", metavar="TIME", help="Updated then or later: 2026-03-01T09:00:00Z."
    ),
]
SortOption: TypeAlias = Annotated[
    Sort, typer.Option("--sort", help="By anything but next_date: lists of up to 2,000 orders.")
]
SearchText: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--search",
        "-q",
        help="How words begin: of name, address, email, phone, ids, reference, meter, MaLo, serial "
        "or invoice number.",
    ),
]


def as_query(
    *,
    statuses: list[Status] | None,
    connections: list[str] | None,
    provider: str | None = None,
    raw_status: str | None = None,
    service_type: str | None = None,
    attention: str | None = None,
    due: Due | None = None,
    first_day: str | None = None,
    last_day: str | None = None,
    waiting: str | None = None,
    reference: str | None = None,
    customer: str | None = None,
    product: str | None = None,
    place: str | None = None,
    updated_since: str | None = None,
    search: str | None = None,
) -> dict[str, Any]:
    """The parameters of ``GET /orders``; what was not asked for is None."""
    return {
        "status": [str(one) for one in statuses] if statuses else None,
        "connection": connections or None,
        "provider": provider,
        "raw_status": raw_status,
        "service_type": service_type,
        "attention": attention,
        "due": str(due) if due else None,
        "from": first_day,
        "to": last_day,
        "waiting": waiting,
        "reference": reference,
        "customer": customer,
        "product": product,
        "place": place,
        "updated_since": updated_since,
        "q": search,
    }
