"""docs/deploy.md and the pipeline: their commands are right, as far as no account is needed."""

import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from botocore.session import get_session
from botocore.validate import ParamValidator

from local.deploy_check import check_line
from tests.deploy_guide.aws_client import for_version_1
from tests.deploy_guide.documents import GUIDE as GUIDE_FILE
from tests.deploy_guide.documents import LEFT_OUT, begins, other_documents, steps_of
from tests.stack import ROOT
from tests.template import RESOURCES, TEMPLATE
from tests.unit.cli.every_command import COMMANDS as HELP

GUIDE: Final = GUIDE_FILE.read_text()
PIPELINE: Final = yaml.safe_load((ROOT / "docs" / "deploy-pipeline.yml").read_text())


STEPS: Final = steps_of(GUIDE_FILE)


def of_tool(tool: str) -> list[list[str]]:
    """The words after the command's name of each step."""
    return [shlex.split(step.text)[1:] for step in STEPS if step.tool == tool]


def test_every_command_is_of_a_tool_that_is_tried() -> None:
    tools = {step.tool for step in STEPS}
    assert tools - {"alarm=$(aws", "certificate=$(aws"} <= {
        "make",
        "aws",
        "milepost",
        "export",
        "for",
    }


@pytest.mark.parametrize("path", [GUIDE_FILE, *other_documents()], ids=lambda path: path.name)
def test_no_command_of_a_block_is_passed_over(path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line.lstrip()[:1] != "#"]
    printed = sum(len(re.findall(r"\baws [a-z]", line)) for line in lines)
    found = sum(len(re.findall(r"\baws [a-z]", step.text)) for step in steps_of(path))
    inline = len(re.findall(r"(?<!`)`aws\s+[a-z0-9-]+\s+[a-z]", path.read_text()))
    assert found == printed + inline


def test_a_payload_is_given_as_the_cli_takes_it() -> None:
    as_text = ["--cli-binary-format", "raw-in-base64-out"]
    invoke = ["lambda", "invoke", "--payload", "{}"]
    assert for_version_1([*invoke, *as_text, "out.json"]) == [*invoke, "out.json"]
    assert for_version_1(["sts", "get-caller-identity"]) == ["sts", "get-caller-identity"]
    with pytest.raises(SystemExit, match="version 2 of the AWS CLI needs"):
        for_version_1(invoke)


def test_every_command_that_no_test_runs_is_in_a_document() -> None:
    printed = [one for path in (GUIDE_FILE, *other_documents()) for one in steps_of(path)]
    assert {begins(one, LEFT_OUT) for one in printed} - {None} == LEFT_OUT.keys()


def test_the_guide_names_its_commands_that_no_test_runs() -> None:
    [said] = re.findall(r"runs every command of this guide.*?\n\n", GUIDE, re.DOTALL)
    for one in {begins(step, LEFT_OUT) for step in STEPS} - {None}:
        assert f"`{one.split()[-1]}`" in said, one


@pytest.mark.thorough
@pytest.mark.parametrize("words", of_tool("make"), ids=" ".join)
def test_the_guides_deployments_would_be_taken(words: list[str]) -> None:
    target, *variables = words
    arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"
    variables = [one.replace("$certificate", arn) for one in variables]
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    if target.startswith("deploy"):
        assert list(check_line(variables)) == []


