"""send_notice: the contents, sender and recipients of its mails."""

import json
from dataclasses import replace
from email.header import decode_header, make_header
from email.utils import parseaddr
from types import ModuleType

import pytest

from milepost.connections.connection import SenderIdentity
from milepost.notifications.aws.topic_and_queues import notice_message
from tests.builders import OFFERGRID
from tests.integration.mail_sending import Mailer, enter, invoke, notice_in, prepare
from tests.make_events import sqs_batch
from tests.stack import SENDER, Stack, aws, event


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    return stack.load("send_notice")


@pytest.fixture
def ses(app: ModuleType) -> Mailer:
    made = Mailer(app.mails.sender.mailer._client)
    app.mails.sender.mailer._client = made
    return made


HOSTILE = "</td><script>alert(1)</script>{{ 7*7 }}{% raw %}\r\nBcc: evil@example.net\r\n\r\nx\u202e"


def test_hostile_text_is_inert(app: ModuleType, stack: Stack, ses: Mailer) -> None:
    batch = prepare(stack, "rejected")
    (record,) = event("announce", "rejected")["Records"]
    image = record["dynamodb"]["NewImage"]
    details = image["details"]["M"]
    details["reason"] = {"S": HOSTILE}
    details["customer"]["M"]["name"] = {"S": HOSTILE}
    details["offer"]["M"]["name"] = {"S": HOSTILE}
    details["notes"] = {"L": [{"M": {"kind": {"S": "other"}, "text": {"S": HOSTILE}}}]}
    image["reference"] = {"S": HOSTILE}
    aws("dynamodb").put_item(TableName=stack.resources["OrdersTable"], Item=image)
    assert invoke(app, batch) == []
    (mail,) = ses.sent
    content = mail["Content"]["Simple"]
    assert mail["Destination"] == {"ToAddresses": ["sales@example.org"]}
    assert content["Subject"]["Data"].isprintable()
    for header in content.get("Headers", []):
        assert header["Value"].isprintable()
    html = content["Body"]["Html"]["Data"]
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    for part in ("Text", "Html"):
        assert "{{ 7*7 }}" in content["Body"][part]["Data"]
        assert "49" not in content["Body"][part]["Data"]


def test_a_mail_comes_from_the_connection_s_sender_and_answers_go_there(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    sender = SenderIdentity(company="Süd, Netz & Söhne", legal="HRB 1", reply_to="ask@example.org")
    stack.apply(replace(OFFERGRID, sender=sender))
    assert invoke(app, prepare(stack, "accepted")) == []
    (mail,) = ses.sent
    name, address = parseaddr(mail["FromEmailAddress"])
    assert str(make_header(decode_header(name))) == "Süd, Netz & Söhne"
    assert mail["FromEmailAddress"].isascii()
    assert address == SENDER
    assert mail["ReplyToAddresses"] == ["ask@example.org"]
    # SES refuses a mail with a header of that name: it has a parameter for it.
    assert "Reply-To" not in {one["Name"] for one in mail["Content"]["Simple"]["Headers"]}
    assert "HRB 1" in mail["Content"]["Simple"]["Body"]["Text"]["Data"]


def test_answers_go_to_an_internationalised_domain_as_ses_takes_it(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    sender = SenderIdentity(company="Bücher AG", reply_to="frage@bücher.example")
    stack.apply(replace(OFFERGRID, sender=sender))
    assert invoke(app, prepare(stack, "accepted")) == []
    assert ses.sent[0]["ReplyToAddresses"] == ["frage@xn--bcher-kva.example"]


def test_a_mail_of_nobody_s_comes_from_the_stack_s_address_alone(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    assert invoke(app, prepare(stack, "accepted")) == []
    assert ses.sent[0]["FromEmailAddress"] == SENDER
    assert "ReplyToAddresses" not in ses.sent[0]


def test_two_recipients_are_two_mails_and_one_refusal_is_one_persons(
    app: ModuleType, stack: Stack, ses: Mailer
) -> None:
    batch = prepare(stack, "accepted")
    other = replace(notice_in(batch), recipient="ops@example.org")
    enter(stack, other)
    both = sqs_batch([batch["Records"][0]["body"], json.dumps(notice_message(other))])
    assert invoke(app, both) == []
    assert [mail["Destination"]["ToAddresses"] for mail in ses.sent] == [
        ["sales@example.org"],
        ["ops@example.org"],
    ]
