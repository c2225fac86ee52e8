"""What PollsTable says of a connection's polls and of its last webhook."""

from datetime import timedelta
from typing import Any

from milepost.connections.aws.activity import ContactsTable, LastWebhooks
from milepost.connections.health import Contact
from milepost.polling.aws.lease import PollsTable
from tests.builders import NOON, minute

TABLE = "PollsTable"


def test_a_connection_that_was_never_in_contact_has_nothing_to_show(
    dynamodb: Any, table: str
) -> None:
    contacts = ContactsTable(dynamodb, table_name=table)
    assert contacts.get("new") == Contact()
    assert contacts.all() == {}


def test_polls_and_webhooks_of_each_connection_are_shown(dynamodb: Any, table: str) -> None:
    polls, contacts = (made(dynamodb, table_name=table) for made in (PollsTable, ContactsTable))
    LastWebhooks(dynamodb, table_name=table).note("a", at=minute(7))
    polls.lease("a", now=NOON, duration=timedelta(minutes=5)).succeed(
        cursor=minute(-1), validator=None, at=NOON
    )
    polls.lease("b", now=NOON, duration=timedelta(minutes=5)).fail(
        error="500", at=NOON, not_before=None
    )
    assert contacts.get("a") == Contact(
        last_success_at=NOON, cursor=minute(-1), last_webhook_at=minute(7)
    )
    assert contacts.all()["b"] == Contact(
        last_failure_at=NOON, last_error="500", failures=1, not_before=NOON
    )


def test_an_older_webhook_does_not_set_the_time_back(dynamodb: Any, table: str) -> None:
    for at in (7, 3):
        LastWebhooks(dynamodb, table_name=table).note("a", at=minute(at))
    assert ContactsTable(dynamodb, table_name=table).get("a").last_webhook_at == minute(7)


def test_of_many_webhooks_of_a_minute_one_is_noted(dynamodb: Any, table: str) -> None:
    webhooks, contacts = (
        made(dynamodb, table_name=table) for made in (LastWebhooks, ContactsTable)
    )
    for at, noted in ((0, 0), (0.5, 0), (1, 1)):
        webhooks.note("a", at=minute(at))
        assert contacts.get("a").last_webhook_at == minute(noted)


def test_a_webhook_leaves_the_lease_of_a_poll_alone(dynamodb: Any, table: str) -> None:
    lease = PollsTable(dynamodb, table_name=table).lease(
        "a", now=NOON, duration=timedelta(minutes=5)
    )
    LastWebhooks(dynamodb, table_name=table).note("a", at=NOON)
    lease.succeed(cursor=None, validator=None, at=minute(1))
    contact = ContactsTable(dynamodb, table_name=table).get("a")
    assert (contact.last_success_at, contact.last_webhook_at) == (minute(1), NOON)
