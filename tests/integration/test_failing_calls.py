"""Every call to AWS fails in every way, and no function takes that for done.

A call that fails makes the invocation fail, or its message come back, or the request answer 5xx.
Run again, all ends as if nothing had failed. A further function or route is a further scenario.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from milepost.api.routing import SUBJECTS, routers_of
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.topic_and_queues import mail_test_message
from milepost.notifications.subscription import Subscription
from milepost.orders.aws import index_keys
from tests.batches import sqs_batch
from tests.builders import OFFERGRID
from tests.integration.api_reads import READS
from tests.integration.api_requests import (
    A_NOTE,
    a_batch_at_work,
    a_customer,
    an_export,
    an_order,
    asks,
    endpoint_nowhere,
    kept,
    subscriptions,
)
from tests.integration.call_failures import FailingCalls, Failure, failing_run, first_try
from tests.integration.crash_injection import Scenario, start_of_a_quiet_while
from tests.integration.scenarios import SERVED, SIMPLE
from tests.integration.watch_and_unsubscribe import A_RUN_LATER, SECOND_RUN
from tests.stack import NOWHERE, ROOT, Context, Stack, aws, event


def erased_before(stack: Stack) -> Any:
    """A customer who was erased, and of whom something has shown up since."""
    erase = a_customer(stack)
    assert stack.load("orders_api").handler(erase, Context())["statusCode"] == 200
    kept(stack, b"mail to charlotte.nguyen@example.com")
    an_order(stack)
    return {"now": format_instant(datetime.now(UTC) + timedelta(hours=1))}


def a_test_mail(stack: Stack) -> Any:
    """A queued test mail to a subscriber."""
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    table.put(Subscription(id="sales", recipient="sales@example.org"))
    return sqs_batch([json.dumps(mail_test_message("sales"))])


def one_report(_stack: Stack) -> Any:
    """Of two, the second would be recorded first when the first one fails: another history."""
    return event("record_report", "accepted")


def one_change(_stack: Stack) -> Any:
    """Of several, the figures would be written one by one, and say how often they were."""
    batch = event("measure_stages", "whole_life")
    return {**batch, "Records": batch["Records"][:1]}


def watch_twice_more(stack: Stack, _at: datetime) -> None:
    """What a run marks, and its stream doesn't tell here, a later run finds and tells."""
    watch = stack.load("watch_deadlines")
    for runs in (2, 3):
        now = SECOND_RUN + runs * A_RUN_LATER
        watch.handler({"now": format_instant(now)}, Context())


