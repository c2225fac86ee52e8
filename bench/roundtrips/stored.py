"""The product's functions in this process, with recorded responses of DynamoDB Local."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto import mock_aws

from bench.roundtrips.delays import Calls, Recorded, recorded, slow_moto
from tests.stack import Resources, Stack, create_table, template


@contextmanager
def slow_stack(engine: Any) -> Iterator[tuple[Stack, Calls, Recorded]]:
    """A stack with tables in the engine; all other services of AWS are moto's, with the same delay.
    After the recording, the engine's responses are given again.

    For a process of its own: clients are made once in a process, and keep their endpoints.
    Tables that the engine has already are kept.
    """
    have = engine.list_tables()["TableNames"]
    tables = [name for name, one in template().items() if one["Type"] == "AWS::DynamoDB::Table"]
    for name in tables:
        if name not in have:
            create_table(engine, name, name=name)
    with recorded(engine.meta.endpoint_url) as server, mock_aws():
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = server.url
        stack = Stack(Resources({name: name for name in tables}))
        with slow_moto(beside=server.url) as calls:
            yield stack, calls, server
