"""The version of the declared connections, and the lease of who changes them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from milepost.connections.aws.declarations import (
    LEASE,
    BeingChanged,
    ChangedSinceRead,
    DeclarationsTable,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def declarations() -> Iterator[DeclarationsTable]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(
            TableName="notices",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
        yield DeclarationsTable(client, table_name="notices")


def test_of_two_who_read_the_same_version_one_changes_it(declarations: DeclarationsTable) -> None:
    read = declarations.version()
    assert read is None
    token = declarations.take(read=read, now=NOON)
    with pytest.raises(BeingChanged):
        declarations.take(read=read, now=NOON + SECOND)
    declarations.give_back(token, now=NOON + 2 * SECOND)
    with pytest.raises(ChangedSinceRead) as changed:
        declarations.take(read=read, now=NOON + 3 * SECOND)
    assert str(changed.value.at).startswith("2026-03-04T12:00:02")
    assert declarations.take(read=declarations.version(), now=NOON + 3 * SECOND)


def test_what_was_read_while_somebody_changed_it_is_no_version_to_change(
    declarations: DeclarationsTable,
) -> None:
    token = declarations.take(read=None, now=NOON)
    half = declarations.version()
    with pytest.raises(BeingChanged):
        declarations.take(read=half, now=NOON + SECOND)
    declarations.give_back(token, now=NOON + SECOND)
    with pytest.raises(ChangedSinceRead):
        declarations.take(read=half, now=NOON + 2 * SECOND)


def test_who_was_killed_is_in_nobodys_way_after_the_lease(declarations: DeclarationsTable) -> None:
    declarations.take(read=None, now=NOON)
    read = declarations.version()
    with pytest.raises(BeingChanged):
        declarations.take(read=read, now=NOON + LEASE)
    assert declarations.take(read=read, now=NOON + LEASE + SECOND)


def test_who_slept_through_the_lease_changes_nothing_more(declarations: DeclarationsTable) -> None:
    slow = declarations.take(read=None, now=NOON)
    later = NOON + LEASE + SECOND
    token = declarations.take(read=declarations.version(), now=later)
    with pytest.raises(ChangedSinceRead):
        declarations.renew(slow, now=later + SECOND)
    declarations.give_back(slow, now=later + SECOND)
    assert declarations.version() == token, "nor does it end the lease of the one after it"


def test_a_lease_that_is_renewed_holds(declarations: DeclarationsTable) -> None:
    token = declarations.take(read=None, now=NOON)
    declarations.renew(token, now=NOON + LEASE)
    with pytest.raises(BeingChanged):
        declarations.take(read=declarations.version(), now=NOON + LEASE + SECOND)


def test_who_took_it_has_it_also_when_the_answer_was_lost_and_asked_for_again(
    declarations: DeclarationsTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = declarations._update

    def update_twice(*words: Any) -> None:
        update(*words)
        update(*words)

    monkeypatch.setattr(declarations, "_update", update_twice)
    token = declarations.take(read=None, now=NOON)
    monkeypatch.undo()
    assert declarations.version() == token
    declarations.give_back(token, now=NOON + SECOND)
    assert declarations.take(read=declarations.version(), now=NOON + SECOND) != token
