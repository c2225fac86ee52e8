"""`sam local invoke` gets what a function needs to reach the running stack."""

from typing import Any

from samcli.local.lambdafn.env_vars import (  # type: ignore[import-untyped]
    EnvironmentVariables,
)

from local.sam_local import ENDPOINT, declare_endpoint, reachable_from_a_container

ADDRESS = "http://127.0.0.1:4566"


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
