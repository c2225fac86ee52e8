"""Customers: find them by their phone number, erase a customer."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from milepost.api import text_patterns
from milepost.api.dependencies import Given, Services
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.problems import Conflict, Fault, Problem
from milepost.common.timestamps import format_instant
from milepost.operations.erasure.erase import Erased, Incomplete
from milepost.orders.recording import LostRace
from milepost.queries.customer_lookup import (
    FoundCustomer,
    customers_by_phone,
    ids_of_phone,
    is_phone,
)
from milepost.queries.phone_words import FEWEST_DIGITS

router = Router()


class CustomerView(Shape):
    """A customer with this phone number."""

    id: str = Field(description="As their orders name it.", examples=["12f803998b2500a3"])
    name: str | None = Field(description="The business, else the person; null where unknown.")
    orders: int = Field(description="How many orders name them; 0 of somebody who was erased.")


class CustomersView(Shape):
    """Who has a phone number."""

    customers: list[CustomerView] = Field(
        description="Those with most orders first; several where people share a number. Somebody "
        "who was erased in the last 16 days is found if nothing but the number was known of them."
    )


@router.get(
    "/customers",
    summary="The customers with a phone number, however it is written",
    tags=["customers"],
    operation_id="find_customers",
    responses=may_answer(200),
)
def find_customers(
    services: Given,
    *,
    phone: Annotated[
        str,
        Query(
            description="The whole number. Without its country, it is read as one of the "
            "countries of the connections.",
            min_length=1,
            max_length=64,
        ),
    ],
) -> CustomersView:
    if not is_phone(phone):
        what = f"a phone number has {FEWEST_DIGITS} digits and more, and no letters"
        raise Problem(422, f"{what}.", errors=[Fault(where="query.phone", what=what)])
    found = find_by_phone(phone, services) or _erased_lately(phone, services)
    return CustomersView(
        customers=[CustomerView(id=one.id, name=one.name, orders=one.orders) for one in found]
    )


def find_by_phone(phone: str, services: Services) -> list[FoundCustomer]:
    """The customers with this number at the connections that the caller may see."""
    return customers_by_phone(
        phone, search=services.search, lists=services.lists, countries=_countries(services)
    )


def _erased_lately(phone: str, services: Services) -> list[FoundCustomer]:
    if services.narrowed_to is not None:
        return []
    ids = ids_of_phone(phone, countries=_countries(services).values())
    erased = services.operations.erasure.remembered_among(ids)
    return [FoundCustomer(id=erased, name=None, orders=0)] if erased else []


def _countries(services: Services) -> dict[str, str]:
    return {name: one.country for name, one in services.connections.all().items()}


class LeftView(Shape):
    """Data that may be the customer's and was not erased, for a person to check."""

    place: str
    where: str = Field(description="Its id there; empty for the rest of a place.")
    why: str


class ErasedView(Shape):
    """The result of an erasure. Repeating it finds nothing to erase."""

    customer: str
    found: bool = Field(
        description="False when nothing of such a customer is, or was within the last days, "
        "anywhere: the id or the address it was made of is likely wrong."
    )
    dry_run: bool = Field(description="True when nothing was changed: it says what would be.")
    orders: int = Field(
        description="Orders that became tombstones, also those found since the last erasure."
    )
    order_ids: list[str] = Field(description="Those of them that this erasure found.")
    removed: dict[str, int] = Field(
        description="What else was the customer's, by place: notices, quarantined, ..."
    )
    removed_ids: dict[str, list[str]] = Field(description="The ids of the same.")
    left: list[LeftView] = Field(
        description="What names the customer and isn't known to be theirs alone: look at it."
    )
    goes_on: list[str] = Field(
        description="Places that take longer: they are looked through within 15 minutes."
    )
    not_looked_at: dict[str, str] = Field(
        description="Places that could not be looked at, and why: an erasure answers 409 then."
    )
    remembered_until: str | None = Field(
        description="Until when what shows up late is erased as well."
    )


@router.delete(
    "/customers/<customer>",
    summary="Erase a customer, for good",
    description="With `dry_run=true` nothing is changed: the answer says what would be.",
    tags=["customers"],
    operation_id="erase_customer",
    responses=may_answer(200, 409),
)
def erase_customer(
    customer: Annotated[
        str,
        Path(
            description="A customer's id, as their orders name it.",
            pattern=text_patterns.CUSTOMER_ID,
        ),
    ],
    services: Given,
    dry_run: Annotated[
        bool, Query(description="Say what would be erased, and change nothing.")
    ] = False,
) -> ErasedView:
    try:
        erased = services.operations.erasure.erase(customer, now=services.clock(), dry_run=dry_run)
    except Incomplete as why:
        raise Conflict(f"{why}. What was found elsewhere is erased: repeat it.") from None
    except LostRace:
        raise Conflict("One of their orders is being written again and again: repeat it.") from None
    return _view(erased)


def _view(erased: Erased) -> ErasedView:
    until = erased.remembered_until
    return ErasedView(
        customer=erased.customer_id,
        found=erased.is_anybody,
        dry_run=erased.dry_run,
        orders=erased.orders,
        order_ids=list(erased.order_ids),
        removed=dict(erased.traces),
        removed_ids={place: list(ids) for place, ids in erased.found.items()},
        left=[LeftView(place=one.place, where=one.where, why=one.why) for one in erased.left],
        goes_on=list(erased.unfinished),
        not_looked_at=dict(erased.not_read),
        remembered_until=format_instant(until) if until else None,
    )
