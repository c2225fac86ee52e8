"""Subscriptions: what an apply may overwrite, and what it has to leave as it is."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from milepost.aws.dynamodb_items import to_item
from milepost.common.email_addresses import address_hash
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.endpoints.aws.endpoints import EndpointsTable
from milepost.notifications.mail.aws.unsubscribe import EndingsTable
from milepost.notifications.notice import DEFAULT_KINDS, Audience, Channel
from milepost.notifications.subscription import Mode, Subscription
from tests.builders import NOON, minute

TABLE = "NoticesTable"
ENDPOINT = Subscription(
    id="file-1",
    channel=Channel.HTTPS,
    recipient="https://hooks.example.org/orders",
    owner="it@example.org",
    source="file",
)
MAIL = Subscription(id="file-2", recipient="sales@example.org", mode=Mode.DAILY)


@pytest.fixture
def subscriptions(dynamodb: Any, table: str) -> SubscriptionsTable:
    return SubscriptionsTable(dynamodb, table_name=table)


@pytest.fixture
def endpoints(dynamodb: Any, table: str) -> EndpointsTable:
    return EndpointsTable(dynamodb, table_name=table)


def endpoint_of(endpoints: EndpointsTable) -> Endpoint:
    found = endpoints.get(ENDPOINT.id)
    assert found is not None
    return found


def claim_switching_off(endpoints: EndpointsTable) -> str:
    since = endpoints.failed(endpoint_of(endpoints), at=NOON)
    assert since is not None
    claim = endpoints.claim_switching_off(
        endpoint_of(endpoints), failing_since=since, at=minute(1), until=minute(3)
    )
    assert claim is not None
    return claim


def test_an_endpoint_that_works_in_between_is_not_switched_off(
    subscriptions: SubscriptionsTable, endpoints: EndpointsTable
) -> None:
    subscriptions.put(ENDPOINT)
    claim = claim_switching_off(endpoints)
    endpoints.worked(endpoint_of(endpoints))
    assert not endpoints.switch_off(endpoint_of(endpoints), reason="it failed", claim=claim)
    assert endpoint_of(endpoints).ended is None


def test_an_endpoint_that_is_resumed_in_between_is_not_switched_off(
    subscriptions: SubscriptionsTable, endpoints: EndpointsTable
) -> None:
    subscriptions.put(ENDPOINT)
    claim = claim_switching_off(endpoints)
    assert subscriptions.resume(ENDPOINT.id, ended=None)
    assert not endpoints.switch_off(endpoint_of(endpoints), reason="it failed", claim=claim)


def test_a_late_success_does_not_hide_a_failure_that_came_after_another(
    subscriptions: SubscriptionsTable, endpoints: EndpointsTable
) -> None:
    subscriptions.put(ENDPOINT)
    endpoints.failed(endpoint_of(endpoints), at=NOON)
    as_read = endpoint_of(endpoints)
    endpoints.worked(as_read)
    endpoints.failed(endpoint_of(endpoints), at=minute(5))
    endpoints.worked(as_read)
    assert endpoint_of(endpoints).failing_since == minute(5)


def test_a_success_of_a_call_that_began_before_another_failed_ends_the_failing(
    subscriptions: SubscriptionsTable, endpoints: EndpointsTable
) -> None:
    subscriptions.put(ENDPOINT)
    as_read = endpoint_of(endpoints)
    endpoints.failed(endpoint_of(endpoints), at=NOON)
    endpoints.worked(as_read)
    assert endpoint_of(endpoints).failing_since is None, "else it counts as failing since then"


def test_a_change_after_the_deletion_brings_nothing_back(
    subscriptions: SubscriptionsTable,
) -> None:
    subscriptions.put(MAIL)
    subscriptions.delete(MAIL.id)
    assert not subscriptions.change(replace(MAIL, mode=Mode.HOURLY), instead_of=MAIL)
    assert list(subscriptions.all()) == []


def test_a_change_is_kept_only_in_place_of_what_was_read(
    subscriptions: SubscriptionsTable,
) -> None:
    hourly = replace(MAIL, mode=Mode.HOURLY)
    subscriptions.put(replace(MAIL, source="file"))
    assert not subscriptions.change(hourly, instead_of=MAIL)
    assert subscriptions.change(
        replace(hourly, source="file"), instead_of=replace(MAIL, source="file")
    )
    found = subscriptions.get(MAIL.id)
    assert found is not None
    assert (found.mode, found.source) == (Mode.HOURLY, "file")


def test_who_says_no_while_a_person_resumes_them_stays_out(
    subscriptions: SubscriptionsTable,
) -> None:
    subscriptions.put(MAIL)
    assert not subscriptions.resume(MAIL.id, ended="switched off on 2026-03-01")
    subscriptions.end(MAIL.id, reason="unsubscribed on 2026-03-02")
    assert not subscriptions.resume(MAIL.id, ended=None)
    found = subscriptions.get(MAIL.id)
    assert found is not None
    assert found.ended == "unsubscribed on 2026-03-02"


@pytest.mark.parametrize("audience", [None, Audience.TEAM])
def test_an_event_of_before_a_person_lifted_the_suppression_does_not_suppress_again(
    dynamodb: Any, table: str, audience: Audience | None
) -> None:
    suppressions = SuppressionsTable(dynamodb, table_name=table)
    of_it: Any = {"reason": "bounced before", "audience": audience}
    suppressions.suppress("a@example.org", at=NOON, **of_it)
    suppressions.lift("a@example.org", at=minute(5))
    suppressions.suppress("a@example.org", at=NOON, **of_it)
    assert suppressions.reason("a@example.org", audience=Audience.TEAM) is None
    suppressions.suppress("a@example.org", at=minute(6), **of_it)
    assert suppressions.reason("a@example.org", audience=Audience.TEAM) == "bounced before"


def test_a_customer_who_unsubscribes_after_a_lift_is_out(dynamodb: Any, table: str) -> None:
    suppressions = SuppressionsTable(dynamodb, table_name=table)
    suppressions.lift("a@example.org", at=NOON, audience=Audience.CUSTOMER)
    endings = EndingsTable(dynamodb, table_name=table)
    endings.suppress_customer(address_hash("a@example.org"), reason="no", at=minute(1))
    assert suppressions.reason("a@example.org", audience=Audience.CUSTOMER) == "no"


def test_what_is_put_is_read(subscriptions: SubscriptionsTable) -> None:
    for one in (ENDPOINT, MAIL):
        subscriptions.put(one)
    assert list(subscriptions.all()) == [ENDPOINT, MAIL]


def test_what_a_change_takes_away_is_gone(subscriptions: SubscriptionsTable) -> None:
    subscriptions.put(replace(MAIL, connections=frozenset({"a"}), owner="it@example.org"))
    subscriptions.put(MAIL)
    assert subscriptions.get(MAIL.id) == MAIL


def test_a_change_does_not_bring_back_who_has_said_no_meanwhile(
    subscriptions: SubscriptionsTable,
) -> None:
    subscriptions.put(MAIL)
    subscriptions.end(MAIL.id, reason="unsubscribed on 2026-03-02")
    subscriptions.put(replace(MAIL, mode=Mode.HOURLY))
    found = subscriptions.get(MAIL.id)
    assert found == replace(MAIL, mode=Mode.HOURLY, ended="unsubscribed on 2026-03-02")


def test_a_change_does_not_forget_since_when_an_endpoint_fails(
    subscriptions: SubscriptionsTable, endpoints: EndpointsTable
) -> None:
    subscriptions.put(ENDPOINT)
    endpoints.failed(endpoint_of(endpoints), at=NOON)
    subscriptions.put(replace(ENDPOINT, connections=frozenset({"a"})))
    assert endpoint_of(endpoints).failing_since == NOON


def test_until_when_an_endpoint_is_not_to_be_called_is_what_it_said_last(
    subscriptions: SubscriptionsTable, endpoints: EndpointsTable
) -> None:
    subscriptions.put(ENDPOINT)
    assert endpoint_of(endpoints).not_before is None
    for asked, until in ((minute(9), minute(9)), (minute(4), minute(4)), (None, minute(4))):
        endpoints.failed(endpoint_of(endpoints), at=NOON, not_before=asked)
        assert endpoint_of(endpoints).not_before == until


@pytest.mark.parametrize("how", ["it works", "it is resumed", "it gets another URL"])
def test_an_endpoint_may_be_called_again_when(
    how: str, subscriptions: SubscriptionsTable, endpoints: EndpointsTable
) -> None:
    subscriptions.put(ENDPOINT)
    as_read = endpoint_of(endpoints)
    endpoints.failed(as_read, at=NOON, not_before=minute(9))
    match how:
        case "it works":
            endpoints.worked(as_read)
        case "it is resumed":
            assert subscriptions.resume(ENDPOINT.id, ended=None)
        case "it gets another URL":
            subscriptions.put(replace(ENDPOINT, recipient="https://new.example.com/hooks"))
    assert endpoint_of(endpoints).not_before is None


def test_an_answer_of_the_url_before_does_not_hold_back_the_new_one(
    subscriptions: SubscriptionsTable, endpoints: EndpointsTable
) -> None:
    subscriptions.put(ENDPOINT)
    as_called = endpoint_of(endpoints)
    subscriptions.put(replace(ENDPOINT, recipient="https://new.example.com/hooks"))
    assert endpoints.failed(as_called, at=NOON, not_before=minute(9)) is None
    assert endpoint_of(endpoints).not_before is None


def test_who_is_resumed_lives_again_with_failures_counted_anew(
    subscriptions: SubscriptionsTable, endpoints: EndpointsTable
) -> None:
    subscriptions.put(ENDPOINT)
    claim = claim_switching_off(endpoints)
    assert endpoints.switch_off(endpoint_of(endpoints), reason="every call failed", claim=claim)
    assert subscriptions.resume(ENDPOINT.id, ended="every call failed")
    found = endpoint_of(endpoints)
    assert (found.ended, found.failing_since) == (None, None)


def test_one_that_is_gone_is_not_brought_back_by_resuming_it(
    subscriptions: SubscriptionsTable,
) -> None:
    assert not subscriptions.resume("gone", ended=None)
    assert list(subscriptions.all()) == []


@pytest.mark.parametrize("other", ["Sales@MÜLLER.example", "sales@xn--mller-kva.example"])
def test_who_unsubscribes_ends_every_subscription_of_their_mailbox_however_it_is_spelled(
    subscriptions: SubscriptionsTable, other: str
) -> None:
    subscriptions.put(replace(MAIL, id="a", recipient="sales@müller.example"))
    subscriptions.put(replace(MAIL, id="b", recipient=other))
    subscriptions.put(replace(MAIL, id="c", recipient="sale@müller.example"))
    subscriptions.put(ENDPOINT)
    subscriptions.end_all_of("a", reason="unsubscribed")
    assert [one.id for one in subscriptions.all() if one.ended] == ["a", "b"]


SPELLINGS = ["Lena@Müller.example", " lena@mu\u0308ller.example", "LENA@xn--mller-kva.example"]


@pytest.mark.parametrize("asked", SPELLINGS)
@pytest.mark.parametrize("written", SPELLINGS)
def test_a_suppression_holds_for_every_spelling_of_the_mailbox_until_it_is_lifted(
    dynamodb: Any, table: str, written: str, asked: str
) -> None:
    suppressions = SuppressionsTable(dynamodb, table_name=table)
    suppressions.suppress(written, reason="bounced before", at=NOON)
    assert suppressions.reason(asked, audience=Audience.CUSTOMER) == "bounced before"
    suppressions.lift(asked, at=minute(1))
    assert suppressions.reason(written, audience=Audience.CUSTOMER) is None


@pytest.mark.parametrize("asked", SPELLINGS)
@pytest.mark.parametrize("written", SPELLINGS)
def test_a_suppression_that_an_earlier_version_wrote_is_found_and_can_be_lifted(
    dynamodb: Any, table: str, written: str, asked: str
) -> None:
    suppressions = SuppressionsTable(dynamodb, table_name=table)
    digest = hashlib.sha256(written.strip().lower().encode()).hexdigest()[:32]
    item = {"pk": f"address#{digest}", "sk": "suppressed", "reason": "complained"}
    dynamodb.put_item(TableName=table, Item=to_item(item))
    assert suppressions.reason(asked, audience=Audience.TEAM) == "complained"
    suppressions.lift(asked, at=minute(1))
    assert suppressions.reason(asked, audience=Audience.TEAM) is None


def test_an_empty_list_that_an_earlier_version_kept_means_the_usual_kinds(
    subscriptions: SubscriptionsTable, dynamodb: Any, table: str
) -> None:
    item = {"pk": "subscriptions", "sk": "s", "recipient": "a@example.org", "kinds": []}
    dynamodb.put_item(TableName=table, Item=to_item(item))
    found = subscriptions.get("s")
    assert found is not None
    assert found.kinds == DEFAULT_KINDS


def test_a_link_ends_every_subscription_of_its_recipient_and_no_other(
    subscriptions: SubscriptionsTable,
) -> None:
    for one in (
        MAIL,
        replace(MAIL, id="b", recipient=" Sales@Example.org"),
        replace(MAIL, id="c", recipient="ops@example.org"),
        ENDPOINT,
    ):
        subscriptions.put(one)
    digest = address_hash("sales@example.org")
    for reason in ("unsubscribed on 2026-03-02", "unsubscribed on 2026-03-03"):
        subscriptions.end_all_at(digest, reason=reason)
    ended = {one.id: one.ended for one in subscriptions.all() if one.ended}
    assert ended == {"b": "unsubscribed on 2026-03-02", MAIL.id: "unsubscribed on 2026-03-02"}


def test_what_is_concluded_from_a_subscription_or_an_address_is_read_consistently() -> None:
    asked: list[Any] = []

    class Noting:
        def get_item(self, **request: Any) -> Any:
            asked.append(request["ConsistentRead"])
            return {}

        def query(self, **request: Any) -> Any:
            asked.append(request["ConsistentRead"])
            return {"Items": []}

    assert SubscriptionsTable(Noting(), table_name="t").get("s") is None
    kept = SuppressionsTable(Noting(), table_name="t")
    assert kept.reason("a@example.org", audience=Audience.TEAM) is None
    assert asked == [True, True]
