"""``milepost connections apply``: when a call to AWS fails it says so, and the next finishes."""

from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from cli.connections import apply_lock
from milepost.connections.aws.declarations import LEASE
from tests.contracts.cli.operator import Operator
from tests.integration.call_failures import Failure, error_of

MOST_CALLS = 200


class Clock(datetime):
    """A clock that each apply puts forward: the lease of one that could not end it is over."""

    applies = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz or UTC) + 2 * LEASE * cls.applies


def apply_failing(
    target: Operator, at: int, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> tuple[str | None, int, str]:
    """Apply, and let the call number ``at`` fail: which that was, the exit code and the words."""
    send, made, failed = BaseClient._make_api_call, 0, list[str]()

    def call(client: Any, operation: str, parameters: Any) -> Any:
        nonlocal made
        is_it, made = made == at, made + 1
        if not is_it:
            return send(client, operation, parameters)
        failed.append(operation)
        if failure.is_done:
            # An answer that says no is lost as well.
            with suppress(ClientError):
                send(client, operation, parameters)
        raise error_of(failure, client, operation)

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", call)
        patched.setattr(apply_lock, "datetime", Clock)
        Clock.applies += 1
        result = target.apply("--yes")
    return next(iter(failed), None), result.exit_code, result.output


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(one, marks=[] if one is Failure.NO_ANSWER else pytest.mark.thorough)
        for one in Failure
    ],
)
def test_an_apply_of_which_a_call_fails_says_so_and_the_next_one_finishes(
    failure: Failure,
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for at in range(MOST_CALLS):
        failed, exit_code, said = apply_failing(operator, at, failure, monkeypatch)
        if failed is None:
            break
        if failed == "GetCallerIdentity" or "could not be recorded in the activity log" in said:
            continue  # All was applied: who did it is the machine's user, or its end isn't noted.
        assert exit_code == 1, f"call {at + 1}, {failed}: {said}"
        assert "AWS" in said or "activity log" in said
    assert (failed, exit_code) == (None, 0), said
    assert operator.credentials.get("offergrid-home") == {"api_key": "key-of-offergrid"}
    assert len(operator.signing_secrets("offergrid-home")) == 1
    assert set(operator.schedules()) == {"offergrid-home", "rabot-energy"}
    recipients = [one.recipient for one in operator.subscriptions.all()]
    assert sorted(recipients) == ["late@example.org", "sales@example.org"]
    operator.writes.clear()
    assert operator.apply("--yes").exit_code == 0
    assert operator.writes == []
