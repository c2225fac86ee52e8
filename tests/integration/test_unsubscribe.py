"""unsubscribe: requests to links, and who gets mails afterwards."""

import json
from dataclasses import replace
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from milepost.common.email_addresses import address_hash
from milepost.common.status import Status
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.aws.topic_and_queues import notice_message
from milepost.notifications.mail.aws.unsubscribe import LinkKeysStore
from milepost.notifications.mail.unsubscribe import Ending, UnsubscribeLinks, read_token, token_of
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Kind
from tests.builders import NOON, OFFERGRID, notice, report, tracked
from tests.make_events import sqs_batch
from tests.make_mail_events import LINK_KEY, SUBSCRIPTION, http_event
from tests.stack import Context, Stack, aws, event

CUSTOMER = "lena.hoffmann@example.de"
SECRET = "UnsubscribeSecret"


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    rotate(stack, LINK_KEY.decode())
    subscriptions(stack).put(Subscription(id=SUBSCRIPTION, recipient="sales@example.org"))
    return stack.load("unsubscribe")


def rotate(stack: Stack, key: str) -> None:
    aws("secretsmanager").put_secret_value(SecretId=stack.resources[SECRET], SecretString=key)


def subscriptions(stack: Stack) -> SubscriptionsTable:
    return SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])


def how_it_ended(stack: Stack) -> str | None:
    subscription = subscriptions(stack).get(SUBSCRIPTION)
    assert subscription is not None
    return subscription.ended


def ask(app: ModuleType, request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = app.handler(request, Context())
    return answer


def test_following_the_link_shows_a_button_and_ends_nothing(app: ModuleType, stack: Stack) -> None:
    answer = ask(app, event("unsubscribe", "asked"))
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-language"] == "de"
    assert "<button" in answer["body"]
    assert how_it_ended(stack) is None


def test_one_click_ends_the_subscription(app: ModuleType, stack: Stack) -> None:
    answer = ask(app, event("unsubscribe", "one_click"))
    assert answer["statusCode"] == 200
    assert str(how_it_ended(stack)).startswith("unsubscribed on 20")


def test_clicking_twice_is_fine(app: ModuleType, stack: Stack) -> None:
    first = ask(app, event("unsubscribe", "one_click"))
    ended = how_it_ended(stack)
    assert ask(app, event("unsubscribe", "one_click")) == first
    assert how_it_ended(stack) == ended


def test_a_customer_gets_no_more_customers_mails_but_stays_in_the_team(
    app: ModuleType, stack: Stack
) -> None:
    token = token_of(Ending(customer=address_hash(CUSTOMER)), LINK_KEY)
    for _ in range(2):
        assert ask(app, http_event("POST", token))["statusCode"] == 200
    kept = SuppressionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    reason = kept.reason(CUSTOMER.upper(), audience=Audience.CUSTOMER)
    assert str(reason).startswith("unsubscribed on 20")
    assert kept.reason(CUSTOMER, audience=Audience.TEAM) is None


def test_who_leaves_leaves_all_subscriptions_of_that_address_and_of_no_other(
    app: ModuleType, stack: Stack
) -> None:
    table = subscriptions(stack)
    table.put(Subscription(id="second", recipient="sales@example.org"))
    table.put(Subscription(id="other", recipient="ops@example.org"))
    table.put(Subscription(id="over", recipient="sales@example.org", ended="unsubscribed before"))
    app.handler(event("unsubscribe", "one_click"), Context())
    ended = {one.id: one.ended for one in table.all()}
    assert ended["other"] is None
    assert ended["over"] == "unsubscribed before"
    assert str(ended["second"]).startswith("unsubscribed on ")
    assert ended["second"] == ended[SUBSCRIPTION]


def test_a_subscription_that_is_gone_is_ended_all_the_same(app: ModuleType, stack: Stack) -> None:
    subscriptions(stack).delete(SUBSCRIPTION)
    assert ask(app, event("unsubscribe", "one_click"))["statusCode"] == 200
    assert subscriptions(stack).get(SUBSCRIPTION) is None


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["x", "1.e30.AAAA", "%00", "ü" * 5000])
def test_every_bad_link_gets_the_same_page(method: str, token: str, app: ModuleType) -> None:
    expected = ask(app, event("unsubscribe", "link_cut_off"))
    assert expected["statusCode"] == 404
    assert ask(app, http_event(method, token)) == expected


