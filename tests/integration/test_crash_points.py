"""Every worker, stopped at every call that it makes to AWS: nothing is lost, and nothing doubled.

A further worker is a further scenario: what is there before it runs, and its event.
"""

from collections.abc import Mapping

import pytest

from milepost.orders.aws import index_keys
from tests.integration.crash_injection import (
    Calls,
    How,
    Run,
    Scenario,
    start_of_a_quiet_while,
)
from tests.integration.scenarios import SERVED, SIMPLE

QUICK = ("record_report",)


@pytest.fixture(
    params=[
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.thorough)
        for name in (*SIMPLE, *SERVED)
    ]
)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    name = request.param
    served: Mapping[str, Scenario] = {} if name in SIMPLE else request.getfixturevalue("served")
    return SIMPLE.get(name) or served[name]


@pytest.mark.thorough
@pytest.mark.parametrize("how", How)
def test_a_worker_stopped_at_any_call_leaves_what_an_undisturbed_one_does(
    how: How, scenario: Scenario, moto: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every partition of an earlier version is a query, and an emulator's queries are slow.
    monkeypatch.setattr(index_keys, "MOST_SHARDS", 1)
    start = start_of_a_quiet_while()
    undisturbed = Run(scenario, monkeypatch, start)
    expected = undisturbed.outcome
    assert undisturbed.calls.made
    assert set(undisturbed.mails.values()) <= {1}
    for at in undisturbed.calls.stops(how):
        run = Run(scenario, monkeypatch, start, Calls(stop_at=at, how=how))
        where = f"call {at + 1}, {undisturbed.calls.made[at]}: {how}"
        assert run.outcome == expected, where
        most = 2 if run.calls.left_a_mail_unlogged else 1
        assert max(run.mails.values(), default=0) <= most, where
