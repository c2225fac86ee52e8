"""``milepost connections apply``: when a call to AWS fails it says so, and the next finishes."""

from typing import Any

import pytest
from botocore.client import BaseClient

from tests.contracts.test_connections_apply import Operator, operator  # noqa: F401 - a fixture
from tests.integration.failing_calls import Failure, error_of

MOST_CALLS = 200


def apply_failing(
    target: Operator, at: int, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> tuple[bool, int]:
    """Apply, and let the call number ``at`` fail; whether there was one, and the exit code."""
    send, made = BaseClient._make_api_call, 0

    def call(client: Any, operation: str, parameters: Any) -> Any:
        nonlocal made
        is_it, made = made == at, made + 1
        if is_it and not failure.is_done:
            raise error_of(failure, client, operation)
        answer = send(client, operation, parameters)
        if is_it:
            raise error_of(failure, client, operation)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", call)
        result = target.apply("--yes")
    return made > at, result.exit_code


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(one, marks=[] if one is Failure.NO_ANSWER else pytest.mark.thorough)
        for one in Failure
    ],
)
def test_an_apply_of_which_a_call_fails_says_so_and_the_next_one_finishes(
    failure: Failure,
    operator: Operator,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for at in range(MOST_CALLS):
        is_made, exit_code = apply_failing(operator, at, failure, monkeypatch)
        if not is_made:
            break
        assert exit_code != 0, f"call {at + 1}"
    assert (is_made, exit_code) == (False, 0)
    assert operator.credentials.get("offergrid-home") == {"api_key": "key-of-offergrid"}
    assert len(operator.signing_secrets("offergrid-home")) == 1
    assert set(operator.schedules()) == {"offergrid-home", "rabot-energy"}
    recipients = [one.recipient for one in operator.subscriptions.all()]
    assert sorted(recipients) == ["late@example.org", "sales@example.org"]
    operator.writes.clear()
    assert operator.apply("--yes").exit_code == 0
    assert operator.writes == []
