"""What was held for one recipient goes out as one mail, once, and each notice knows of it."""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.notifications.claims import AlreadyClaimed, Batch, batch_id
from milepost.notifications.mail.held_notices import BATCH_CLAIM
from milepost.notifications.mail.sender import Refused, TryAgainLater
from milepost.notifications.notice import Audience, Notice, State
from milepost.notifications.subscription import Mode, QuietHours, Subscription
from milepost.orders.order import Kind
from milepost.orders.overdue_list import OverdueNow, OverdueOrder
from tests.builders import KEY, OFFERGRID, minute, notice
from tests.fakes.connections import MemoryConnections
from tests.unit.notifications.mail.fake_mail_sending import REASON, Desk, Killed, raising

DUE = minute(60)
CLAIM_ENDED = DUE + BATCH_CLAIM + timedelta(seconds=1)
KEYS = [replace(KEY, item_id=f"item-{number}") for number in range(3)]
THREE = [notice(key=key) for key in KEYS]


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    for key in KEYS:
        made.keep_order(key=key)
    return made


@pytest.fixture
def late(desk: Desk) -> Notice:
    """A notice of another order, which joins a batch late."""
    made = notice(key=replace(KEY, order_id="ord-late"))
    desk.keep_order(key=made.key)
    return made


UNTIL_DUE = QuietHours(start=time(7), end=time(14))
"""In Berlin, where it is 14:00 when it is 13:00 in UTC."""
SALES = Subscription(id="sales", recipient=THREE[0].recipient)
MINE = [replace(one, subscription=SALES.id) for one in THREE]


@pytest.fixture
def batch(desk: Desk) -> Batch:
    return desk.hold(*THREE, due_at=DUE)


def entries(desk: Desk) -> list[tuple[str, str | None]]:
    return [desk.entry(one) for one in THREE]


def test_what_is_held_goes_out_as_one_mail_and_each_notice_says_so(
    desk: Desk, batch: Batch
) -> None:
    desk.batches.send(batch, now=DUE)
    ((mail, notices),) = desk.mailer.sent
    assert mail.subject == "digest of 3: accepted, accepted, accepted"
    assert mail.text == "https://milepost.example.org/u/3"
    assert notices == tuple(THREE)
    assert entries(desk) == [("sent", "ses-1")] * 3
    assert {item["digest"] for item in desk.log.items.values()} == {batch_id(batch)}
    assert desk.holds.held(batch) == []


def test_a_digest_of_one_is_the_mail_that_it_would_have_been(desk: Desk) -> None:
    batch = desk.hold(THREE[0], due_at=DUE)
    desk.batches.send(batch, now=DUE)
    assert [mail.subject for mail, _ in desk.mailer.sent] == ["accepted accepted"]


@dataclass
class MemoryOverdue:
    """Implements ``overdue_list.OverdueOrders``."""

    of: dict[str, OverdueNow]

    def covered_by(self, subscription_id: str, *, now: datetime) -> OverdueNow:
        assert now == DUE
        return self.of.get(subscription_id, OverdueNow())


def test_a_digest_mentions_what_is_overdue_of_its_subscription(desk: Desk) -> None:
    late = tuple(
        OverdueOrder(key=key, reference="PP-1", status=Status.ACCEPTED, since=minute(0))
        for key in KEYS[:2]
    )
    desk.overdue = MemoryOverdue({"sales": OverdueNow(orders=late)})
    desk.subscribe(SALES)
    desk.batches.send(desk.hold(*MINE, due_at=DUE), now=DUE)
    assert [mail.subject for mail, _ in desk.mailer.sent] == [
        "digest of 3: accepted, accepted, accepted, 2 overdue"
    ]


def test_a_digest_for_two_subscriptions_mentions_what_is_overdue_of_both(desk: Desk) -> None:
    def late(number: int, since: float) -> OverdueOrder:
        key = replace(KEY, item_id=f"late-{number}")
        return OverdueOrder(key=key, reference="PP", status=Status.ACCEPTED, since=minute(since))

    desk.subscribe(SALES, replace(SALES, id="ops"))
    desk.overdue = MemoryOverdue(
        {
            "sales": OverdueNow(orders=(late(1, 0), late(2, 1))),
            "ops": OverdueNow(orders=(late(2, 1), late(3, 2))),
        }
    )
    both = [*MINE[:2], replace(MINE[2], subscription="ops")]
    desk.batches.send(desk.hold(*both, due_at=DUE), now=DUE)
    assert desk.mailer.sent[0][0].subject.endswith(", 3 overdue")


