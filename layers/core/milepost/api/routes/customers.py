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

    id: str = Field(description="Their id, as their orders have it.", examples=["12f803998b2500a3"])
    name: str | None = Field(
        description="The name of the business, or else of the person; null if unknown."
    )
    orders: int = Field(description="The number of their orders; 0 for a customer who was erased.")


class CustomersView(Shape):
    """Who has a phone number."""

    customers: list[CustomerView] = Field(
        description="Customers with the most orders first; several if people "
        "share a number. A customer who was erased in the last 16 "
        "days is found if only the number was known."
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
    where: str = Field(description="Its id there; empty for everything else in that place.")
    why: str


class ErasedView(Shape):
    """The result of an erasure. Repeating it finds nothing to erase."""

    customer: str
    found: bool = Field(
        description="False if there is no data of such a customer, and was "
        "none in the last days: the id, or the address from which "
        "it was derived, is probably wrong."
    )
    dry_run: bool = Field(description="True for a dry run: nothing was changed.")
    orders: int = Field(
        description="Orders that became tombstones, including those found since the last erasure."
    )
    order_ids: list[str] = Field(description="The orders that this erasure found.")
    removed: dict[str, int] = Field(
        description="Other data of the customer that was removed, by place: "
        "notices, quarantined, ..."
    )
    removed_ids: dict[str, list[str]] = Field(description="The ids of the removed data.")
    left: list[LeftView] = Field(
        description="Data that names the customer and may also belong to somebody else: check it."
    )
    goes_on: list[str] = Field(
        description="Places that take longer: they are searched within 15 minutes."
    )
    not_looked_at: dict[str, str] = Field(
        description="Places that could not be searched, and why; the response "
        "to an erasure is then 409."
    )
    remembered_until: str | None = Field(
        description="Until when data that arrives late is erased too."
    )


@router.delete(
    "/customers/<customer>",
    summary="Erase a customer permanently",
    description="With `dry_run=true` nothing is changed: the response says what would be.",
    tags=["customers"],
    operation_id="erase_customer",
    responses=may_answer(200, 409),
)
def erase_customer(
    customer: Annotated[
        str,
        Path(
            description="A customer's id, as their orders have it.",
            pattern=text_patterns.CUSTOMER_ID,
        ),
    ],
    services: Given,
    dry_run: Annotated[
        bool, Query(description="Return what would be erased, and change nothing.")
    ] = False,
) -> ErasedView:
    try:
        erased = services.operations.erasure.erase(customer, now=services.clock(), dry_run=dry_run)
    except Incomplete as why:
        raise Conflict(f"{why}. Data in other places was erased: repeat the request.") from None
    except LostRace:
        raise Conflict(
            "One of their orders is being changed at the moment: repeat the request."
        ) from None
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
