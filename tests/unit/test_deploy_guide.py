"""docs/deploy.md and the pipeline: their commands are right, as far as no account is needed."""

import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import pytest
import yaml
from botocore.session import get_session
from botocore.validate import ParamValidator

from local.deploy_check import check_line
from tests.stack import ROOT
from tests.template import RESOURCES, TEMPLATE
from tests.unit.cli.every_command import COMMANDS as HELP

GUIDE: Final = (ROOT / "docs" / "deploy.md").read_text()
PIPELINE: Final = yaml.safe_load((ROOT / "docs" / "deploy-pipeline.yml").read_text())


def commands() -> Iterator[list[str]]:
    """The words of each command of the guide."""
    for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


COMMANDS: Final = list(commands())


def of_tool(tool: str) -> list[list[str]]:
    return [words[1:] for words in COMMANDS if words[0].rpartition("/")[2] == tool]


def test_every_command_is_of_a_tool_that_is_tried_here() -> None:
    tools = {words[0].rpartition("/")[2] for words in COMMANDS}
    assert tools <= {"make", "aws", "milepost"}


@pytest.mark.thorough
@pytest.mark.parametrize("words", of_tool("make"), ids=" ".join)
def test_the_guides_deployments_would_be_taken(words: list[str]) -> None:
    target, *variables = words
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    if target.startswith("deploy"):
        assert list(check_line(variables)) == []


@pytest.mark.parametrize("words", of_tool("milepost"), ids=" ".join)
def test_the_guides_uses_of_the_command_are_read(words: list[str]) -> None:
    named = next(" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in HELP)
    HELP[named].make_context(named, words[len(named.split()) :])


@pytest.mark.parametrize("words", of_tool("aws"), ids=" ".join)
def test_the_guides_uses_of_the_aws_cli_are_requests_that_aws_takes(words: list[str]) -> None:
    service, operation, *rest = words
    if service == "s3":  # the CLI's own
        assert operation in {"rm", "cp", "ls", "sync"}
        return
    model = get_session().get_service_model(service)
    [name] = [one for one in model.operation_names if _dashed(one) == operation]
    shape = model.operation_model(name).input_shape
    members = {_dashed(one): (one, of) for one, of in (shape.members if shape else {}).items()}
    wanted = {}
    for option, values in _options(rest):
        # The CLI's way to say that a truth value is false.
        key, of = members.get(option) or members[option.removeprefix("no-")]
        wanted[key] = _as(of, values, option)
    assert shape
    report = ParamValidator().validate(wanted, shape)
    assert not report.has_errors(), report.generate_report()


def _options(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option with the words that follow it."""
    starts = [at for at, word in enumerate(words) if word.startswith("--")]
    assert starts[:1] in ([], [0]), "the AWS CLI takes options alone"
    for at, end in pairwise([*starts, len(words)]):
        yield words[at][2:], words[at + 1 : end]


def _as(shape: Any, words: list[str], option: str) -> Any:
    """The value of an option, as the AWS CLI makes it of words."""
    if shape.type_name == "boolean":
        assert words == []
        return not option.startswith("no-")
    if shape.type_name == "list":
        return [_as(shape.member, [word], option) for word in words]
    [word] = words
    if shape.type_name == "structure":
        return dict(one.split("=", 1) for one in word.split(","))
    if shape.type_name in {"integer", "long", "double", "float"}:
        return float(word)
    return "text of a file" if word.startswith("file://") else word


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
    [said] = re.findall(r"Data that can't be recovered stays: (.*?)\.", GUIDE, re.DOTALL)
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
        assert name in RESOURCES or name in TEMPLATE["Outputs"], name


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
