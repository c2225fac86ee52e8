"""Test deliveries, signed like the provider's, which report nothing. Short: one payload."""

from collections.abc import Mapping
from typing import Final

from milepost.common.errors import BadPayload

TEST_FIELD: Final = "milepost_test"
"""The one field of such a delivery: no provider has it."""


class OnlyATest(BadPayload):
    """A test delivery, which shows that deliveries arrive: not recorded, and no alarm."""

    def __init__(self) -> None:
        super().__init__("a test by `milepost send-test`")


def make_delivery(name: str) -> dict[str, str]:
    """What such a delivery says; ``name`` tells it from others."""
    return {TEST_FIELD: name}


def refuse_test(said: Mapping[str, object]) -> None:
    """:raises OnlyATest: when a delivery says nothing else"""
    if said.keys() == {TEST_FIELD}:
        raise OnlyATest
