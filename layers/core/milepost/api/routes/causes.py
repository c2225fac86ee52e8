"""Causes: why orders ended without success, and whether known meters made others faster."""

from collections.abc import Mapping
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.api.dependencies import Given, Services
from milepost.api.filters import (
    ConnectionFilter,
    FirstMonth,
    LastMonth,
    Text,
    check_connections,
    check_service_type,
)
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.routes.stages import months_asked_for
from milepost.common.causes import CAUSES, NONE
from milepost.orders.details import MALO, METER_NUMBER
from milepost.queries.cause_figures import (
    IDENTIFIERS,
    UNSUCCESSFUL,
    AcceptanceFigures,
    OutcomeFigures,
    with_shares,
)

router = Router()

PROMISED: Final[Mapping[tuple[str, str], float]] = {
    ("rabot", METER_NUMBER): 0.8,
    ("rabot", MALO): 0.9,
}
"""How much faster orders are, by the provider. Source: RABOT's partner documentation."""


class CauseView(Shape):
    """Orders of one connection, service type and month that ended with the same status and
    cause."""

    connection: str
    service_type: str | None
    month: str = Field(description="The month in which they ended (UTC).", examples=["2026-03"])
    outcome: str = Field(description=f"One of {', '.join(UNSUCCESSFUL)}.")
    cause: str = Field(description=f"One of {', '.join((*CAUSES, NONE))}.")
    count: int
    share: float = Field(
        description="The share of all orders with the same connection, service "
        "type, month and outcome; 0 to 1."
    )


class AcceptanceView(Shape):
    """The time from an order's first report until it was accepted, in seconds."""

    connection: str
    service_type: str | None
    identifiers: str = Field(
        description=f"What was known while they were pending: one of {', '.join(IDENTIFIERS)}."
    )
    count: int
    mean: float = Field(description="Exact.")
    median: float = Field(description="To within 2.5%.")
    faster: float | None = Field(
        description="By which share the mean is shorter than that of orders "
        "with neither number; negative if it is longer. Null if "
        "there is nothing to compare with."
    )
    promised: float | None = Field(description="The same as promised by the provider.")


class CausesView(Shape):
    """Why orders ended without success, and how long orders took to be accepted."""

    months: list[str]
    causes: list[CauseView]
    acceptance: list[AcceptanceView] = Field(
        description="For connections and service types where at least one "
        "order had one of the numbers."
    )


@router.get(
    "/causes",
    summary="Why orders were rejected, failed or were cancelled, and what made others faster",
    tags=["figures"],
    operation_id="show_causes",
    responses=may_answer(200),
)
def show_causes(
    services: Given,
    *,
    connection: ConnectionFilter = None,
    service_type: Annotated[Text | None, Query()] = None,
    first_month: FirstMonth = None,
    last_month: LastMonth = None,
) -> CausesView:
    check_connections(connection, services)
    months = months_asked_for(first_month, last_month, now=services.clock())
    names = connection or services.connection_ids()
    outcomes = [
        one
        for one in with_shares(services.figures.outcomes(names, months=months))
        if service_type in (None, one.key.service_type)
    ]
    acceptances = [
        one
        for one in services.figures.acceptances(names, months=months)
        if service_type in (None, one.service_type)
    ]
    if not outcomes and not acceptances:
        check_service_type(service_type, services)
    return CausesView(
        months=months,
        causes=[_cause_view(one) for one in outcomes],
        acceptance=[_acceptance_view(one, services) for one in acceptances],
    )


def _cause_view(one: OutcomeFigures) -> CauseView:
    return CauseView(
        connection=one.key.connection,
        service_type=one.key.service_type or None,
        month=one.key.month,
        outcome=one.key.status,
        cause=one.key.cause,
        count=one.count,
        share=one.share,
    )


def _acceptance_view(one: AcceptanceFigures, services: Services) -> AcceptanceView:
    connection = services.connections.all().get(one.connection)
    provider = connection.provider if connection else ""
    return AcceptanceView(
        connection=one.connection,
        service_type=one.service_type or None,
        identifiers=one.identifiers,
        count=one.count,
        mean=one.mean,
        median=one.median,
        faster=one.faster,
        promised=PROMISED.get((provider, one.identifiers)),
    )
