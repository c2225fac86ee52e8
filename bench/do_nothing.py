"""A function that does nothing but say when, behind a queue and behind a table's stream."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

from local.stack import Stack

NAME: Final = "milepost-bench-nothing"
PATIENCE_SECONDS: Final = 60
LOOK_SECONDS: Final = 0.05
_CODE: Final = """
import json, time

def handler(event, context):
    print(json.dumps({"at": time.time(), "of": json.dumps(event["Records"])}))
"""


class DoNothing:
    """The function, its queue and its table in a running stack; the stack's end removes them."""

    def __init__(self, stack: Stack) -> None:
        self._sqs, self._dynamodb = stack.client("sqs"), stack.client("dynamodb")
        self._lambda, self._logs = stack.client("lambda"), stack.client("logs")
        # It calls nothing: any role that Lambda may take will do.
        known = self._lambda.get_function_configuration(
            FunctionName=stack.resource_id("RecordReportFunction")
        )
        self._like = {name: known[name] for name in ("Role", "Runtime", "MemorySize")}

    @contextmanager
    def running(self) -> Iterator["DoNothing"]:
        """Create them; mapped as record_report's queue and announce's stream are."""
        self._lambda.create_function(
            FunctionName=NAME, Handler="app.handler", Code={"ZipFile": _zip()}, **self._like
        )
        self._queue_url = self._sqs.create_queue(QueueName=NAME)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(
            QueueUrl=self._queue_url, AttributeNames=["QueueArn"]
        )
        self._map(asked["Attributes"]["QueueArn"], BatchSize=10)
        table = self._dynamodb.create_table(
            TableName=NAME,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        stream = table["TableDescription"]["LatestStreamArn"]
        self._map(stream, BatchSize=100, StartingPosition="TRIM_HORIZON")
        yield self

    def queue(self, *, is_accepted: bool = False) -> float:
        """Seconds from sending a message, or from its acceptance, to the function behind it."""
        identity, called = uuid4().hex, time.time()
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=identity)
        return self._wait(identity, since=time.time() if is_accepted else called)

    def stream(self) -> float:
        """Seconds from putting an item to the function behind the stream."""
        identity, called = uuid4().hex, time.time()
        self._dynamodb.put_item(TableName=NAME, Item={"pk": {"S": identity}})
        return self._wait(identity, since=called)

    def _map(self, source: str, **settings: Any) -> None:
        self._lambda.create_event_source_mapping(
            FunctionName=NAME, EventSourceArn=source, **settings
        )

    def _wait(self, identity: str, *, since: float) -> float:
        """:raises SystemExit: when the function was not called with it"""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for line in self._lines(since):
                if identity in line:
                    at: float = json.loads(line)["at"]
                    return max(at - since, 0.0)
            time.sleep(LOOK_SECONDS)
        raise SystemExit("The function that does nothing was not called: see the stack's log.")

    def _lines(self, since: float) -> Iterator[str]:
        try:
            found = self._logs.filter_log_events(
                logGroupName=f"/aws/lambda/{NAME}", startTime=int(since * 1000) - 1_000
            )
        except self._logs.exceptions.ResourceNotFoundException:
            return
        for event in found["events"]:
            yield from event["message"].splitlines()


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", _CODE)
    return packed.getvalue()
