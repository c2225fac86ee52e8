"""Last of all: what everything before left in the logs holds nobody's data, and no secret."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest

from local.files import Places
from local.stack import Stack
from tests.data_leaks import MADE_UP, all_texts, find_leaks, personal_values, pieces_of_body
from tests.e2e.conftest import HOME, SHOP, Client, status_changed
from tests.e2e.invalid_settings import bad_parameter, bad_secret

pytestmark = pytest.mark.e2e

NOT_OURS: Final = re.compile(
    # The emulator's mail service, which AWS runs, also where it writes behind another's line; what
    # sam and the command said to the operator.
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+ \[ses(?:-v2)?\] .*"
    r"|^\tParameter overrides.*|^[+~-] subscription of .*|^ +sender +.*"
)
LONG_ENOUGH: Final = 8


def secrets_of(stack: Stack) -> Iterator[str]:
    """Every secret that is kept, and every token of the API."""
    yield from stack.tokens.values()
    manager = stack.client("secretsmanager")
    for page in manager.get_paginator("list_secrets").paginate():
        for one in page["SecretList"]:
            text = manager.get_secret_value(SecretId=one["ARN"])["SecretString"]
            try:
                yield from all_texts(json.loads(text))
            except ValueError:
                # A generated key, which may begin as JSON does.
                yield text


def customers_of(client: Client) -> Iterator[str]:
    """Whatever the providers know of their customers."""
    yield from MADE_UP
    for name in client.stack.connections:
        yield from personal_values(client.steer(name, "orders", method="GET"))


def logged_by_functions(stack: Stack) -> Iterator[str]:
    """Every line of every function, as CloudWatch Logs has it."""
    logs = stack.client("logs")
    groups: list[dict[str, Any]] = logs.describe_log_groups()["logGroups"]
    for group in groups:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for page in pages:
            yield from (one["message"] for one in page["events"])


def poll_with_planted_secrets(client: Client) -> set[str]:
    """Poll with secrets where errors of libraries would quote them: in a header, in a URL."""
    key, password = f"planted-key-{uuid4().hex}", f"planted-password-{uuid4().hex}"
    name, entry = f"{client.stack.outputs['ConnectionsPath']}/{SHOP}", {"api_key": f"{key}\r\nX: 1"}
    with bad_secret(client, "ApiCredentialsArn", SHOP, entry):
        assert client.poll(SHOP)["outcome"] == "failed"
    settings = json.loads(client.stack.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    settings["base_url"] = f"https://user:{password}@127.0.0.1:1"
    with bad_parameter(client, SHOP, json.dumps(settings)):
        assert client.poll(SHOP)["outcome"] == "failed"
    return {key, password}


@pytest.mark.thorough
def test_no_log_holds_anybodys_data_or_a_secret(client: Client, places: Places) -> None:
    order_id = client.new_id("logged")
    client.send(HOME, status_changed(order_id, "accepted"))
    client.wait_for_status(HOME, order_id, "item-1", "accepted")
    sandboxed = next(iter(client.stack.connections))
    made = client.steer(sandboxed, "orders", {})
    assert personal_values(made), "there is a customer to look for"
    client.poll(sandboxed)
    planted = poll_with_planted_secrets(client)

    lines = places.log_file.read_text(errors="replace").splitlines()
    text = "\n".join(NOT_OURS.sub("", line) for line in lines)
    by_functions = list(logged_by_functions(client.stack))
    assert any('"polled"' in one for one in by_functions), "the functions' own log was read"
    assert '"polled"' in text, "and the stack's"
    known = {*secrets_of(client.stack), *customers_of(client)}
    known |= planted
    known |= {signature.removeprefix("v1,") for _, signature in client.sent}
    pieces = {piece for body, _ in client.sent for piece in pieces_of_body(body)}
    leaks = find_leaks(
        "\n".join([text, *by_functions]),
        known={one for one in known if one in MADE_UP or len(one) >= LONG_ENOUGH},
        pieces={piece for piece in pieces if len(piece) >= LONG_ENOUGH},
    )
    assert not leaks, "\n".join(leaks[:20])