def test_a_request_without_headers_is_answered_in_english(app: ModuleType) -> None:
    request = http_event("GET", "x")
    del request["headers"]
    assert ask(app, request)["headers"]["content-language"] == "en"


def test_without_its_secret_it_says_to_come_back(app: ModuleType, stack: Stack) -> None:
    aws("secretsmanager").delete_secret(
        SecretId=stack.resources[SECRET], ForceDeleteWithoutRecovery=True
    )
    answer = ask(app, event("unsubscribe", "one_click"))
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "60")
    assert how_it_ended(stack) is None


def test_nothing_of_the_link_is_logged(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = StringIO()
    monkeypatch.setattr(app.logger.registered_handler, "stream", lines)
    request = event("unsubscribe", "one_click")
    ask(app, request)
    assert '"outcome":"ended"' in lines.getvalue()
    assert request["pathParameters"]["token"] not in lines.getvalue()


def test_keys_are_read_again_after_five_minutes_and_the_one_before_still_counts(
    app: ModuleType, stack: Stack
) -> None:
    now = [0.0]
    store = LinkKeysStore(
        aws("secretsmanager"), secret_id=stack.resources[SECRET], clock=lambda: now[0]
    )
    old = store.keys()
    rotate(stack, "the next one")
    now[0] = 299.0
    assert store.keys() == old
    now[0] = 301.0
    assert store.keys() == (b"the next one", LINK_KEY)
    ending = Ending(subscriptions=(SUBSCRIPTION,))
    assert read_token(token_of(ending, LINK_KEY), [b"the next one", LINK_KEY]) == ending


@pytest.mark.parametrize("audience", list(Audience))
def test_the_link_of_a_mail_that_was_sent_ends_such_mails(
    audience: Audience, app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscriptions(stack).put(Subscription(id="another", recipient="Sales@example.org"))
    stack.apply(replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED})))
    is_team = audience is Audience.TEAM
    one = notice(
        recipient="sales@example.org" if is_team else CUSTOMER,
        audience=audience,
        subscription=SUBSCRIPTION if is_team else None,
    )
    headers = send(stack, one, monkeypatch)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"].strip("<>")
    assert link.startswith("https://api.example.org/unsubscribe/")
    request = http_event("POST", link.rpartition("/")[2], "List-Unsubscribe=One-Click")
    assert ask(app, request)["statusCode"] == 200
    kept = SuppressionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    is_suppressed = kept.reason(CUSTOMER, audience=Audience.CUSTOMER) is not None
    assert is_suppressed == (audience is Audience.CUSTOMER)
    ended = [one.id for one in subscriptions(stack).all() if one.ended]
    assert ended == (["another", SUBSCRIPTION] if is_team else [])


def send(stack: Stack, one: Notice, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Send a notice by send_notice; the headers that it asked SES for."""
    dynamodb = aws("dynamodb")
    orders = OrdersTable(dynamodb, table_name=stack.resources["OrdersTable"], connection=OFFERGRID)
    order = tracked(report(Status.SUBMITTED), report(Status.ACCEPTED, 5))
    orders.write(order, new=())
    log = NoticesTable(dynamodb, table_name=stack.resources["NoticesTable"])
    log.enter(Choice(notice=one), at=NOON)
    asked: dict[str, Any] = {}
    sender = stack.load("send_notice")
    ses = sender.mails.sender.mailer._client
    ses.meta.events.register(
        "provide-client-params.sesv2.SendEmail", lambda params, **_: asked.update(params)
    )
    links = UnsubscribeLinks(sender.mails.sender.links.keys, "https://api.example.org")
    mails = replace(sender.mails, sender=replace(sender.mails.sender, links=links))
    monkeypatch.setattr(sender, "mails", mails)
    batch = sqs_batch([json.dumps(notice_message(one))])
    assert sender.handler(batch, Context()) == {"batchItemFailures": []}
    found = asked["Content"]["Simple"]["Headers"]
    return {header["Name"]: header["Value"] for header in found}
