"""What was held for one recipient goes out as one mail, once, and each notice knows of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from milepost.notices import Audience, State
from milepost.overdue_orders import OverdueNow, OverdueOrder
from milepost.report import Status
from milepost.sending import BATCH_CLAIM, AlreadyClaimed, Batch, Refused, TryAgainLater, batch_id
from tests.builders import KEY, minute, notice
from tests.unit.telling.sending_desk import Desk, Killed, raising

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
def batch(desk: Desk) -> Batch:
    return desk.hold(*THREE, due_at=DUE)


def entries(desk: Desk) -> list[tuple[str, str | None]]:
    return [desk.entry(one) for one in THREE]


def test_what_is_held_goes_out_as_one_mail_and_each_notice_says_so(
    desk: Desk, batch: Batch
) -> None:
    desk.sender.send_batch(batch, now=DUE)
    ((mail, notices),) = desk.mailer.sent
    assert mail.subject == "digest of 3: accepted, accepted, accepted"
    assert mail.text == "https://milepost.example.org/u/3"
    assert notices == tuple(THREE)
    assert entries(desk) == [("sent", "ses-1")] * 3
    assert {item["digest"] for item in desk.log.items.values()} == {batch_id(batch)}
    assert desk.holds.held(batch) == []


def test_a_digest_of_one_is_the_mail_that_it_would_have_been(desk: Desk) -> None:
    batch = desk.hold(THREE[0], due_at=DUE)
    desk.sender.send_batch(batch, now=DUE)
    assert [mail.subject for mail, _ in desk.mailer.sent] == ["accepted accepted"]


@dataclass
class MemoryOverdue:
    """Implements ``overdue_orders.OverdueOrders``."""

    of: dict[str, OverdueNow]

    def covered_by(self, subscription_id: str, *, now: datetime) -> OverdueNow:
        assert now == DUE
        return self.of.get(subscription_id, OverdueNow())


def test_a_digest_mentions_what_is_overdue_of_its_subscription(desk: Desk) -> None:
    late = OverdueOrder(key=KEY, reference="PP-1", status=Status.ACCEPTED, since=minute(0))
    desk.overdue = MemoryOverdue({"sales": OverdueNow(orders=(late, late))})
    mine = [replace(one, subscription="sales") for one in THREE]
    desk.sender.send_batch(desk.hold(*mine, due_at=DUE), now=DUE)
    assert [mail.subject for mail, _ in desk.mailer.sent] == [
        "digest of 3: accepted, accepted, accepted, 2 overdue"
    ]


def test_a_customers_digest_mentions_nothing_of_the_sort(desk: Desk) -> None:
    desk.overdue = MemoryOverdue({})
    theirs = [replace(one, audience=Audience.CUSTOMER) for one in THREE]
    desk.sender.send_batch(desk.hold(*theirs, due_at=DUE), now=DUE)
    assert "overdue" not in desk.mailer.sent[0][0].subject


def test_of_nothing_held_nothing_is_sent(desk: Desk) -> None:
    desk.sender.send_batch(Batch("0a1b2c3d4e5f", DUE), now=DUE)
    assert desk.mailer.sent == []


def test_a_batch_delivered_again_sends_nothing_more(desk: Desk, batch: Batch) -> None:
    for _ in range(3):
        desk.sender.send_batch(batch, now=DUE)
    assert len(desk.mailer.sent) == 1


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED, State.SUPPRESSED, State.SKIPPED])
def test_what_no_longer_waits_to_be_sent_is_left_out_and_let_go(
    desk: Desk, batch: Batch, state: State
) -> None:
    desk.log.close(THREE[1], state=state, reason="by another way", at=minute(30))
    desk.sender.send_batch(batch, now=DUE)
    assert desk.mailer.told == [THREE[0].id, THREE[2].id]
    assert desk.entry(THREE[1]) == (state, "by another way")
    assert desk.holds.held(batch) == []


def test_when_nothing_held_still_waits_no_mail_goes_out(desk: Desk, batch: Batch) -> None:
    for one in THREE:
        desk.log.mark_sent(one, message_id="earlier", at=minute(30))
    desk.sender.send_batch(batch, now=DUE)
    assert desk.mailer.sent == []
    assert desk.holds.held(batch) == []


def test_while_one_sends_the_batch_another_waits(desk: Desk, batch: Batch) -> None:
    def second() -> None:
        with pytest.raises(AlreadyClaimed):
            desk.sender.send_batch(batch, now=DUE)

    desk.mailer.before = second
    desk.sender.send_batch(batch, now=DUE)
    assert len(desk.mailer.sent) == 1


def test_killed_before_the_mail_service_took_it_one_digest_goes_out(
    desk: Desk, batch: Batch
) -> None:
    desk.mailer.before = raising(Killed())
    with pytest.raises(Killed):
        desk.sender.send_batch(batch, now=DUE)
    with pytest.raises(AlreadyClaimed):
        desk.sender.send_batch(batch, now=DUE)
    desk.sender.send_batch(batch, now=CLAIM_ENDED)
    assert len(desk.mailer.sent) == 1
    assert entries(desk) == [("sent", "ses-1")] * 3


def test_killed_after_the_mail_service_took_it_two_digests_go_out_at_most(
    desk: Desk, batch: Batch
) -> None:
    desk.mailer.after = raising(Killed())
    with pytest.raises(Killed):
        desk.sender.send_batch(batch, now=DUE)
    for attempt in range(1, 4):
        desk.sender.send_batch(batch, now=DUE + attempt * (CLAIM_ENDED - DUE))
    assert len(desk.mailer.sent) == 2
    assert entries(desk) == [("sent", "ses-2")] * 3


@pytest.mark.parametrize("marked", range(3))
def test_killed_while_it_is_logged_one_digest_goes_out_and_the_rest_is_logged(
    desk: Desk, batch: Batch, marked: int
) -> None:
    desk.log.marks_left = marked
    with pytest.raises(Killed):
        desk.sender.send_batch(batch, now=DUE)
    assert [state for state, _ in entries(desk)].count("sent") == marked
    desk.sender.send_batch(batch, now=DUE)
    assert len(desk.mailer.sent) == 1
    assert entries(desk) == [("sent", "ses-1")] * 3
    assert desk.holds.held(batch) == []


def test_a_busy_mail_service_leaves_the_batch_free_for_the_next_try(
    desk: Desk, batch: Batch
) -> None:
    desk.mailer.before = raising(TryAgainLater("Throttling"))
    with pytest.raises(TryAgainLater):
        desk.sender.send_batch(batch, now=DUE)
    desk.sender.send_batch(batch, now=DUE)
    assert len(desk.mailer.sent) == 1


def test_a_digest_that_is_refused_has_failed_for_each_of_its_notices(
    desk: Desk, batch: Batch
) -> None:
    desk.mailer.before = raising(Refused("the sender is not verified"))
    desk.sender.send_batch(batch, now=DUE)
    assert entries(desk) == [("failed", "the sender is not verified")] * 3
    assert desk.holds.held(batch) == []


def test_to_a_suppressed_address_no_digest_goes(desk: Desk, batch: Batch) -> None:
    desk.suppressions.reasons[THREE[0].recipient, Audience.TEAM] = "complaint on 2026-03-01"
    desk.sender.send_batch(batch, now=DUE)
    assert desk.mailer.sent == []
    assert entries(desk) == [("suppressed", "complaint on 2026-03-01")] * 3
    assert desk.holds.held(batch) == []


@pytest.mark.parametrize("how", ["tombstone", "no item"])
def test_of_an_erased_order_a_digest_says_nothing(desk: Desk, batch: Batch, how: str) -> None:
    erased = replace(desk.orders.kept.pop(KEYS[1]), erased_at=DUE)
    if how == "tombstone":
        desk.orders.kept[KEYS[1]] = erased
    desk.sender.send_batch(batch, now=DUE)
    ((mail, _),) = desk.mailer.sent
    assert mail.subject == "digest of 2: accepted, accepted"
    assert ("skipped", "the order was erased") in entries(desk)


def test_a_digest_shows_each_order_as_it_is_when_it_goes_out(desk: Desk, batch: Batch) -> None:
    desk.keep_order(Status.CANCELLED, key=KEYS[2])
    desk.sender.send_batch(batch, now=DUE)
    assert desk.mailer.sent[0][0].subject == "digest of 3: accepted, accepted, cancelled"


def test_what_is_held_for_the_same_moment_after_the_digest_went_out_is_a_mail_of_its_own(
    desk: Desk, batch: Batch
) -> None:
    desk.sender.send_batch(batch, now=DUE)
    late = notice(key=replace(KEY, order_id="ord-late"))
    desk.keep_order(key=late.key)
    assert desk.hold(late, due_at=DUE) == batch
    desk.sender.send_batch(batch, now=DUE)
    assert [len(notices) for _, notices in desk.mailer.sent] == [3, 1]
    assert desk.entry(late) == ("sent", "ses-2")


def test_what_is_due_later_is_a_batch_of_its_own(desk: Desk, batch: Batch) -> None:
    other = notice(key=replace(KEY, order_id="ord-later"))
    later = desk.hold(other, due_at=minute(120))
    desk.keep_order(key=other.key)
    desk.sender.send_batch(batch, now=DUE)
    assert len(desk.holds.held(later)) == 1
    desk.sender.send_batch(later, now=minute(120))
    assert [len(notices) for _, notices in desk.mailer.sent] == [3, 1]
