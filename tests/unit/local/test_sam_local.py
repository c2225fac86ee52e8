"""`sam local invoke` gets what a function needs to reach the running stack."""

import json
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from samcli.local.lambdafn.env_vars import (  # type: ignore[import-untyped]
    EnvironmentVariables,
)

from local.invoke import SIGN_ME, sign_event
from local.sam_local import ENDPOINT, declare_endpoint, reachable_from_a_container
from local.stack import Stack

ADDRESS = "http://127.0.0.1:4566"
WEBHOOKS = sorted((Path(__file__).parents[3] / "events" / "receive_webhook").glob("*.json"))
SECRET = "whsec_bWlsZXBvc3Q="
SCHEMES = {
    "offergrid-home": "standard-webhooks",
    "subs-grid": "standard-webhooks",
    "spirii-charge": "spirii",
}


class Running:
    """What of a running stack is needed to sign."""

    connections: ClassVar = {
        name: {"signing": {"scheme": scheme, "secret": SECRET}} for name, scheme in SCHEMES.items()
    }


def test_sam_hands_a_function_the_endpoint_only_since_the_template_declares_it() -> None:
    template: dict[str, Any] = {"Globals": {"Function": {"Environment": {"Variables": {"A": "1"}}}}}
    declared = declare_endpoint(template)["Globals"]["Function"]["Environment"]["Variables"]
    assert declared == {"A": "1", ENDPOINT: ""}

    def given(variables: dict[str, str]) -> Any:
        return EnvironmentVariables(
            variables=variables, override_values={ENDPOINT: ADDRESS, "A": "2"}
        ).resolve()

    assert given(declared)[ENDPOINT] == ADDRESS
    assert given(declared)["A"] == "2"
    assert ENDPOINT not in given({"A": "1"})


def test_a_template_without_globals_gets_them() -> None:
    assert declare_endpoint({})["Globals"]["Function"]["Environment"]["Variables"] == {ENDPOINT: ""}


def test_a_container_reaches_the_machine_by_the_name_that_it_has_there() -> None:
    assert reachable_from_a_container(ADDRESS, platform="linux") == ADDRESS
    there = reachable_from_a_container(ADDRESS, platform="darwin")
    assert there == "http://host.docker.internal:4566"


@pytest.mark.parametrize("path", WEBHOOKS, ids=lambda one: str(one.stem))
def test_each_webhook_event_is_signed_or_is_for_a_connection_that_nobody_has(path: Path) -> None:
    event = json.loads(path.read_text())
    signed = sign_event(event, cast("Stack", Running()))
    is_known = event["pathParameters"]["connection"] in SCHEMES
    assert (SIGN_ME in signed["headers"].values()) == (
        SIGN_ME in event["headers"].values() and not is_known
    )
