"""The console's addresses, from Parameter Store. Short: one parameter."""

import json
from functools import cached_property
from typing import TYPE_CHECKING

from milepost.console.settings import Addresses

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class ConsoleParameter:
    """Implements ``settings.Settings``: reads the parameter once."""

    def __init__(self, client: "SSMClient", *, name: str) -> None:
        self._client = client
        self._name = name

    def addresses(self) -> Addresses:
        return self._addresses

    @cached_property
    def _addresses(self) -> Addresses:
        answer = self._client.get_parameter(Name=self._name)
        return Addresses(**json.loads(answer["Parameter"]["Value"]))
