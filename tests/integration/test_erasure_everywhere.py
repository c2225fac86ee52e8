"""A customer in every place and every encoding, beside people who are like them.

Afterwards nothing of the first is found in any table, bucket or queue, and what is the others' is
as it was, byte for byte.
"""

import json
from collections.abc import Callable
from typing import Final

import pytest

from milepost.operations.erasure.aws.places import PLACES
from tests.integration.erasure_data import (
    BUCKETS,
    CANARIES,
    CUSTOMER,
    EMAIL,
    QUEUES,
    SHORT,
    TABLES,
    decoded,
    erase,
    everything,
    index,
    letter,
    place_order,
    plant_others,
    plant_them,
    quarantine,
    run,
)
from tests.make_webhook_events import inbox_message
from tests.stack import ROOT, Stack, template


def test_nothing_of_the_customer_is_left_anywhere_and_what_is_the_others_is_as_it_was(
    applied: Stack,
) -> None:
    plant_others(applied)
    before = everything(applied)
    for queue in QUEUES:
        for text in before[queue]:
            letter(applied, queue, text)
    plant_them(applied)
    erased = erase(applied)
    index(applied)
    run(applied, "finish_erasures", {})
    index(applied)
    after = everything(applied)
    kept = [text for texts in after.values() for text in texts]
    for text in kept:
        if text not in {one for texts in before.values() for one in texts}:
            assert not any(word in decoded(text) for word in CANARIES), text
    for place, texts in before.items():
        if place != "FiguresTable":
            assert set(texts) <= set(after[place]), place
    assert erased["orders"] == 2
    assert all(erased["removed"][place] for place in _PLACES), erased["removed"]
    assert {one["place"] for one in erased["left"]} <= {"quarantined", "dead_letters"}


_PLACES: Final = (
    "notices",
    "subscriptions",
    "quarantined",
    "dead_letters",
    "unannounced",
    "exports",
)


@pytest.mark.thorough
def test_a_dry_run_says_what_would_go_and_changes_nothing(applied: Stack) -> None:
    plant_them(applied)
    tables = {table: applied.items(table) for table in TABLES}
    buckets = {bucket: applied.objects(bucket) for bucket in BUCKETS}
    told = erase(applied, dry_run="true")
    assert {table: applied.items(table) for table in TABLES} == tables
    assert {bucket: applied.objects(bucket) for bucket in BUCKETS} == buckets
    assert told["dry_run"] is True
    done = erase(applied)
    assert (told["orders"], told["order_ids"]) == (done["orders"], done["order_ids"])
    assert told["removed"] == done["removed"]
    assert {p: sorted(ids) for p, ids in told["removed_ids"].items()} == {
        p: sorted(ids) for p, ids in done["removed_ids"].items()
    }
    again = erase(applied)
    assert not any(again["removed"].values())


@pytest.mark.parametrize("kind", ["DynamoDB::Table", "S3::Bucket", "SQS::Queue"])
def test_every_table_bucket_and_queue_is_in_the_list_of_places(kind: str) -> None:
    resources = {name for name, one in template().items() if one["Type"] == f"AWS::{kind}"}
    assert resources <= PLACES.keys()
    page = (ROOT / "docs" / "erasure.md").read_text()
    assert [name for name in PLACES if f"`{name}`" not in page] == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "plant",
    [
        lambda stack: quarantine(stack, b'{"customer": {"name": "Ottilie Erlenkamp"}}'),
        lambda stack: quarantine(stack, b'{"orderId": "42"}'),
        lambda stack: quarantine(
            stack, json.dumps({"mail": "paul@example.com", "cc": EMAIL}).encode()
        ),
        lambda stack: letter(
            stack, "InboxDeadLetters", inbox_message(f'{{"note": "call {EMAIL}", "n": 1}}')
        ),
    ],
)
def test_what_may_be_somebody_elses_stays_and_is_shown(
    applied: Stack, plant: Callable[[Stack], None]
) -> None:
    place_order(applied, SHORT, CUSTOMER)
    plant(applied)
    told = erase(applied)
    (left,) = told["left"]
    assert left["where"]
    assert left["why"]
    assert len(applied.objects("QuarantineBucket")) + len(applied.messages("InboxDeadLetters")) == 1