FURTHER: Final = {
    "watch_deadlines": replace(SIMPLE["watch_deadlines"], then=watch_twice_more),
    "measure_stages": Scenario(function="measure_stages", prepare=one_change),
    "record_report": Scenario(function="record_report", prepare=one_report),
    "finish_erasures": Scenario(function="finish_erasures", prepare=erased_before),
    "orders_api, a secret": asks("POST", "/subscriptions/crm/rotate-secret", of=subscriptions),
    "orders_api, a batch planned": asks("POST", "/batches", A_NOTE, of=an_order),
    "run_batches": Scenario(function="run_batches", prepare=a_batch_at_work),
    "make_exports": Scenario(function="make_exports", prepare=an_export),
    "orders_api, an export": asks("POST", "/exports", {"list": "orders"}, of=an_order),
    "orders_api, a signing secret": asks(
        "POST", f"/connections/{OFFERGRID.id}/rotate-secret", of=subscriptions
    ),
    "orders_api, a test webhook": asks(
        "POST",
        f"/connections/{OFFERGRID.id}/send-test",
        of=lambda stack: stack.put_public_url(NOWHERE),
    ),
    "orders_api, a test message": asks(
        "POST", "/subscriptions/deaf/send-test", of=endpoint_nowhere
    ),
    "send_notice, a test mail": Scenario(function="send_notice", prepare=a_test_mail),
    "orders_api, a poll": asks("POST", f"/connections/{OFFERGRID.id}/poll", of=subscriptions),
    **READS,
}
ALL: Final = {**SIMPLE, **FURTHER}
_AS_A_NEW_MESSAGE: Final = "it comes back as a new message, which uses up no delivery"
_EACH_ALONE: Final = "each record of the batch is counted alone then"
NOT_REPORTED: Final[Mapping[tuple[str, str], str]] = {
    ("orders_api", "PutItem ActivityTable"): "the change stands, and its entry says `started`",
    ("record_report", "UpdateItem PollsTable"): "the next webhook notes when the last one came",
    ("record_report", "GetItem PollsTable"): "the next webhook is compared with earlier ones",
    ("poll_orders", "GetItem PollsTable"): "the next poll compares orders with earlier ones",
    ("poll_orders", "UpdateItem PollsTable"): "the last one of a poll is what it learned of orders",
    ("send_notice", "SendEmail"): _AS_A_NEW_MESSAGE,
    ("send_notice", "BatchGetItem OrdersTable"): _AS_A_NEW_MESSAGE,
    ("send_notice", "BatchGetItem FiguresTable"): "the mail goes without a forecast",
    ("call_endpoint", "BatchGetItem OrdersTable"): _AS_A_NEW_MESSAGE,
    ("measure_stages", "GetParametersByPath"): _EACH_ALONE,
    ("measure_stages", "BatchGetItem FiguresTable"): _EACH_ALONE,
    ("measure_stages", "TransactWriteItems"): _EACH_ALONE,
    ("measure_stages", "GetItem ErasuresTable"): _EACH_ALONE,
}
"""Calls that may fail without a word to who invoked the function, and why nothing is lost."""
NOT_COMPARED: Final = frozenset(
    {
        *("finish_erasures", "orders_api, a poll", "orders_api, a batch planned"),
        *("run_batches", "make_exports", "orders_api, an export"),
        *("orders_api, a signing secret", "orders_api, a test webhook"),
        "orders_api, a test message",
        *("send_notice, digest", "orders_api, dead letters of a queue", *SERVED),
    }
)
"""Scenarios whose ends are not compared here. No function is there to be started by a request for a
poll or an export. A batch that is planned has another id each time, and a secret another value. A
test changes nothing. A batch at work, and an export, wait for the claim of a worker that failed.
The others run too long."""
LONG: Final = frozenset({"orders_api, an erasure"})
"""Scenarios that take long: each different call fails once, in a way that the seed chooses.
In the others, up to three of the calls that are alike fail."""
SEED: Final = 14
QUICK: Final = ("record_report", "track_delivery, hard bounce", "orders_api, a note", "unsubscribe")

_covered: Final[set[tuple[str, str, Failure]]] = set()


def failures_of(function: str, asked: str, chance: random.Random) -> list[Failure]:
    """All for a call that this function has not been seen to make, else one by chance."""
    new = [one for one in Failure if (function, asked, one) not in _covered]
    _covered.update((function, asked, one) for one in new)
    return new or [chance.choice(list(Failure))]


def places_to_fail(asked: Sequence[str], most: int, chance: random.Random) -> list[int]:
    """Which calls fail: of those that are alike the first, the last, and some by chance.

    Each costs a run of its own, and a run may make a hundred calls of which most are alike.
    """
    alike: dict[str, list[int]] = {}
    for at, what in enumerate(asked):
        alike.setdefault(what, []).append(at)
    chosen: set[int] = set()
    for places in alike.values():
        first, last, between = places[:1], places[1:][-1:], places[1:-1]
        some = chance.sample(between, min(len(between), max(most - 2, 0)))
        chosen.update([*first, *last, *some][:most])
    return sorted(chosen)


