"""Starts make_exports, without waiting for it. Short: the one call of the API to that function."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class ExportJobs:
    """Implements ``start.Jobs``: Lambda keeps the event, and runs it again if it fails."""

    def __init__(self, client: "LambdaClient", *, function: str) -> None:
        self._client = client
        self._function = function

    def start(self, export_id: str) -> None:
        self._client.invoke(
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps({"export": export_id}).encode(),
        )
