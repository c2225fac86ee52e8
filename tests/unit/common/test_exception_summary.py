"""What is said of exceptions: their class and place, and never what they quote."""

import ast
import io
import json
import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError

from milepost.aws.logger import open_logger
from milepost.common.exception_summary import (
    HandlerFailed,
    OwnWords,
    describe,
    fail_without_message,
)
from tests.stack import ROOT

SECRET = "sk_live_hunter2"
APPS = sorted((ROOT / "functions").glob("*/app.py"))


def fail() -> None:
    try:
        int(f"Bearer {SECRET}")
    except ValueError as error:
        raise RuntimeError(f"could not send {SECRET}") from error


def raised() -> RuntimeError:
    try:
        fail()
    except RuntimeError as error:
        error.add_note(SECRET)
        return error
    raise AssertionError


def test_an_exception_is_described_by_class_and_place_through_its_chain() -> None:
    said = describe(raised())
    assert said.startswith("RuntimeError at test_exception_summary.py:")
    assert "; from ValueError at test_exception_summary.py:" in said
    assert SECRET not in said


def test_what_aws_refused_is_described_by_its_code_and_operation() -> None:
    refused = {"Error": {"Code": "AccessDeniedException", "Message": SECRET}}
    assert describe(ClientError(refused, "PutItem")).startswith(
        "ClientError (AccessDeniedException of PutItem) at "
    )


@pytest.mark.parametrize("code", [f"Bearer {SECRET}", None, 7, "x" * 81, ""])
def test_a_code_that_is_none_is_left_out(code: Any) -> None:
    said = describe(ClientError({"Error": {"Code": code, "Message": SECRET}}, "PutItem"))
    assert said.startswith("ClientError at ")


@fail_without_message
def handler(event: Any, _context: Any) -> Any:
    if event == "own":
        raise OwnWords("2 orders could not be judged")
    if event:
        fail()
    return "done"


def test_a_handler_that_fails_tells_the_runtime_no_message() -> None:
    assert handler("", None) == "done"
    with pytest.raises(HandlerFailed) as failed:
        handler("other", None)
    assert SECRET not in str(failed.value)
    assert "ValueError" in str(failed.value)
    # Neither the cause nor what was being handled is there for a traceback to show.
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


def test_words_of_ours_are_told() -> None:
    with pytest.raises(OwnWords, match="2 orders could not be judged"):
        handler("own", None)


@pytest.mark.parametrize("name", ["milepost", "milepost.notifications.mail.rendering.renderer"])
def test_a_log_line_has_the_class_and_place_of_an_exception_alone(name: str) -> None:
    stream = io.StringIO()
    logger = open_logger(service="milepost", stream=stream)
    for one in logging.getLogger("milepost").handlers:
        if isinstance(one, logging.StreamHandler):
            one.stream = stream
    try:
        fail()
    except RuntimeError:
        logging.getLogger(name).exception("failed to send", extra={"order": "a:b:c"})
        logger.warning("tried", exc_info=True, stack_info=True)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["failed to send", "tried"]
    assert lines[0]["order"] == "a:b:c"
    assert {line["exception_name"] for line in lines} == {"RuntimeError"}
    assert all("ValueError at test_exception_summary.py" in line["exception"] for line in lines)
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("path", APPS, ids=lambda one: one.parent.name)
def test_every_function_fails_and_logs_without_messages(path: Any) -> None:
    tree = ast.parse(path.read_text())
    [function] = [
        one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "handler"
    ]
    assert ast.unparse(function.decorator_list[0]) == "fail_without_message"
    names = {
        alias.name
        for one in ast.walk(tree)
        if isinstance(one, ast.ImportFrom)
        for alias in one.names
    }
    assert "Logger" not in names
