"""Actions at a provider that is down, slow, or refuses the credentials."""

from datetime import timedelta
from typing import Any

import pytest

from milepost.actions.action import (
    CredentialsRefused,
    ProviderDown,
)
from milepost.common.status import Status
from milepost.orders.details import Result
from tests.unit.actions.provider_counter import OG, SPIRII, Counter


@pytest.mark.parametrize(
    ("fault", "said"),
    [({"fault": "500"}, "answered 500"), ({"fault": "500", "status": 503}, "answered 503"),
     ({"fault": "429", "retry_after": 60}, "try again in 60 s"),
     ({"fault": "redirect"}, "answered 302"), ({"fault": "drop"}, "same key")],
)  # fmt: skip
def test_a_provider_that_is_down_is_asked_again_later_with_the_same_key(
    fault: dict[str, Any], said: str, counter: Counter
) -> None:
    key = counter.create(SPIRII)
    method = {"method": "POST"}
    counter.sandboxes.accounts[SPIRII].faults.add({**fault, "times": 1, "on": method})
    with pytest.raises(ProviderDown, match=said) as down:
        counter.ask(key, "cancel")
    if fault["fault"] == "429":
        assert down.value.retry_after == timedelta(seconds=60)
    assert not counter.by_people(key)
    assert counter.ask(key, "cancel").result is Result.DONE
    assert len(counter.noted(SPIRII)) == 1


def test_a_provider_that_asks_for_a_moment_gets_it(counter: Counter) -> None:
    key = counter.create(SPIRII)
    busy = {"fault": "429", "retry_after": 1, "times": 1, "on": {"method": "POST"}}
    counter.sandboxes.accounts[SPIRII].faults.add(busy)
    assert counter.ask(key, "cancel").result is Result.DONE
    assert counter.pauses == [1.0]


def test_an_action_whose_effect_cannot_be_fetched_is_done_all_the_same(counter: Counter) -> None:
    key = counter.create(SPIRII)
    broken = {"fault": "500", "times": 1, "on": {"method": "GET"}}
    counter.sandboxes.accounts[SPIRII].faults.add(broken)
    assert counter.ask(key, "cancel").result is Result.DONE
    assert counter.order(key).status is Status.PENDING
    assert len(counter.by_people(key)) == 1


def test_refused_credentials_are_named_as_what_is_wrong(counter: Counter) -> None:
    key = counter.create(OG)
    counter.sandboxes.accounts[OG].connection.credentials["api_key"] = "renewed"
    tools = counter.tools(OG)
    tools.conversation.credentials = {"api_key": "old"}
    counter.tools = lambda _name: tools  # type: ignore[method-assign]
    with pytest.raises(CredentialsRefused, match="check them"):
        counter.ask(key, "cancel")
