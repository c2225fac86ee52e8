"""Customers: erasing one."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from milepost.api.describing import may_answer
from milepost.api.given import Given
from milepost.api.problems import Conflict
from milepost.api.shapes import Shape
from milepost.dead_letters import InOtherHands
from milepost.recording import LostRace

router = Router()


class ErasedView(Shape):
    """What an erasure came to. An unknown customer, or one erased before, has nothing to erase."""

    customer: str
    orders: int = Field(description="Orders that became tombstones.")
    removed: dict[str, int] = Field(
        description="What else named the customer, by place: notices, quarantined, ..."
    )


@router.delete(
    "/customers/<customer>",
    summary="Erase a customer, for good",
    tags=["customers"],
    operation_id="erase_customer",
    responses=may_answer(200, 409),
)
def erase_customer(
    customer: Annotated[
        str,
        Path(description="A customer's id, as their orders name it.", pattern=r"^[0-9a-f]{16}$"),
    ],
    services: Given,
) -> ErasedView:
    try:
        erased = services.operations.erasure.erase(customer, now=services.clock())
    except InOtherHands:
        raise Conflict("Somebody is looking at dead letters: repeat it in a minute.") from None
    except LostRace:
        raise Conflict("One of their orders is being written again and again: repeat it.") from None
    return ErasedView(customer=customer, orders=erased.orders, removed=dict(erased.traces))
