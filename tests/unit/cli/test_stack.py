"""Finding the stack, and what is said when there is none."""

import json
from pathlib import Path

import pytest
from botocore.client import BaseClient
from botocore.exceptions import (
    ClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)
from typer.testing import CliRunner

from cli.aws_errors import explain
from cli.connections.signing_forms import is_signing_secret
from cli.errors import CannotDo, WrongUse
from cli.main import app
from cli.stack import find_stack, is_loopback
from cli.stack_choice import StackChoice
from milepost.webhooks.signatures import make_signing_secret

LOCAL = {
    "aws_endpoint_url": "http://127.0.0.1:4566",
    "region": "eu-central-1",
    "access_key_id": "AKIALOCAL",
    "secret_access_key": "local",
    "stack_name": "milepost-local",
    "api_url": "http://127.0.0.1:4566/_aws/execute-api/abc/$default",
    "outputs": {"ConnectionsPath": "/milepost-local/connections"},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to stand in, below which nothing has been started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MILEPOST_STACK", raising=False)
    return tmp_path


def start_local(project: Path) -> None:
    (project / ".local").mkdir()
    (project / ".local" / "stack.json").write_text(json.dumps(LOCAL))


def test_the_running_local_stack_is_found_without_a_name(project: Path) -> None:
    start_local(project)

    stack = find_stack(None)

    assert stack.is_local
    assert stack.output("ConnectionsPath") == "/milepost-local/connections"
    assert stack.webhook_url("a") == f"{LOCAL['api_url']}/webhooks/a"
    assert stack.client("ssm").meta.endpoint_url == "http://127.0.0.1:4566"


def test_it_is_found_from_a_directory_below_as_well(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_local(project)
    (project / "docs").mkdir()
    monkeypatch.chdir(project / "docs")

    assert find_stack(StackChoice(name="milepost-local")).endpoint_url == "http://127.0.0.1:4566"


def test_without_a_name_and_a_local_stack_the_operator_is_asked_for_one(project: Path) -> None:
    with pytest.raises(WrongUse, match="--stack NAME or MILEPOST_STACK"):
        find_stack(None)


def test_a_broken_stack_file_is_said(project: Path) -> None:
    (project / ".local").mkdir()
    (project / ".local" / "stack.json").write_text("{")

    with pytest.raises(CannotDo, match="run `make run` again"):
        find_stack(None)


def test_an_older_stack_without_an_output_is_said(project: Path) -> None:
    start_local(project)

    with pytest.raises(CannotDo, match=r"no output NoticesTable.*Deploy the present template"):
        find_stack(None).output("NoticesTable")


@pytest.mark.parametrize(
    ("choice", "variables", "region"),
    [
        (StackChoice(name="a", region="eu-west-1"), {"AWS_REGION": "eu-west-2"}, "eu-west-1"),
        (
            StackChoice(name="a"),
            {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"},
            "eu-west-2",
        ),
        (StackChoice(name="a"), {"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        (StackChoice(name="a", profile="ops"), {"AWS_REGION": ""}, "eu-north-1"),
        (
            StackChoice(name="a", profile="ops"),
            {"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-3"},
            "eu-west-3",
        ),
    ],
)
def test_the_region_is_found_as_aws_own_command_finds_it(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    choice: StackChoice,
    variables: dict[str, str],
    region: str,
) -> None:
    (project / "config").write_text("[profile ops]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(project / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def answer(*_: object) -> None:
        raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")

    monkeypatch.setattr(BaseClient, "_make_api_call", answer)

    with pytest.raises(CannotDo, match=f"no stack a in {region}"):
        find_stack(choice)


def test_with_a_region_the_local_stack_is_not_meant(project: Path) -> None:
    start_local(project)

    with pytest.raises(WrongUse, match="Which stack"):
        find_stack(StackChoice(region="eu-west-1"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoRegionError(), "set AWS_REGION"),
        (NoCredentialsError(), "aws sso login"),
        (ProfileNotFound(profile="nope"), "There is no AWS profile nope: check --profile"),
        (InvalidRegionError(region_name="a/b"), "check --region and AWS_REGION"),
        (ClientError({"Error": {"Code": "ExpiredToken"}}, "GetParameter"), "sign in again"),
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutParameter"),
            "don't allow PutParameter: no",
        ),
        (ClientError({"Error": {"Code": "Odd", "Message": "hm"}}, "PutIt"), "refused PutIt: hm"),
    ],
)
def test_an_error_of_aws_says_what_to_do(error: NoRegionError | ClientError, said: str) -> None:
    assert said in explain(error)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "a.localhost"])
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [None, "localhost.example.com", "10.0.0.1", "0x7f000001", ""])
def test_other_hosts_are_not_this_machine(host: str | None) -> None:
    assert not is_loopback(host)


def test_wrong_use_ends_with_exit_code_2(project: Path) -> None:
    (project / "connections.yaml").write_text("connections: []\n")

    result = CliRunner().invoke(app, ["connections", "apply", "connections.yaml"])

    assert result.exit_code == 2
    assert "Which stack?" in result.output


def test_an_unknown_option_ends_with_exit_code_2(project: Path) -> None:
    assert CliRunner().invoke(app, ["connections", "list", "--nope"]).exit_code == 2


@pytest.mark.parametrize("command", [["apply"], ["list"], ["secret", "rotate"]])
def test_help_says_what_the_exit_codes_mean(command: list[str]) -> None:
    result = CliRunner().invoke(app, ["connections", *command, "--help"])

    assert result.exit_code == 0
    assert "0 done, 1 could not be done, 2 incorrect usage" in " ".join(result.output.split())


@pytest.mark.parametrize("scheme", ["standard-webhooks", "spirii"])
def test_a_new_signing_secret_is_one_of_its_scheme_and_never_twice_the_same(scheme: str) -> None:
    made = {make_signing_secret(scheme) for _ in range(20)}

    assert len(made) == 20
    assert all(is_signing_secret(scheme, one) for one in made)