@pytest.mark.parametrize("words", of_tool("milepost"), ids=" ".join)
def test_the_guides_uses_of_the_command_are_read(words: list[str]) -> None:
    named = next(" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in HELP)
    HELP[named].make_context(named, words[len(named.split()) :])


NOT_RUN: Final = [
    shlex.split(step.text)[1:]
    for path in (GUIDE_FILE, *other_documents())
    for step in steps_of(path)
    if (left := begins(step, LEFT_OUT)) and left.startswith("aws ") and left != "aws configure"
]


@pytest.mark.parametrize("words", NOT_RUN, ids=" ".join)
def test_a_command_that_no_test_runs_is_a_request_that_aws_takes(words: list[str]) -> None:
    """The others run in tests/e2e/test_guide_commands.py."""
    service, operation, *rest = words
    model = get_session().get_service_model(service)
    [name] = [one for one in model.operation_names if _dashed(one) == operation]
    shape = model.operation_model(name).input_shape
    assert shape
    members = {_dashed(one): (one, of) for one, of in shape.members.items()}
    wanted = {
        members[option][0]: _as(members[option][1], values) for option, values in _options(rest)
    }
    report = ParamValidator().validate(wanted, shape)
    assert not report.has_errors(), report.generate_report()


def _options(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option with the words that follow it."""
    starts = [at for at, word in enumerate(words) if word.startswith("--")]
    assert starts[:1] in ([], [0]), "the AWS CLI takes options alone"
    for at, end in pairwise([*starts, len(words)]):
        yield words[at][2:], words[at + 1 : end]


def _as(shape: Any, words: list[str]) -> Any:
    """The value of an option, as the AWS CLI makes it of words."""
    [word] = words
    if shape.type_name == "map":
        return dict(one.split("=", 1) for one in word.split(","))
    if shape.type_name in {"integer", "long", "double", "float"}:
        return float(word)
    # A placeholder for what an earlier command printed.
    return "x" * 20 if word.startswith("$") else word


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def test_the_guides_policies_are_policies() -> None:
    blocks = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        for statement in json.loads(block)["Statement"]:
            assert statement["Effect"] == "Allow"
            assert statement["Action"]
            assert "Resource" in statement or "Principal" in statement


def test_no_user_has_an_address_for_a_name() -> None:
    # Cognito refuses it where addresses are aliases.
    # Source: Amazon Cognito developer guide, "Customizing sign-in attributes".
    assert RESOURCES["PeoplePool"]["Properties"]["AliasAttributes"] == ["email"]
    created = [words for words in of_tool("aws") if "--username" in words]
    assert created
    assert not any("@" in words[words.index("--username") + 1] for words in created)


def test_the_guide_says_what_stays_when_the_stack_is_deleted() -> None:
    kept = {n for n, one in RESOURCES.items() if "Retain" in one.get("DeletionPolicy", "")}
    assert kept - {"PeoplePool"} == {
        f"{one}Table"
        for one in ("Orders", "Notices", "Figures", "Search", "Erasures", "Activity", "Views")
    }
    [said] = re.findall(r"Data that can't be recovered is kept: (.*?)\.", GUIDE, re.DOTALL)
    for word in ("orders", "notices", "figures", "search", "erasures", "activity", "views", "pool"):
        assert word in said


def test_the_guide_empties_each_bucket_before_it_deletes_the_stack() -> None:
    buckets = {n for n, one in RESOURCES.items() if one["Type"] == "AWS::S3::Bucket"}
    assert set(re.findall(r"aws s3 rm --recursive s3://<(\w+)>", GUIDE)) == buckets


def test_the_pipelines_variables_are_named_in_the_guide() -> None:
    text = (ROOT / "docs" / "deploy-pipeline.yml").read_text()
    for name in set(re.findall(r"vars\.(\w+)", text)):
        assert f"`{name}`" in GUIDE, name


def test_what_the_guide_refers_to_by_name_is_in_the_template() -> None:
    for name in re.findall(r"<([A-Z]\w+)>", GUIDE):
        assert name in TEMPLATE["Outputs"], name


@pytest.mark.thorough
def test_the_pipeline_runs_the_targets_of_the_guide() -> None:
    steps = [step.get("run", "") for job in PIPELINE["jobs"].values() for step in job["steps"]]
    runs = [shlex.split(re.sub(r"\$\{\{[^}]*\}\}", "a@b.de", run)) for run in steps if run]
    made = [run for run in runs if run[0] == "make"]
    assert [run[1] for run in made] == ["test", "deploy-check", "deploy"]
    for _, target, *variables in made:
        if target != "test":
            assert list(check_line(variables)) == []
    assert PIPELINE["jobs"]["deploy"]["environment"] == "prod"
