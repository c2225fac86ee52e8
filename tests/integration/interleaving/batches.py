"""A batch of one note, as people plan it and a worker takes it up."""

import json
from typing import Any, Final

from milepost.actions.aws.batches import BatchesTable
from milepost.actions.batch import Batch, BatchState, Target
from tests.batches import sqs_batch
from tests.integration.interleaving.account import World
from tests.integration.interleaving.command_runs import HOME
from tests.stack import aws

BATCH: Final = "0a1b2c3d4e5f6071"


def a_note(world: World) -> dict[str, Any]:
    """A note on the order that moves, asked for as a batch."""
    order = world.orders["moving"]
    item = order["items"][0]["itemId"]
    return {"action": "note", "text": "rang them", "orders": [f"{HOME}:{order['orderId']}:{item}"]}


def batch_planned(world: World) -> None:
    """A dry run was made."""
    _keep(world, BatchState.PLANNED)


def batch_at_work(world: World) -> Any:
    """The message of a batch that somebody started."""
    _keep(world, BatchState.RUNNING)
    return sqs_batch([json.dumps({"batch": BATCH})])


def _keep(world: World, state: BatchState) -> None:
    asked = a_note(world)
    batch = Batch(
        id=BATCH,
        action="note",
        person="kim",
        token="token",
        created_at=world.time.start,
        total=1,
        state=state,
        arguments={"text": asked["text"]},
    )
    table = BatchesTable(aws("dynamodb"), table_name=world.stack.resources["BatchesTable"])
    table.put(batch, [Target(number=1, id=asked["orders"][0])])
