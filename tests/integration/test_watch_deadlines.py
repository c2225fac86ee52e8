"""watch_deadlines: what is in the table, the queues and the log after a run."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import CommissionTerms, FollowUp
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.orders.announcements import KIND_OF
from milepost.orders.order import OVERDUE, OrderKey, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import record
from tests.builders import NOON, RULES, minute, report
from tests.integration.recorded_orders import LOOKED_AFTER, keep, orders
from tests.integration.watched_orders import DAY, NOTHING, SALES, announce, key, run, told
from tests.stack import Context, Stack, aws

LATE = NOON + 3 * DAY + timedelta(minutes=1)


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    stack.apply(LOOKED_AFTER)
    SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"]).put(SALES)
    return stack.load("watch_deadlines")


def kept(stack: Stack, number: int = 1) -> TrackedOrder:
    found = orders(stack).read(key(number))
    assert found is not None
    return found


@pytest.mark.thorough
def test_what_is_overdue_is_marked_and_announced_by_the_write(
    app: ModuleType, stack: Stack
) -> None:
    keep(stack, report(Status.ACCEPTED, 0, key=key(1)), report(Status.PENDING, 4000, key=key(2)))
    assert run(app, LATE)["marked"] == 1
    item = stack.orders()["item-1"]
    assert [reason["code"] for reason in item["attention"]] == [OVERDUE]
    assert '"kind": "overdue"' in item["announce"]
    assert "overdue" not in stack.orders()["item-2"]
    assert "marked" not in run(app, LATE)


def test_a_stream_record_of_the_mark_tells_who_asked_for_it(app: ModuleType, stack: Stack) -> None:
    keep(stack, report(Status.ACCEPTED, 0, key=key(1)))
    run(app, LATE)
    announce(stack, 1)
    assert ("overdue", SALES.recipient) in told(stack)


@pytest.mark.thorough
def test_what_stays_overdue_is_told_to_the_contact_alone(app: ModuleType, stack: Stack) -> None:
    keep(stack, report(Status.ACCEPTED, 0, key=key(1)))
    run(app, LATE)
    assert run(app, LATE + 2 * DAY)["escalated"] == 1
    announce(stack, 1)
    escalated = [one for one in told(stack) if one[0] == "escalated"]
    assert escalated == [("escalated", "lead@example.org")]
    assert "escalated" not in {kind for kind, _ in told(stack, "sns")}
    assert "escalated" not in run(app, LATE + 9 * DAY)


@pytest.mark.thorough
def test_announcing_was_off_for_30_hours_and_what_is_missing_is_told_once(
    app: ModuleType, stack: Stack
) -> None:
    for number, status in enumerate(KIND_OF, start=1):
        # One that is scheduled before it was accepted would be announced as both.
        first = Status.ACCEPTED if status is Status.SCHEDULED else Status.SUBMITTED
        record(
            report(first, 0, key=key(number)),
            orders=orders(stack),
            rules=RULES,
            now=minute(0),
            announce=False,
        )
        keep(
            stack,
            report(status, 60, key=key(number), reason="no coverage", appointment="2026-04-12"),
        )
    late = minute(60) + timedelta(hours=30)
    assert run(app, late) == {"notified": len(KIND_OF)}
    once = told(stack)
    assert [kind for kind, recipient in once] == sorted(KIND_OF.values())
    assert len(told(stack, "sns")) == len(KIND_OF)
    queued = stack.messages("EmailQueue")
    # announce catches up: the log has every notice already, and SNS has its message.
    announce(stack, *range(1, len(KIND_OF) + 1))
    assert told(stack) == once
    assert {message["recipient"] for message in queued} == {SALES.recipient}
    assert run(app, late) == {}


def test_an_announcement_is_not_missed_because_another_came_after_it(
    app: ModuleType, stack: Stack
) -> None:
    keep(stack, report(Status.ACCEPTED, 0, key=key(1)), report(Status.SCHEDULED, 40, key=key(1)))
    run(app, minute(45))
    assert run(app, minute(90)) == {"notified": 2}
    assert [kind for kind, _ in told(stack)] == ["accepted", "scheduled"]


def test_what_was_announced_a_moment_ago_is_left_to_announce(app: ModuleType, stack: Stack) -> None:
    keep(stack, report(Status.ACCEPTED, 0, key=key(1)))
    assert run(app, minute(20)) == {}
    announce(stack, 1)
    assert run(app, minute(60)) == {}
    assert told(stack) == [("accepted", SALES.recipient)]


def test_what_was_told_is_not_looked_at_again(app: ModuleType, stack: Stack) -> None:
    keep(stack, report(Status.ACCEPTED, 0, key=key(1)), report(Status.ACCEPTED, 60, key=key(2)))
    run(app, minute(35))
    assert app.due.announcements.candidates(now=minute(45)) == []
    found = app.due.announcements.candidates(now=minute(120))
    assert [one.key for one in found] == [key(2)]


def test_a_run_as_of_a_later_moment_has_nothing_overlooked_afterwards(
    app: ModuleType, stack: Stack
) -> None:
    today = datetime.now(UTC)
    run(app, today + 9 * DAY)
    keep(stack, report(Status.ACCEPTED, (today - NOON) / timedelta(minutes=1), key=key(1)))
    assert run(app, today + timedelta(hours=1)) == {"notified": 1}


def test_a_clock_that_was_put_back_does_no_harm(app: ModuleType, stack: Stack) -> None:
    run(app, minute(600))
    keep(stack, report(Status.ACCEPTED, 0, key=key(1)))
    assert run(app, minute(300)) == {}


@pytest.mark.thorough
def test_one_order_that_fails_holds_up_no_other_and_is_tried_again(
    app: ModuleType, stack: Stack, logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(stack, *(report(Status.ACCEPTED, 0, key=key(number)) for number in (1, 2, 3)))
    announce(stack, 1, 2, 3)
    with monkeypatch.context() as broken:
        watch = app.due.deadlines.__class__
        broken.setattr(watch, "judge", _broken(watch.judge, 2))
        with pytest.raises(app.SomeFailed, match="1 orders could not be processed"):
            run(app, LATE)
    assert [kept(stack, number).overdue is not None for number in (1, 2, 3)] == [True, False, True]
    assert "offergrid-home/ord-2/item-2" in logged()
    assert run(app, LATE)["marked"] == 1


def _broken(judge: Callable[..., Any], number: int) -> Callable[..., Any]:
    def attempt(self: Any, key_of: OrderKey, *, now: datetime) -> Any:
        if key_of == key(number):
            raise RuntimeError("the table refuses")
        return judge(self, key_of, now=now)

    return attempt


@pytest.mark.thorough
def test_a_run_without_time_leaves_the_rest_to_the_next(app: ModuleType, stack: Stack) -> None:
    keep(stack, *(report(Status.ACCEPTED, 0, key=key(number)) for number in range(1, 6)))

    class Ending(Context):
        """Has time for two orders to be told of, and one to be judged."""

        asked = 0

        def get_remaining_time_in_millis(self) -> int:
            self.asked += 1
            return 60_000 if self.asked in (1, 2, 6) else 5_000

    first = run(app, LATE, Ending())
    assert (first["notified"], first["marked"]) == (2, 1)
    assert first["left"] > 0
    second = run(app, LATE)
    assert (second["notified"], second["marked"]) == (3, 4)
    assert run(app, LATE) == {}


def test_now_is_now_when_nothing_else_is_said(app: ModuleType, stack: Stack) -> None:
    keep(stack, report(Status.ACCEPTED, 0, key=key(1)))
    assert app.handler({}, Context())["marked"] == 1


def test_with_nothing_to_do_nothing_is_done(app: ModuleType) -> None:
    assert app.handler({"now": format_instant(LATE)}, Context()) == NOTHING


BEGINS = NOON + 10 * DAY


@pytest.mark.thorough
def test_a_reminder_is_one_mail_however_often_the_watch_and_the_stream_come(
    app: ModuleType, stack: Stack
) -> None:
    appointment = format_instant(BEGINS)
    keep(stack, report(Status.SCHEDULED, 0, key=key(1), appointment=appointment))
    now = BEGINS - timedelta(hours=47)
    assert [run(app, now).get("reminded") for _ in range(2)] == [1, None]
    announce(stack, 1)
    announce(stack, 1)
    assert told(stack).count(("reminder", SALES.recipient)) == 1


@pytest.mark.thorough
def test_a_wait_beyond_its_limit_is_found_through_the_index(app: ModuleType, stack: Stack) -> None:
    rules = Rules(waits=lambda _status, _details: "contact")
    one = report(Status.ACCEPTED, 0, key=key(1))
    record(one, orders=orders(stack), rules=rules, now=one.seen_at)
    assert "marked" not in run(app, NOON + 3 * DAY - timedelta(hours=1))
    assert run(app, NOON + 3 * DAY + timedelta(hours=1))["marked"] == 1
    assert "waits for the customer: contact" in kept(stack).attention[0].text


@pytest.mark.thorough
def test_a_customer_hears_of_a_delay_and_is_followed_up(app: ModuleType, stack: Stack) -> None:
    follow_up = FollowUp(link="https://survey.example/x", after_days=7.0)
    kinds = frozenset({"delayed", "follow_up"})
    stack.apply(replace(LOOKED_AFTER, customer_notices=kinds, follow_up=follow_up))
    app.connections._settings.forget()
    customer = {"email": "charlotte.nguyen@example.com"}
    keep(stack, report(Status.ACCEPTED, 0, key=key(1), customer=customer))
    assert {"marked": 1, "delayed": 1}.items() <= run(app, LATE).items()
    announce(stack, 1)
    assert ("delayed", customer["email"]) in told(stack)
    keep(stack, report(Status.COMPLETED, 5000, key=key(1), customer=customer))
    done = minute(5000) + 7 * DAY
    assert [run(app, done).get("followed_up") for _ in range(2)] == [1, None]
    announce(stack, 1)
    assert ("follow_up", customer["email"]) in told(stack)


@pytest.mark.thorough
def test_the_contact_is_notified_once_of_a_commission_that_is_not_seen_as_paid(
    app: ModuleType, stack: Stack
) -> None:
    terms = (CommissionTerms(amount="75.50", currency="AUD", due_day=15),)
    stack.apply(replace(LOOKED_AFTER, commission=terms))
    app.connections._settings.forget()
    keep(stack, report(Status.COMPLETED, 60, key=key(1)))
    midnight = datetime(2026, 4, 15, 14, tzinfo=UTC)
    assert "commissions_overdue" not in run(app, midnight - timedelta(seconds=1))
    moments = [midnight, midnight + timedelta(minutes=15), midnight + 3 * DAY]
    assert [run(app, now).get("commissions_overdue") for now in moments] == [1, None, None]
    announce(stack, 1)
    announce(stack, 1)
    about = [one for one in told(stack) if one[0] == "commission_overdue"]
    assert about == [("commission_overdue", "lead@example.org")]
    assert "commission_overdue" not in {kind for kind, _ in told(stack, "sns")}
