"""What a function's log keeps, whatever log level Lambda is set to, and what botocore adds."""

import json
import logging
import re
from collections.abc import Iterator

import pytest

from milepost.aws.botocore_clients import open_session
from milepost.aws.logger import open_logger

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
"""Source: RFC 3339, section 5.6, as Lambda's "Log-level filtering" wants it."""


@pytest.fixture
def logger_name() -> Iterator[str]:
    name = "tested-log-lines"
    yield name
    logging.getLogger(name).handlers.clear()


def test_a_lines_time_is_one_by_which_lambda_reads_its_level(
    logger_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = open_logger(service=logger_name, level="INFO")
    logger.warning("looked at", extra={"connection": "offergrid-home"})
    try:
        int("anna@example.org")
    except ValueError:
        logger.exception("failed")
    lines = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    assert [one["level"] for one in lines] == ["WARNING", "ERROR"]
    assert all(RFC_3339.fullmatch(one["timestamp"]) for one in lines)
    assert "anna@example.org" not in json.dumps(lines)


def test_botocore_writes_no_lines_of_its_own_at_a_start(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    # As Lambda's runtime sets the root logger.
    caplog.set_level(logging.INFO)
    logging.getLogger("botocore").setLevel(logging.NOTSET)
    # A session that is made now. The process keeps its own, which other tests listen to.
    open_session.__wrapped__().create_client("sqs")
    assert [one for one in caplog.records if one.name.startswith("botocore")] == []
    assert logging.getLogger("botocore.credentials").getEffectiveLevel() == logging.WARNING
