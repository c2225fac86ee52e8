"""DynamoDB's attributes: what boto3's own serializers make of the same values."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.status import Status

NUMBERS = st.integers(-(10**37), 10**37) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6
)
PLAIN = st.text() | st.booleans() | st.none() | NUMBERS
VALUES = st.recursive(
    PLAIN | st.sets(st.text(), min_size=1) | st.sets(st.integers(-9, 9), min_size=1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_values_become_the_attributes_that_boto3_makes_of_them(values: dict[str, Any]) -> None:
    kept = {name: value for name, value in values.items() if value is not None}
    ours, theirs = to_item(values), TypeSerializer().serialize(kept)["M"]
    assert _sorted_sets(ours) == _sorted_sets(theirs)
    assert from_item(theirs) == TypeDeserializer().deserialize({"M": theirs}) == from_item(ours)


def test_a_status_is_kept_as_its_text() -> None:
    assert to_item({"status": Status.ACCEPTED}) == {"status": {"S": "accepted"}}


@pytest.mark.parametrize("value", [1.5, object(), {1, "a"}, set()])
def test_what_dynamodb_has_no_type_for_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_item({"value": value})


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1" * 39])
def test_a_number_that_dynamodb_would_not_keep_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"DynamoDB (can't store|stores)"):
        to_item({"value": Decimal(text)})


def _sorted_sets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: sorted(one) if name in ("SS", "NS") else _sorted_sets(one)
            for name, one in value.items()
        }
    return [_sorted_sets(one) for one in value] if isinstance(value, list) else value
