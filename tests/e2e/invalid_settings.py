"""Temporarily invalid settings and secrets of the deployed stack, as after manual edits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from milepost.aws.shared_secret import SharedSecret
from tests.e2e.conftest import Client


@contextmanager
def bad_parameter(client: Client, connection: str, text: str) -> Iterator[None]:
    """A connection's settings after a manual edit; they are restored at the end."""
    ssm, name = (
        client.stack.client("ssm"),
        f"{client.stack.outputs['ConnectionsPath']}/{connection}",
    )
    before = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    ssm.put_parameter(Name=name, Value=text, Type="String", Overwrite=True)
    try:
        restart_functions(client)
        yield
    finally:
        ssm.put_parameter(Name=name, Value=before, Type="String", Overwrite=True)
        restart_functions(client)


@contextmanager
def bad_secret(client: Client, output: str, connection: str, entry: Any) -> Iterator[None]:
    """A connection's entry in a shared secret after a manual edit; it is restored at the end."""
    manager = client.stack.client("secretsmanager")
    secret = SharedSecret(manager, secret_id=client.stack.outputs[output])
    before = secret.read()[connection]
    secret.change(lambda entries: entries.update({connection: entry}))
    try:
        restart_functions(client)
        yield
    finally:
        secret.change(lambda entries: entries.update({connection: before}))
        restart_functions(client)


def restart_functions(client: Client) -> None:
    """Restart every function, since functions cache settings for up to five minutes."""
    functions = client.stack.client("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        for one in page["Functions"]:
            functions.update_function_configuration(
                FunctionName=one["FunctionName"], Timeout=one["Timeout"]
            )
