"""Test deliveries: signed like the provider's, but without an order. Short: one payload."""

from collections.abc import Mapping
from typing import Final

from milepost.common.errors import BadPayload

TEST_FIELD: Final = "milepost_test"
"""The only field of a test delivery; no provider uses it."""


class OnlyATest(BadPayload):
    """A test delivery, which only shows that deliveries arrive: it isn't recorded and raises no
    alarm."""

    def __init__(self) -> None:
        super().__init__("a test by `milepost send-test`")


def make_delivery(name: str) -> dict[str, str]:
    """The payload of a test delivery; ``name`` distinguishes it from other test deliveries."""
    return {TEST_FIELD: name}


def refuse_test(said: Mapping[str, object]) -> None:
    """:raises OnlyATest: when the payload is a test delivery"""
    if said.keys() == {TEST_FIELD}:
        raise OnlyATest
