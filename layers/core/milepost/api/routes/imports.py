"""Imports: existing orders of a team, recorded row by row."""

from collections import Counter
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import ConfigDict, Field

from milepost.api.dependencies import Given, Recorded
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.problems import NotFound
from milepost.connections.connection import UnknownConnection
from milepost.operations.order_import import (
    FIELDS,
    REQUIRED,
    Imported,
    ImportOutcome,
    import_row,
)
from milepost.orders.order import OrderKey

router = Router()

MOST_ROWS: Final = 100
Cell = str | int | float | None
ConnectionPath = Annotated[str, Path(description="A connection's id.", max_length=64)]


class ImportAsked(Shape):
    """Rows of a table of orders."""

    model_config = ConfigDict(extra="forbid")

    rows: list[dict[str, Cell]] = Field(
        min_length=1,
        max_length=MOST_ROWS,
        description=f"Each row has some of the fields {', '.join(FIELDS)}. "
        f"Required are {', '.join(REQUIRED)}, and `item_id` if the "
        "provider's orders have items. A status is the provider's "
        "word or a canonical one; `since` is when it was entered.",
    )
    dry_run: bool = Field(
        default=False, description="Return the outcome of each row, and store nothing."
    )
    notify: bool = Field(default=False, description="Whether people are notified of the changes.")


class ImportedRow(Shape):
    """The outcome of a row."""

    outcome: ImportOutcome
    order: str | None = Field(description="The order's id, if it could be read.")
    why: str | None = Field(description="Why it was refused or failed.")


class ImportView(Shape):
    """The outcome of the rows, in their order."""

    rows: list[ImportedRow]
    counts: dict[ImportOutcome, int]


@router.post(
    "/connections/<connection>/orders",
    summary="Import orders that a team already has; an invalid row doesn't affect the others",
    tags=["connections"],
    operation_id="import_orders",
    responses=may_answer(200, 404),
)
def import_orders(
    connection: ConnectionPath,
    services: Given,
    change: Recorded,
    asked: Annotated[ImportAsked, Body()],
) -> ImportView:
    try:
        known = services.connections.get(connection)
    except UnknownConnection:
        listed = ", ".join(services.connection_ids()) or "none"
        raise NotFound(f"There is no connection {connection}; there are: {listed}.") from None
    tools = services.acting.for_order(OrderKey(known.id, "import", "import"))
    rows = [
        import_row(row, tools=tools, announce=asked.notify, dry_run=asked.dry_run)
        for row in asked.rows
    ]
    counts = Counter(one.outcome for one in rows)
    if not asked.dry_run:
        change.changed(after={str(outcome): str(number) for outcome, number in counts.items()})
    return ImportView(rows=[_row(one) for one in rows], counts=counts)


def _row(one: Imported) -> ImportedRow:
    return ImportedRow(outcome=one.outcome, order=one.order, why=one.why)