class Undisturbed:
    """A run of a scenario in which nothing fails: its calls, and what is there at its end."""

    def __init__(self, name: str, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name, self.scenario, self.monkeypatch = name, scenario, monkeypatch
        self.start = start_of_a_quiet_while()
        run = failing_run(scenario, monkeypatch, start=self.start)
        assert isinstance(run.calls, FailingCalls)
        self.asked, self.outcome = run.calls.asked, run.outcome
        assert self.asked

    def check(self, at: int, failure: Failure) -> None:
        """Let one call fail; assert that it is reported, and what is there after another try."""
        asked, function = self.asked[at], self.scenario.function
        run = failing_run(self.scenario, self.monkeypatch, start=self.start, at=at, failure=failure)
        where = f"{self.name}, call {at + 1}, {asked}: {failure}"
        assert run.said_so or (function, asked) in NOT_REPORTED, where
        assert run.outcome == self.outcome, where
        most = 2 if run.calls.left_a_mail_unlogged else 1
        assert max(run.mails.values(), default=0) <= most, where


@pytest.fixture(autouse=True)
def _few_shards(moto: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Milepost")
    # Every partition of an earlier version is a query, and an emulator's queries are slow.
    monkeypatch.setattr(index_keys, "MOST_SHARDS", 1)


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in ALL if name not in NOT_COMPARED])
def test_a_call_that_fails_is_reported_and_the_next_try_ends_in_the_right_state(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = ALL[name]
    undisturbed = Undisturbed(name, scenario, monkeypatch)
    chance = random.Random(f"{SEED} {name}")
    for at in places_to_fail(undisturbed.asked, 1 if name in LONG else 3, chance):
        if name in LONG:
            failures = [chance.choice(list(Failure))]
        else:
            failures = failures_of(scenario.function, undisturbed.asked[at], chance)
        for failure in failures:
            undisturbed.check(at, failure)


FUNCTIONS_NOT_COMPARED: Final = (
    *("finish_erasures", "orders_api", "run_batches", "send_notice"),
    *("call_endpoint", "make_exports", "poll_orders", "perform_action"),
)


@pytest.mark.thorough
@pytest.mark.parametrize("function", FUNCTIONS_NOT_COMPARED)
def test_a_call_that_fails_is_reported_also_where_the_end_is_not_compared(
    function: str, served: Mapping[str, Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(f"{SEED} {function}")
    start, failed = start_of_a_quiet_while(), set[str]()
    scenarios = {n: one for n, one in {**ALL, **served}.items() if n in NOT_COMPARED}
    for name, scenario in scenarios.items():
        if scenario.function != function:
            continue
        calls = first_try(scenario, monkeypatch, start=start).calls
        assert isinstance(calls, FailingCalls)
        for at, asked in enumerate(calls.asked):
            if asked in failed:
                continue
            failed.add(asked)
            for is_done in (False, True):
                kinds = [one for one in Failure if one.is_done is is_done]
                failure = chance.choice(kinds)
                run = first_try(scenario, monkeypatch, start=start, at=at, failure=failure)
                where = f"{name}, call {at + 1}, {asked}: {failure}"
                assert run.said_so or (function, asked) in NOT_REPORTED, where


def test_every_function_whose_ends_are_not_compared_is_tried(served: Any) -> None:
    functions = {one.function for n, one in {**ALL, **served}.items() if n in NOT_COMPARED}
    assert functions == set(FUNCTIONS_NOT_COMPARED)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", QUICK)
def test_some_calls_that_fail_are_reported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = Undisturbed(name, ALL[name], monkeypatch)
    chance = random.Random(f"{SEED} {name}")
    for failure in chance.sample(list(Failure), k=3):
        undisturbed.check(chance.randrange(len(undisturbed.asked)), failure)


def test_every_function_is_among_the_scenarios(served: Any) -> None:
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    # The console's changes are the API's own, which it asks in process.
    listed = {one.function for one in (*ALL.values(), *served.values())}
    assert listed == functions - {"console"}


ROUTES: Final[Mapping[str, str]] = {
    "GET /orders": "orders_api, orders",
    "GET /order-ids": "orders_api, order ids",
    "GET /orders/<order_id>": "orders_api, an order",
    "GET /orders/<order_id>/notices": "orders_api, an order's notices",
    "GET /orders/<order_id>/tracking-link": "orders_api, a tracking link",
    "DELETE /orders/<order_id>/tracking-link": "orders_api, tracking links revoked",
    "POST /orders/<order_id>/actions/<action>": "orders_api, a note",
    "DELETE /orders/<order_id>/actions/<action>/planned": "orders_api, called off",
    "GET /groups/<group_id>": "orders_api, a group",
    "POST /batches": "orders_api, a batch planned",
    "POST /batches/<batch>/start": "orders_api, a batch started",
    "POST /batches/<batch>/stop": "orders_api, a batch stopped",
    "GET /batches": "orders_api, batches",
    "GET /batches/<batch>": "orders_api, a batch",
    "POST /exports": "orders_api, an export",
    "GET /exports": "orders_api, exports",
    "GET /exports/<export>": "orders_api, one export",
    "GET /notices": "orders_api, notices",
    "POST /notices/<notice>/resend": "orders_api, a mail again",
    "GET /suppressions": "orders_api, suppressions",
    "DELETE /suppressions/<suppression>": "orders_api, a suppression lifted",
    "GET /stages": "orders_api, stages",
    "GET /commissions": "orders_api, commissions",
    "GET /causes": "orders_api, causes",
    "GET /scorecards": "orders_api, scorecards",
    "GET /activity": "orders_api, activity",
    "GET /views": "orders_api, views",
    "PUT /views/<view>": "orders_api, a view saved",
    "DELETE /views/<view>": "orders_api, a view deleted",
    "GET /subscriptions": "orders_api, subscriptions",
    "GET /subscriptions/<subscription>": "orders_api, one subscription",
    "POST /subscriptions": "orders_api, an endpoint",
    "PUT /subscriptions/<subscription>": "orders_api, a subscription changed",
    "POST /subscriptions/<subscription>/pause": "orders_api, a subscription paused",
    "POST /subscriptions/<subscription>/resume": "orders_api, a subscription resumed",
    "POST /subscriptions/<subscription>/rotate-secret": "orders_api, a secret",
    "POST /subscriptions/<subscription>/send-test": "orders_api, a test message",
    "DELETE /subscriptions/<subscription>": "orders_api, an endpoint deleted",
    "GET /connections": "orders_api, connections",
    "GET /connections/<connection>": "orders_api, one connection",
    "POST /connections/<connection>/poll": "orders_api, a poll",
    "POST /connections/<connection>/send-test": "orders_api, a test webhook",
    "POST /connections/<connection>/rotate-secret": "orders_api, a signing secret",
    "POST /connections/<connection>/finish-rotation": "orders_api, a rotation finished",
    "POST /connections/<connection>/orders": "orders_api, an import",
    "GET /quarantine": "orders_api, quarantine",
    "GET /quarantine/<kept>": "orders_api, one of the quarantine",
    "POST /quarantine/<kept>/replay": "orders_api, a replay",
    "POST /quarantine/replay": "orders_api, a replay of many",
    "DELETE /quarantine/<kept>": "orders_api, given up",
    "GET /dead-letters": "orders_api, dead letters",
    "GET /dead-letters/<queue>": "orders_api, dead letters of a queue",
    "POST /dead-letters/<queue>/redrive": "orders_api, a redrive",
    "DELETE /dead-letters/<queue>/messages/<message>": "orders_api, a letter given up",
    "GET /customers": "orders_api, customers",
    "DELETE /customers/<customer>": "orders_api, an erasure",
}
"""Each route of the API, and one of its scenarios."""


def test_every_route_of_the_api_has_a_scenario() -> None:
    routers = [router for subject in SUBJECTS for router in routers_of(subject)]
    routes = {
        f"{method} {one[0]}" for router in routers for one in router._routes for method in one[1]
    }
    assert set(ROUTES) == routes
    assert set(ROUTES.values()) <= {*ALL, *SERVED}
