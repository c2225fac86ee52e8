"""What CloudFormation would refuse, or lose, when it updates a stack of the version before.

`tests/recorded/<version>/resources.json` has what matters of each version's template.
"""

import json
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any, Final

import pytest

from tests.recorded.resources import summary
from tests.stack import ROOT
from tests.transformed_template import resources

TODAY: Final = "today"
RECORDED: Final = sorted(
    (path.parent.name for path in (ROOT / "tests" / "recorded").glob("*/resources.json")),
    key=lambda version: [int(one) for one in version.split(".")],
)
UPDATES: Final = list(pairwise([*RECORDED, TODAY]))
REMADE: Final = frozenset({"AWS::Lambda::LayerVersion", "AWS::Lambda::Permission"})
"""Types of which each change makes a new resource, which nothing else misses."""
REMOVED: Final = {"CursorSecret": "the key of cursors: a list is begun again"}
"""Resources with content that a version has removed, and what that costs."""
WITH_CONTENT: Final = frozenset(
    {
        "AWS::Cognito::UserPool",
        "AWS::DynamoDB::Table",
        "AWS::Events::EventBus",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
    }
)

every_update = pytest.mark.parametrize(("before", "after"), UPDATES)


@cache
def of(version: str) -> Mapping[str, Any]:
    if version == TODAY:
        return summary(resources())
    recorded = ROOT / "tests" / "recorded" / version / "resources.json"
    found: Mapping[str, Any] = json.loads(recorded.read_text())
    return found


def kept(before: str, after: str) -> dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The resources that both versions have."""
    both = of(before).keys() & of(after).keys()
    return {name: (of(before)[name], of(after)[name]) for name in both}


def test_every_released_version_is_recorded() -> None:
    assert RECORDED[0] == "0.2.0"
    versions = {path.parent.name for path in (ROOT / "tests" / "recorded").glob("*/items.json")}
    assert versions == set(RECORDED)


@every_update
def test_no_resource_is_replaced(before: str, after: str) -> None:
    # A table, queue, bucket, secret, topic or pool would be empty; a stream's mapping would begin
    # from the start; what has a name of its own can't be replaced at all.
    # Source: AWS CloudFormation user guide, "Update behaviors of stack resources".
    for name, (old, new) in kept(before, after).items():
        assert old["type"] == new["type"], name
        if old["type"] not in REMADE:
            assert old["fixed"] == new["fixed"], name


@every_update
def test_nothing_that_holds_content_is_removed(before: str, after: str) -> None:
    gone = of(before).keys() - of(after).keys()
    assert {name for name in gone if of(before)[name]["type"] in WITH_CONTENT} <= REMOVED.keys()


@every_update
def test_a_table_gets_or_loses_one_index_at_a_time_and_none_is_changed(
    before: str, after: str
) -> None:
    # DynamoDB: "Cannot perform more than one GSI creation or deletion in a single update".
    for name, (old, new) in kept(before, after).items():
        indexes, today = old.get("indexes", {}), new.get("indexes", {})
        assert len(indexes.keys() ^ today.keys()) <= 1, name
        for index in indexes.keys() & today.keys():
            assert indexes[index] == today[index], f"{index} of {name}"


@every_update
def test_a_route_with_a_throttle_of_its_own_stays(before: str, after: str) -> None:
    # A stage whose settings name a route that is gone can't be updated: "Unable to find Route by
    # key". Source: github.com/aws/serverless-application-model/issues/1939
    [api] = [one for one in of(after).values() if "routes" in one]
    [stage] = [one for one in of(before).values() if "throttled" in one]
    assert set(stage["throttled"]) <= set(api["routes"])