def test_a_customers_digest_mentions_nothing_of_the_sort(desk: Desk) -> None:
    desk.connections = MemoryConnections.of(
        replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED}))
    )
    desk.overdue = MemoryOverdue({})
    theirs = [replace(one, audience=Audience.CUSTOMER) for one in THREE]
    desk.batches.send(desk.hold(*theirs, due_at=DUE), now=DUE)
    assert "overdue" not in desk.mailer.sent[0][0].subject


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mode": Mode.HOURLY}, "hourly"),
        ({"mode": Mode.DAILY}, "daily"),
        ({"mode": Mode.AT_ONCE}, "many"),
        ({"mode": Mode.AT_ONCE, "quiet_hours": UNTIL_DUE}, "quiet_hours"),
        ({"mode": Mode.HOURLY, "quiet_hours": UNTIL_DUE}, "quiet_hours"),
    ],
)
def test_a_digest_says_why_it_is_one(changes: dict[str, Any], said: str, desk: Desk) -> None:
    desk.subscribe(replace(SALES, **changes))
    desk.batches.send(desk.hold(*MINE, due_at=DUE), now=DUE)
    assert desk.mailer.sent[0][0].headers[REASON] == said


def test_what_is_held_for_a_customer_came_as_one_mail_because_there_was_so_much(
    desk: Desk,
) -> None:
    desk.connections = MemoryConnections.of(
        replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED}))
    )
    theirs = [replace(one, audience=Audience.CUSTOMER) for one in THREE]
    desk.batches.send(desk.hold(*theirs, due_at=DUE), now=DUE)
    assert desk.mailer.sent[0][0].headers[REASON] == "many"


def test_notices_of_subscriptions_of_different_modes_only_came_together(desk: Desk) -> None:
    desk.subscribe(replace(SALES, mode=Mode.HOURLY), replace(SALES, id="two", mode=Mode.DAILY))
    mixed = [MINE[0], replace(MINE[1], subscription="two")]
    desk.batches.send(desk.hold(*mixed, due_at=DUE), now=DUE)
    assert desk.mailer.sent[0][0].headers[REASON] == "together"


def test_of_nothing_held_nothing_is_sent(desk: Desk) -> None:
    desk.batches.send(Batch("0a1b2c3d4e5f", DUE), now=DUE)
    assert desk.mailer.sent == []


def test_a_batch_delivered_again_sends_nothing_more(desk: Desk, batch: Batch) -> None:
    for _ in range(3):
        desk.batches.send(batch, now=DUE)
    assert len(desk.mailer.sent) == 1


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED, State.SUPPRESSED, State.SKIPPED])
def test_what_no_longer_waits_to_be_sent_is_left_out_and_let_go(
    desk: Desk, batch: Batch, state: State
) -> None:
    desk.log.close(THREE[1], state=state, reason="by another way", at=minute(30))
    desk.batches.send(batch, now=DUE)
    assert desk.mailer.told == [THREE[0].id, THREE[2].id]
    assert desk.entry(THREE[1]) == (state, "by another way")
    assert desk.holds.held(batch) == []


def test_when_nothing_held_still_waits_no_mail_goes_out(desk: Desk, batch: Batch) -> None:
    for one in THREE:
        desk.log.mark_sent(one, message_id="earlier", at=minute(30))
    desk.batches.send(batch, now=DUE)
    assert desk.mailer.sent == []
    assert desk.holds.held(batch) == []


def test_while_one_sends_the_batch_another_waits(desk: Desk, batch: Batch) -> None:
    def second() -> None:
        with pytest.raises(AlreadyClaimed):
            desk.batches.send(batch, now=DUE)

    desk.mailer.before = second
    desk.batches.send(batch, now=DUE)
    assert len(desk.mailer.sent) == 1


def test_killed_before_the_mail_service_took_it_one_digest_goes_out(
    desk: Desk, batch: Batch
) -> None:
    desk.mailer.before = raising(Killed())
    with pytest.raises(Killed):
        desk.batches.send(batch, now=DUE)
    with pytest.raises(AlreadyClaimed):
        desk.batches.send(batch, now=DUE)
    desk.batches.send(batch, now=CLAIM_ENDED)
    assert len(desk.mailer.sent) == 1
    assert entries(desk) == [("sent", "ses-1")] * 3


def test_killed_after_the_mail_service_took_it_two_digests_go_out_at_most(
    desk: Desk, batch: Batch
) -> None:
    desk.mailer.after = raising(Killed())
    with pytest.raises(Killed):
        desk.batches.send(batch, now=DUE)
    for attempt in range(1, 4):
        desk.batches.send(batch, now=DUE + attempt * (CLAIM_ENDED - DUE))
    assert len(desk.mailer.sent) == 2
    assert entries(desk) == [("sent", "ses-2")] * 3


@pytest.mark.parametrize("marked", range(3))
def test_killed_while_it_is_logged_one_digest_goes_out_and_the_rest_is_logged(
    desk: Desk, batch: Batch, marked: int
) -> None:
    desk.log.marks_left = marked
    with pytest.raises(Killed):
        desk.batches.send(batch, now=DUE)
    assert [state for state, _ in entries(desk)].count("sent") == marked
    with pytest.raises(AlreadyClaimed):
        desk.batches.send(batch, now=DUE)
    desk.batches.send(batch, now=CLAIM_ENDED)
    assert len(desk.mailer.sent) == 1
    assert entries(desk) == [("sent", "ses-1")] * 3
    assert desk.holds.held(batch) == []


