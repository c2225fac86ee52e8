"""call_endpoint: endpoints that fail for days or are gone are switched off, and owners notified."""

from dataclasses import replace
from datetime import timedelta

import pytest

from milepost.common.timestamps import format_instant
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.endpoints.delivery import Called, Caller
from milepost.notifications.notice import Notice, State
from tests.builders import NOON, minute
from tests.integration.call_endpoint.endpoint_calls import (
    OWNER,
    enter,
    entry,
    fail_since,
    mails,
    moving,
    subscribe,
    subscription_item,
)
from tests.stack import SENDER, Stack, aws
from tests.unit.notifications.endpoints.receiver import Receiver


def test_a_failure_is_noted_with_the_subscription_and_a_success_takes_it_back(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    caller.call(queued, attempt=0, now=NOON)
    caller.call(queued, attempt=1, now=minute(1))
    assert subscription_item(stack)["failing_since"] == format_instant(NOON)
    receiver.status = 200
    caller.call(queued, attempt=2, now=minute(2))
    assert "failing_since" not in subscription_item(stack)


def test_after_five_days_of_failures_it_is_switched_off_and_its_owner_told_once(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    fail_since(stack, NOON - timedelta(days=5, minutes=1))
    receiver.status = 500
    other = enter(stack, receiver.url, sequence=2)
    called = caller.call(queued, attempt=0, now=NOON)
    assert called == Called(State.FAILED, "answered 500", switched_off=True)
    ended = "switched off on 2026-03-02 after failing for 5 days"
    assert subscription_item(stack)["ended"] == ended
    assert entry(stack, queued)["reason"] == f"answered 500; {ended}"
    skipped = caller.call(other, attempt=0, now=minute(1))
    assert skipped == Called(State.SUPPRESSED, ended)
    assert entry(stack, other)["reason"] == ended
    (mail,) = mails()
    assert OWNER in str(mail.destinations)
    assert len(receiver.requests) == 1


def test_an_endpoint_that_is_gone_is_switched_off_at_once_and_its_owner_told(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 410
    other = enter(stack, receiver.url, sequence=2)
    called = caller.call(queued, attempt=0, now=NOON)
    assert called == Called(State.FAILED, "answered 410 Gone", switched_off=True)
    ended = "switched off on 2026-03-02 because it is gone"
    assert subscription_item(stack)["ended"] == ended
    assert entry(stack, queued)["reason"] == f"answered 410 Gone; {ended}"
    assert caller.call(other, attempt=0, now=minute(1)) == Called(State.SUPPRESSED, ended)
    assert stack.messages("EndpointQueue") == []
    (mail,) = mails()
    assert OWNER in str(mail.destinations)
    assert "410 Gone" in str(mail.body)
    assert len(receiver.requests) == 1


def test_410_of_a_url_that_is_changed_during_the_call_ends_that_notice_alone(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 410
    called = moving(caller, stack).call(queued, attempt=0, now=NOON)
    assert called == Called(State.FAILED, "answered 410 Gone")
    assert "ended" not in subscription_item(stack)
    assert stack.messages("EndpointQueue") == []


@pytest.mark.thorough
def test_of_two_that_fail_at_once_one_switches_off(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    since = NOON - timedelta(days=6)
    fail_since(stack, since)
    endpoint = caller.endpoints.get("crm")
    assert endpoint is not None
    claims = [
        caller.endpoints.claim_switching_off(
            endpoint, failing_since=since, at=NOON, until=minute(1)
        )
        for _ in range(2)
    ]
    assert [claim is not None for claim in claims] == [True, False]
    receiver.status = 500
    assert caller.call(queued, attempt=0, now=minute(0.5)) == Called(State.QUEUED, "answered 500")
    assert mails() == []


@pytest.mark.thorough
def test_when_the_owner_cannot_be_told_now_nothing_is_switched_off_yet(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    fail_since(stack, NOON - timedelta(days=6))
    receiver.status = 500

    class Away:
        def notify_switched_off(self, *_: object, **__: object) -> None:
            raise ConnectionError

    broken = replace(caller, owners=Away())
    with pytest.raises(ConnectionError):
        broken.call(queued, attempt=0, now=NOON)
    assert "ended" not in subscription_item(stack)
    called = caller.call(queued, attempt=0, now=minute(3))
    assert called is not None
    assert called.switched_off
    assert len(mails()) == 1


@pytest.mark.thorough
def test_an_owner_whose_address_takes_no_mail_keeps_no_endpoint_on(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    fail_since(stack, NOON - timedelta(days=6))
    receiver.status = 500
    aws("sesv2").delete_email_identity(EmailIdentity=SENDER)
    caller.call(queued, attempt=0, now=NOON)
    assert "ended" in subscription_item(stack)


def test_an_owner_who_complained_gets_no_mail_and_the_endpoint_is_off_all_the_same(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    suppressions = SuppressionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    suppressions.suppress(OWNER, reason="complained on 2026-03-01", at=NOON)
    fail_since(stack, NOON - timedelta(days=6))
    receiver.status = 500
    caller.call(queued, attempt=0, now=NOON)
    assert "ended" in subscription_item(stack)
    assert mails() == []


def test_an_endpoint_without_an_owner_is_switched_off_in_silence(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    subscribe(stack, receiver.url, owner=None)
    fail_since(stack, NOON - timedelta(days=6))
    receiver.status = 500
    caller.call(queued, attempt=0, now=NOON)
    assert "ended" in subscription_item(stack)
    assert mails() == []


def test_a_failure_of_a_url_that_is_changed_during_the_call_does_not_count_against_the_new_one(
    caller: Caller, stack: Stack, receiver: Receiver, queued: Notice
) -> None:
    receiver.status = 500
    moving(caller, stack).call(queued, attempt=0, now=NOON)
    assert "failing_since" not in subscription_item(stack)


@pytest.mark.thorough
def test_a_success_of_a_url_that_is_changed_during_the_call_does_not_speak_for_the_new_one(
    caller: Caller, stack: Stack, queued: Notice
) -> None:
    fail_since(stack, NOON)
    called = moving(caller, stack).call(queued, attempt=0, now=minute(1))
    assert called == Called(State.DELIVERED)
    assert subscription_item(stack)["failing_since"] == format_instant(NOON)
