"""Every built function under Lambda's own runtime client, with its role, on the deployed stack.

The emulator starts functions by a script of its own. What Lambda's client makes of a start, an
answer, an error and a line is tried here. A new function of the template joins by itself. Near the
end, because ``as_of_a_month_later`` marks the orders of other tests as overdue.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from local.build import BUILD
from local.invoke import sign_event
from local.stack import Stack
from tests.runtime.answers import check_answer
from tests.runtime.function_process import (
    TOOL,
    Code,
    FunctionProcess,
    copy_code,
    forget_code,
    running_function,
)
from tests.runtime.lines import check_lines
from tests.stack import ROOT, template

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.thorough,
    pytest.mark.skipif(not TOOL.exists(), reason="make .local/tools/awslambdaric/.installed"),
]

FUNCTIONS: Final = {
    Path(one["Properties"]["CodeUri"]).name: logical_id
    for logical_id, one in template().items()
    if one["Type"] == "AWS::Serverless::Function"
}
LEAST_METRICS: Final = {"watch_deadlines": 1}
"""Lines of metrics for each event, of functions that always count something."""
every_function = pytest.mark.parametrize("name", sorted(FUNCTIONS))


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[Code]:
    """The build that the stack was deployed from."""
    copied = copy_code(BUILD / "build", tmp_path_factory.mktemp("code") / "build")
    before = copied.contents()
    yield copied
    assert copied.contents() == before, "a function wrote into its own code"
    forget_code(copied)


class Deployed:
    """A function of the stack: its settings, and its role's credentials."""

    def __init__(self, stack: Stack, code: Code, name: str) -> None:
        self._stack, self._code, self.logical_id = stack, code, FUNCTIONS[name]
        self.configuration: dict[str, Any] = stack.client("lambda").get_function_configuration(
            FunctionName=stack.resource_id(self.logical_id)
        )

    def running(self, **variables: str | None) -> Any:
        """The function in a process of its own; a variable that is None is left out."""
        settings = self.configuration
        kept = {**settings["Environment"]["Variables"], **variables}
        kept = {key: value for key, value in kept.items() if value is not None}
        return running_function(
            self._code,
            self.logical_id,
            configuration={**settings, "Environment": {"Variables": kept}},
            environment=self._credentials(),
        )

    def _credentials(self) -> Mapping[str, str]:
        assumed = self._stack.client("sts").assume_role(
            RoleArn=self.configuration["Role"], RoleSessionName="real-runtime"
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": assumed["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": assumed["SecretAccessKey"],
            "AWS_SESSION_TOKEN": assumed["SessionToken"],
            "AWS_ENDPOINT_URL": self._stack.aws_endpoint_url,
            "AWS_REGION": self._stack.region,
            "AWS_DEFAULT_REGION": self._stack.region,
        }


@every_function
def test_a_function_answers_each_of_its_events_and_writes_no_other_line(
    name: str, stack: Stack, code: Code
) -> None:
    paths = sorted((ROOT / "events" / name).glob("*.json"))
    assert paths
    running: FunctionProcess
    with Deployed(stack, code, name).running() as running:
        for path in paths:
            event = sign_event(json.loads(path.read_text()), stack)
            outcome = running.invoke(json.dumps(event).encode())
            assert outcome.error is None, (path.stem, outcome.error)
            check_answer(f"{name}/{path.stem}", event, outcome.answer)
    metrics = check_lines(running, stack_name=stack.stack_name)
    assert metrics >= LEAST_METRICS.get(name, 0) * len(paths)
    assert running.frames() == []


@every_function
def test_an_error_that_nobody_handles_is_one_frame(name: str, stack: Stack, code: Code) -> None:
    running: FunctionProcess
    with Deployed(stack, code, name).running() as running:
        outcomes = [running.invoke(event) for event in (b'["private"]', b'{"Records": 7}', b"null")]
    failed = [one.error for one in outcomes if one.error is not None]
    check_lines(running, stack_name=stack.stack_name)
    frames = [json.loads(one) for one in running.frames()]
    assert [one["level"] for one in frames] == ["ERROR"] * len(failed)
    assert [one["errorType"] for one in frames] == [one["errorType"] for one in failed]
    assert "private" not in json.dumps([frames, running.lines("stdout")])


@every_function
def test_a_start_without_settings_is_one_error(name: str, stack: Stack, code: Code) -> None:
    deployed = Deployed(stack, code, name)
    own = deployed.configuration["Environment"]["Variables"]
    running: FunctionProcess
    with deployed.running(**dict.fromkeys(own)) as running:
        outcome = running.api.outcome(seconds=60)
        assert running.process.wait(timeout=60) == 1
    assert outcome.during_init
    assert outcome.error
    assert outcome.error["errorType"] == "KeyError"
    assert running.lines("stdout") == []
    assert [json.loads(one)["level"] for one in running.frames()] == ["WARNING", "ERROR"]