def test_a_busy_mail_service_leaves_the_batch_free_for_the_next_try(
    desk: Desk, batch: Batch
) -> None:
    desk.mailer.before = raising(TryAgainLater("Throttling"))
    with pytest.raises(TryAgainLater):
        desk.batches.send(batch, now=DUE)
    desk.batches.send(batch, now=DUE)
    assert len(desk.mailer.sent) == 1


def test_a_digest_that_is_refused_has_failed_for_each_of_its_notices(
    desk: Desk, batch: Batch
) -> None:
    desk.mailer.before = raising(Refused("the sender is not verified"))
    desk.batches.send(batch, now=DUE)
    assert entries(desk) == [("failed", "the sender is not verified")] * 3
    assert desk.holds.held(batch) == []


def test_to_a_suppressed_address_no_digest_goes(desk: Desk, batch: Batch) -> None:
    desk.suppressions.reasons[THREE[0].recipient, Audience.TEAM] = "complaint on 2026-03-01"
    desk.batches.send(batch, now=DUE)
    assert desk.mailer.sent == []
    assert entries(desk) == [("suppressed", "complaint on 2026-03-01")] * 3
    assert desk.holds.held(batch) == []


@pytest.mark.parametrize(
    ("erased_at", "reason"),
    [(DUE, "the order was erased"), (None, "the order is no longer stored")],
)
def test_of_an_order_that_is_gone_a_digest_says_nothing(
    desk: Desk, batch: Batch, erased_at: datetime | None, reason: str
) -> None:
    known = desk.orders.kept.pop(KEYS[1])
    if erased_at:
        desk.orders.kept[KEYS[1]] = replace(known, erased_at=erased_at)
    desk.batches.send(batch, now=DUE)
    ((mail, _),) = desk.mailer.sent
    assert mail.subject == "digest of 2: accepted, accepted"
    assert entries(desk) == [("sent", "ses-1"), ("skipped", reason), ("sent", "ses-1")]


def test_when_every_order_of_a_digest_was_erased_no_mail_goes_out(desk: Desk, batch: Batch) -> None:
    for key in KEYS:
        desk.orders.kept[key] = replace(desk.orders.kept[key], erased_at=DUE)
    desk.batches.send(batch, now=DUE)
    assert desk.mailer.sent == []
    assert entries(desk) == [("skipped", "the order was erased")] * 3


def test_a_digest_shows_each_order_as_it_is_when_it_goes_out(desk: Desk, batch: Batch) -> None:
    desk.keep_order(Status.CANCELLED, key=KEYS[2])
    desk.batches.send(batch, now=DUE)
    assert desk.mailer.sent[0][0].subject == "digest of 3: accepted, accepted, cancelled"


def test_what_is_held_for_the_same_moment_after_the_digest_went_out_is_a_mail_of_its_own(
    desk: Desk, batch: Batch, late: Notice
) -> None:
    desk.batches.send(batch, now=DUE)
    assert desk.hold(late, due_at=DUE) == batch
    desk.batches.send(batch, now=DUE)
    assert [len(notices) for _, notices in desk.mailer.sent] == [3, 1]
    assert desk.entry(late) == ("sent", "ses-2")


def test_what_joins_while_the_digest_goes_out_goes_with_the_next(
    desk: Desk, batch: Batch, late: Notice
) -> None:
    def join() -> None:
        desk.hold(late, due_at=DUE)

    desk.mailer.before = join
    desk.batches.send(batch, now=DUE)
    assert (desk.entry(late), desk.holds.held(batch)) == (("queued", None), [late])
    desk.batches.send(batch, now=DUE)
    assert entries(desk) == [("sent", "ses-1")] * 3
    assert desk.entry(late) == ("sent", "ses-2")


@pytest.mark.parametrize("marked", range(3))
def test_what_joins_a_digest_whose_sender_was_killed_is_not_taken_for_sent(
    desk: Desk, batch: Batch, late: Notice, marked: int
) -> None:
    desk.log.marks_left = marked
    with pytest.raises(Killed):
        desk.batches.send(batch, now=DUE)
    desk.hold(late, due_at=DUE)
    desk.batches.send(batch, now=CLAIM_ENDED)
    assert entries(desk) == [("sent", "ses-1")] * 3
    assert desk.entry(late) == ("sent", "ses-2")
    assert [len(notices) for _, notices in desk.mailer.sent] == [3, 1]


def test_what_is_due_later_is_a_batch_of_its_own(desk: Desk, batch: Batch) -> None:
    other = notice(key=replace(KEY, order_id="ord-later"))
    later = desk.hold(other, due_at=minute(120))
    desk.keep_order(key=other.key)
    desk.batches.send(batch, now=DUE)
    assert len(desk.holds.held(later)) == 1
    desk.batches.send(later, now=minute(120))
    assert [len(notices) for _, notices in desk.mailer.sent] == [3, 1]
