"""Plans in EventBridge Scheduler: what each engine keeps of them, and what a fake does as well."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.session import get_session
from moto import mock_aws

from milepost.actions.action import PlannedCall, Plans
from milepost.actions.aws.scheduler import (
    ActionSchedules,
    planned_call,
    schedule_input,
    schedule_name,
)
from milepost.orders.order import OrderKey
from tests.fakes.requests import MemoryPlans

NOON = datetime(2030, 3, 20, 12, tzinfo=UTC)
CALL = PlannedCall(order=OrderKey("spirii-dk", "so-1", "so 1:ü"), action="fulfill", key="k1")


class Group:
    """A schedule group of an engine, with what stands in it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._name = f"actions-{uuid4().hex[:8]}"
        client.create_schedule_group(Name=self._name)
        account = "arn:aws:iam::123456789012"
        self.plans: Plans = ActionSchedules(
            client,
            group=self._name,
            role_arn=f"{account}:role/actions",
            function_arn="arn:aws:lambda:eu-central-1:123456789012:function:perform-action",
            dead_letters_arn="arn:aws:sqs:eu-central-1:123456789012:failed",
        )

    def due(self) -> dict[str, str]:
        """When each schedule fires, by its name."""
        listed = self._client.list_schedules(GroupName=self._name)["Schedules"]
        found = [
            self._client.get_schedule(Name=one["Name"], GroupName=self._name) for one in listed
        ]
        return {one["Name"]: one["ScheduleExpression"] for one in found}


class Memory:
    """The fake, shown in the same way."""

    def __init__(self) -> None:
        self.plans = MemoryPlans()

    def due(self) -> dict[str, str]:
        return {
            schedule_name(call): f"at({at:%Y-%m-%dT%H:%M:%S})"
            for call, at in self.plans.due.items()
        }


@pytest.fixture(params=["moto", "ministack", "memory"])
def group(request: pytest.FixtureRequest) -> Iterator[Group | Memory]:
    if request.param == "memory":
        yield Memory()
        return
    with ExitStack() as stack:
        options = {}
        if request.param == "moto":
            stack.enter_context(mock_aws())
        else:
            options["endpoint_url"] = request.getfixturevalue("ministack")
        client = get_session().create_client("scheduler", region_name="eu-central-1", **options)
        yield Group(client)


def test_a_plan_is_one_schedule_at_its_time(group: Group | Memory) -> None:
    group.plans.put(CALL, at=NOON)
    assert group.due() == {schedule_name(CALL): "at(2030-03-20T12:00:00)"}


def test_a_plan_put_twice_is_one_schedule(group: Group | Memory) -> None:
    group.plans.put(CALL, at=NOON)
    group.plans.put(CALL, at=NOON)
    assert len(group.due()) == 1


def test_another_key_or_another_try_is_another_schedule(group: Group | Memory) -> None:
    calls = [CALL, replace(CALL, key="k2"), replace(CALL, attempt=2)]
    for call in calls:
        group.plans.put(call, at=NOON)
    assert len(group.due()) == len(calls)


def test_a_dropped_plan_is_gone_and_may_be_dropped_again(group: Group | Memory) -> None:
    group.plans.put(CALL, at=NOON)
    group.plans.drop(CALL)
    group.plans.drop(CALL)
    assert group.due() == {}


def test_a_schedule_never_fires_before_its_time() -> None:
    with mock_aws():
        client = get_session().create_client("scheduler", region_name="eu-central-1")
        group = Group(client)
        group.plans.put(CALL, at=NOON + timedelta(milliseconds=1))
        assert list(group.due().values()) == ["at(2030-03-20T12:00:01)"]


def test_a_schedules_input_is_read_back_as_the_call() -> None:
    assert planned_call(schedule_input(CALL)) == CALL


def test_a_schedules_name_is_one_that_scheduler_takes() -> None:
    name = schedule_name(PlannedCall(order=CALL.order, action="a" * 25, key="k" * 128, attempt=5))
    assert len(name) <= 64
    assert name.replace("-", "").isalnum()
