"""The template after SAM's transform."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.recorded.resources import transformed
from tests.template import ROOT


@cache
def resources() -> Mapping[str, Any]:
    return transformed(ROOT / "template.yaml")


def of_type(kind: str) -> dict[str, Any]:
    return {name: one for name, one in resources().items() if one["Type"] == kind}
