"""`make deploy`: its own line, read by SAM's own parser."""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import typer
import yaml
from botocore.stub import Stubber
from samcli.commands.deploy.command import cli as sam_deploy
from samcli.yamlhelper import yaml_dump, yaml_parse

from local.deploy import credentials, protection, set_default
from local.deploy import stage as check_stage
from local.errors import CannotStart
from tests.stack import ROOT
from tests.template import FUNCTIONS, TEMPLATE

AWKWARD = [
    "Milepost <milepost@example.org>",
    "Doe, Jane <jane@example.org>",
    '"Milepost, the team" <milepost@example.org>',
    "o'hara@example.org",
    'O\'Hara & Söhne; $(id) `id` #1 | "50%" <a@example.org>',
    "$HOME@example.org",
    "two  spaces@example.org",
    "StageName=local@example.org",
    "a Mfa=OPTIONAL@example.org",
]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", "-n", *arguments]
    # Whether the stack exists can't be found out: no test asks AWS.
    nowhere = {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    return subprocess.run(
        command, cwd=ROOT, env=nowhere, capture_output=True, text=True, check=False
    )


def sam_words(*variables: str) -> list[str]:
    """The words that a shell gives to `sam deploy`."""
    lines = make("deploy", *variables).stdout.replace("\\\n", " ").splitlines()
    [line] = [one for one in lines if one.startswith("sam deploy ")]
    return shlex.split(line)[2:]


def parameters(*variables: str) -> Mapping[str, str]:
    """The template's parameters as SAM reads them."""
    context = sam_deploy.make_context("deploy", sam_words(*variables))
    found: Mapping[str, str] = context.params["parameter_overrides"]
    return found


@pytest.mark.thorough
def test_without_alarms_no_address_of_alarms_is_passed() -> None:
    found = parameters("STAGE=dev", "SENDER=milepost@example.org")
    assert found["SenderAddress"] == "milepost@example.org"
    assert found["StageName"] == "dev"
    assert "AlarmAddress" not in found


@pytest.mark.thorough
@pytest.mark.parametrize("empty", ["ALARMS=", "ALARMS= "])
def test_an_empty_address_of_alarms_is_not_passed(empty: str) -> None:
    assert "AlarmAddress" not in parameters("STAGE=dev", "SENDER=milepost@example.org", empty)


def test_the_line_of_the_readme_is_read() -> None:
    lines = re.findall(r"^make (deploy [^#\n]*)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert lines
    for line in lines:
        assert parameters(*shlex.split(line)[1:])["SenderAddress"] == "milepost@your.domain"


@pytest.mark.thorough
def test_with_alarms_both_addresses_are_passed() -> None:
    found = parameters("STAGE=prod", "SENDER=milepost@example.org", "ALARMS=ops@example.org")
    assert found["SenderAddress"] == "milepost@example.org"
    assert found["AlarmAddress"] == "ops@example.org"


@pytest.mark.sampled(1)
@pytest.mark.parametrize("value", AWKWARD)
def test_an_awkward_value_reaches_the_template_as_it_was_given(value: str) -> None:
    found = parameters("STAGE=dev", f"SENDER={value}", f"ALARMS={value}")
    assert found["SenderAddress"] == value
    assert found["AlarmAddress"] == value
    assert found["StageName"] == "dev"
    assert found["Mfa"] == "OPTIONAL"


@pytest.mark.thorough
@pytest.mark.parametrize("value", ["a\\b@example.org", "a@example.org\nb@example.org", "a@b.de\\"])
def test_a_value_that_sam_cannot_be_given_is_refused(value: str) -> None:
    for variables in ((f"SENDER={value}",), ("SENDER=a@example.org", f"ALARMS={value}")):
        refused = make("deploy", "STAGE=dev", *variables)
        assert refused.returncode != 0
        assert "neither a backslash nor a line break" in refused.stderr


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    "variables",
    [
        ("STAGE=dev",),
        ("STAGE=dev", "SENDER= "),
        ("STAGE=Staging", "SENDER=a@example.org"),
        ("STAGE=local", "SENDER=a@example.org"),
        (f"STAGE={'a' * 25}", "SENDER=a@example.org"),
        ("STAGE=on-aws", "SENDER=a@example.org"),
        ("STAGE=two words", "SENDER=a@example.org"),
    ],
)
def test_without_a_sender_or_with_a_name_that_no_stage_can_have_nothing_is_built(
    variables: tuple[str, ...],
) -> None:
    command = ["make", "--no-print-directory", "check-deploy", *variables]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "SENDER=" in refused.stdout or "STAGE=" in refused.stderr


def test_words_that_cognito_refuses_in_a_domain_are_refused_before() -> None:
    pattern = TEMPLATE["Parameters"]["StageName"]["AllowedPattern"]
    for name in ("aws", "on-aws", "awstats", "amazon-eu", "prod-cognito"):
        assert not re.fullmatch(pattern, name)
        with pytest.raises(CannotStart, match="Cognito refuses"):
            check_stage(name)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("stage", ["dev", "staging", "prod", "prod-eu", "a" * 24])
def test_a_stage_has_a_stack_of_its_own_whose_functions_have_names_that_lambda_takes(
    stage: str,
) -> None:
    context = sam_deploy.make_context(
        "deploy", sam_words(f"STAGE={stage}", "SENDER=milepost@example.org")
    )
    assert context.params["stack_name"] == f"milepost-{stage}"
    assert context.params["parameter_overrides"]["StageName"] == stage
    assert re.fullmatch(TEMPLATE["Parameters"]["StageName"]["AllowedPattern"], stage)
    for function in FUNCTIONS.values():
        name = function["FunctionName"]["Sub"].replace("${AWS::StackName}", f"milepost-{stage}")
        assert len(name) <= 64


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"AWS_REGION": "eu-north-1"}, "eu-north-1"),
        ({"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-north-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({}, ""),
    ],
)
def test_sam_deploys_to_the_region_that_the_guide_has_people_set(
    given: Mapping[str, str], read: str
) -> None:
    # SAM reads AWS_DEFAULT_REGION alone.
    without = {name: value for name, value in os.environ.items() if not name.endswith("_REGION")}
    command = ["make", "--no-print-directory", "--eval", "show: ; @echo $$AWS_DEFAULT_REGION"]
    shown = subprocess.run(
        [*command, "show"],
        cwd=ROOT,
        env={**without, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == read


def test_without_a_region_no_change_set_is_shown_and_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(typer.Exit):
        credentials()
    assert "no region. Set AWS_REGION" in capsys.readouterr().out


@pytest.mark.thorough
def test_a_variable_env_of_the_shell_names_no_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    # POSIX: the file that an interactive shell reads when it starts.
    monkeypatch.setenv("ENV", "/etc/shinit")
    assert parameters("SENDER=milepost@example.org")["StageName"] == "dev"


@pytest.mark.thorough
def test_the_former_name_of_the_stage_still_counts_on_the_command_line() -> None:
    assert parameters("ENV=prod", "SENDER=milepost@example.org")["StageName"] == "prod"


@pytest.mark.thorough
def test_what_is_built_offers_no_other_python_or_processor_than_the_layers_were_built_for() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text())
    set_default(template, "Runtime", "python3.12")
    offered = yaml_parse(yaml_dump(template))["Parameters"]["Runtime"]
    assert (offered["Default"], offered["AllowedValues"]) == ("python3.12", ["python3.12"])
    assert "finish-build" in make("build-aws").stdout


@pytest.mark.thorough
@pytest.mark.parametrize(("environment", "mfa"), [("dev", "OPTIONAL"), ("prod", "ON")])
def test_a_second_factor_is_required_in_prod(environment: str, mfa: str) -> None:
    assert parameters(f"STAGE={environment}", "SENDER=a@example.org")["Mfa"] == mfa


@pytest.mark.thorough
def test_a_dashboard_is_made_when_it_is_asked_for() -> None:
    given = ("STAGE=dev", "SENDER=a@example.org")
    assert parameters(*given, "DASHBOARD=true")["WithDashboard"] == "true"
    assert "WithDashboard" not in parameters(*given)


@pytest.mark.thorough
def test_an_event_bus_and_an_envelope_are_chosen_by_their_variables() -> None:
    given = ("STAGE=dev", "SENDER=a@example.org")
    found = parameters(*given, "EVENT_BUS=true", "ENVELOPE=cloudevents")
    assert (found["WithEventBus"], found["TopicEnvelope"]) == ("true", "cloudevents")
    # Without them the stack keeps what it has.
    assert not {"WithEventBus", "TopicEnvelope"} & parameters(*given).keys()


@pytest.mark.thorough
def test_every_parameter_that_is_passed_is_one_of_the_template() -> None:
    found = parameters("STAGE=prod", "SENDER=a@example.org", "ALARMS=b@example.org")
    declared: Mapping[str, Any] = TEMPLATE["Parameters"]
    for name, value in found.items():
        assert name in declared
        assert value in declared[name].get("AllowedValues", [value])


@pytest.mark.parametrize("name", ["SenderAddress", "AlarmAddress"])
def test_the_template_takes_plain_addresses_alone(name: str) -> None:
    pattern = re.compile(TEMPLATE["Parameters"][name]["AllowedPattern"])
    assert pattern.fullmatch("o'hara+orders@mail.example.org")
    for value in ("Milepost <milepost@example.org>", "a b@example.org", "a@b@c", "a@b.de,c@d.de"):
        assert not pattern.fullmatch(value)
    assert bool(pattern.fullmatch("")) is (name == "AlarmAddress")


def test_samconfig_names_stages_as_make_does() -> None:
    text = (ROOT / "samconfig.toml").read_text()
    assert yaml.safe_load(re.findall(r"parameter_overrides = (.*)", text)[-1]) == [
        "StageName=prod",
        "Mfa=ON",
    ]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("CREATE_COMPLETE", "DeletionProtection=true"),
        ("UPDATE_COMPLETE", "DeletionProtection=true"),
        ("UPDATE_ROLLBACK_COMPLETE", "DeletionProtection=true"),
        ("REVIEW_IN_PROGRESS", ""),
        ("ROLLBACK_COMPLETE", ""),
        ("ROLLBACK_FAILED", ""),
        (None, ""),
    ],
)
def test_tables_are_protected_once_the_stack_exists_and_not_before(
    status: str | None,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = boto3.client("cloudformation")
    asked = {"StackName": "milepost-prod"}
    with Stubber(client) as answers:
        if status is None:
            answers.add_client_error("describe_stacks", "ValidationError", expected_params=asked)
        else:
            made = {
                **asked,
                "StackStatus": status,
                "CreationTime": datetime(2026, 3, 2, tzinfo=UTC),
            }
            answers.add_response("describe_stacks", {"Stacks": [made]}, asked)
        monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
        protection("milepost-prod")
    assert capsys.readouterr().out.strip() == said


@pytest.mark.thorough
def test_where_the_stack_cannot_be_looked_at_its_parameter_is_left_as_it_is() -> None:
    assert "DeletionProtection" not in parameters("STAGE=prod", "SENDER=a@example.org")
