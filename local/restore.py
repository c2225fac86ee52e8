"""`make restore-drill` and `make restore`: restores tables to a point in time.

A table can't be restored in place: DynamoDB makes a new one, without a stream, and the stack's
functions, policies and stream mappings name the old one. So the items of the new tables are put
back into the stack's own. Source: DynamoDB developer guide, "Restoring a table to a point in time".
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import boto3
import typer

from local.errors import CannotStart

TABLES: Final = "AWS::DynamoDB::Table"
_MISSING: Final = "attribute_not_exists(pk)"
_NOT_ERASED: Final = "attribute_not_exists(erased_at)"
_LONGEST_WAIT: Final = 6 * 3600.0
_PAUSE: Final = 0.5
_STACK: Final = typer.Option("--stack")
_OVERWRITE: Final = typer.Option("--overwrite", help="Also replace items that are there.")
_AT: Final = typer.Option("--at", metavar="TIME", help="2026-03-02T12:00:00Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A table of the stack, the new table next to it, and the number of items in each."""

    logical_id: str
    live: str
    restored: str
    live_items: int
    restored_items: int


def restore_tables(clients: Any, *, stack: str, at: datetime) -> list[Restored]:
    """Restore every table of the stack into a new one, and wait until all can be read.

    :param clients: makes a client of a service
    :raises CannotStart: when a restored table isn't active after 6 hours
    """
    dynamodb = clients("dynamodb")
    suffix = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
    names = {
        logical_id: (live, f"{stack}-{logical_id}-restored-{suffix}")
        for logical_id, live in tables_of(clients("cloudformation"), stack).items()
    }
    for live, restored in names.values():
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=live, TargetTableName=restored, RestoreDateTime=at
        )
    for _, restored in names.values():
        _wait_until_active(dynamodb, restored)
    return [
        Restored(
            logical_id=logical_id,
            live=live,
            restored=restored,
            live_items=sum(1 for _ in _items(dynamodb, live)),
            restored_items=sum(1 for _ in _items(dynamodb, restored)),
        )
        for logical_id, (live, restored) in names.items()
    ]


def put_back(clients: Any, tables: Sequence[Restored], *, overwrite: bool = False) -> int:
    """Put restored items into the stack's tables; returns their number. Other items there are
    unchanged.

    What was sent goes first: announcements that OrdersTable's stream brings again are then known.

    :param overwrite: also replace items that are there, but never what an erasure left of an order
    """
    dynamodb = clients("dynamodb")
    rule = _NOT_ERASED if overwrite else _MISSING
    return sum(
        _put(dynamodb, table.live, item, rule=rule)
        for table in sorted(tables, key=lambda one: one.logical_id == "OrdersTable")
        for item in _items(dynamodb, table.restored)
    )


def _put(dynamodb: Any, table: str, item: Mapping[str, Any], *, rule: str) -> bool:
    try:
        dynamodb.put_item(TableName=table, Item=item, ConditionExpression=rule)
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def drop(clients: Any, tables: Sequence[Restored]) -> None:
    """Delete the restored tables, never those of the stack."""
    for table in tables:
        clients("dynamodb").delete_table(TableName=table.restored)


def tables_of(cloudformation: Any, stack: str) -> Mapping[str, str]:
    """Names of the stack's tables, by logical id."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [one for page in pages for one in page["StackResourceSummaries"]]
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for one in found
        if one["ResourceType"] == TABLES
    }


def drill(stack: Annotated[str, _STACK], at: Annotated[str, _AT]) -> None:
    """Restore every table into a new one, compare the numbers of items, and delete the new table
    again.
    """
    tables = restore_tables(boto3.client, stack=stack, at=_instant(at))
    try:
        _show(tables)
    finally:
        drop(boto3.client, tables)


def restore(
    stack: Annotated[str, _STACK],
    at: Annotated[str, _AT],
    overwrite: Annotated[bool, _OVERWRITE] = False,
) -> None:
    """Put the items from a point in time into the stack's tables; then poll later changes.

    The restored tables stay until you delete them.
    """
    tables = restore_tables(boto3.client, stack=stack, at=_instant(at))
    _show(tables)
    typer.echo(f"put back {put_back(boto3.client, tables, overwrite=overwrite)} items")
    parameters = boto3.client("ssm").get_paginator("get_parameters_by_path")
    for page in parameters.paginate(Path=f"/{stack}/connections"):
        for one in page["Parameters"]:
            poll_since(one["Name"].rpartition("/")[2], stack=stack, at=at)
    typer.echo("Now redrive dead letters and replay the quarantine: docs/runbook.md.")


def poll_since(connection: str, *, stack: str, at: str) -> None:
    """Read all changes at the connection's provider since then again."""
    command = Path(sys.prefix) / "bin" / "milepost"
    arguments = ["connections", "poll", connection, "--since", at, "--notices", "--wait"]
    done = subprocess.run([command, *arguments, "--stack", stack], check=False)
    if done.returncode != 0:
        typer.echo(f"{connection} has to be polled again: see above")


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CannotStart(f"AT={text!r} is no time. Write it as 2026-03-02T12:00:00Z.") from None
    if moment.tzinfo is None:
        raise CannotStart(f"AT={text} has no time zone. Write it as {text}Z for UTC.")
    return moment


def _show(tables: Sequence[Restored]) -> None:
    for one in tables:
        typer.echo(f"{one.logical_id}: {one.restored_items} items then, {one.live_items} now")


def _wait_until_active(dynamodb: Any, table: str) -> None:
    deadline = time.monotonic() + _LONGEST_WAIT
    while dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] != "ACTIVE":
        if time.monotonic() > deadline:
            raise CannotStart(f"{table} is not active after 6 hours: look at it in the console.")
        time.sleep(_PAUSE)


def _items(dynamodb: Any, table: str) -> Iterator[dict[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]
