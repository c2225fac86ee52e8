"""The scan that follows every test here: it hears what functions log, and finds what is planted."""

import logging

from tests.data_leaks import Overheard, find_leaks
from tests.integration.conftest import forbidden
from tests.signing import SECRET
from tests.stack import Context, Stack, event


def test_what_a_function_logs_is_heard_with_its_facts(stack: Stack, overheard: Overheard) -> None:
    app = stack.load("record_report")
    app.handler(event("record_report", "not_json"), Context())
    assert "quarantined" in overheard.text
    assert find_leaks(overheard.text, known=forbidden()) == []
    planted = {"name": "milepost", "msg": "failed", "customer": {"surname": "Papadopoulos"}}
    overheard.emit(logging.makeLogRecord(planted))
    try:
        assert find_leaks(overheard.text, known=forbidden())
    finally:
        overheard.lines.clear()


def test_secrets_and_the_sandboxes_people_are_looked_for() -> None:
    assert {SECRET, "Papadopoulos", "Lindenstraße"} <= forbidden()
