"""What a chat shows of an order, and that hostile text stays text."""

import json
from dataclasses import replace
from typing import Any

import pytest

from local.chat_platforms import ChatPlatform
from milepost.common.status import Status
from milepost.notifications.chat.message import Button, ChatMessage, Line, Section
from milepost.notifications.chat.platforms import PLATFORM_OF
from milepost.notifications.chat.slack import escaped
from milepost.notifications.eligibility_facts import Judged
from milepost.notifications.notice import Channel
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind
from tests.builders import KEY, NOON, OFFERGRID
from tests.unit.notifications.chat.chats import ADDRESSES, CONSOLE, World, notice_to, subscription

CHATS = (Channel.SLACK, Channel.TEAMS)
NAME = "Charlotte Nguyen"
FACTS = {
    "customer": {"name": NAME, "email": "charlotte@example.com", "phone": "0401555123"},
    "address": {"street": "12 Ring Road", "unit": "4", "postcode": "3053", "city": "Carlton"},
    "reference": "PP-20417",
    "service_type": "internet",
    "offer": {"name": "Fibre 1000"},
    "account_number": "ACC-99887766",
    "meter_number": "MTR5550001",
    "notes": [{"kind": "other", "text": "Call Charlotte before noon"}],
}
PERSONAL = (
    *("Charlotte", "Nguyen", "charlotte@example.com", "0401555123", "Ring Road", "Carlton"),
    *("ACC-99887766", "MTR5550001", "before noon"),
)
HOSTILE = (
    "<!channel> <https://evil.example|Click> *b* _i_ `c` & &lt; [x](https://evil.example)"
    " {{DATE(2026-03-04T01:05:30Z)}} ![i](https://evil.example/i.png) <at>All</at>"
)


@pytest.fixture(params=CHATS)
def channel(request: pytest.FixtureRequest) -> Channel:
    found: Channel = request.param
    return found


def judged(world: World, kind: Kind = Kind.ACCEPTED, *, customer_names: bool = False) -> Judged:
    one = subscription(world.channel, customer_names=customer_names)
    world.subscriptions.kept[one.id] = one
    (found,) = world.judge.judge([notice_to(world.channel, kind)], now=NOON)
    return found


def posted(world: World, kind: Kind = Kind.ACCEPTED, *, customer_names: bool = False) -> str:
    one = judged(world, kind, customer_names=customer_names)
    message = world.renderer.render(one.in_voice, one.tracked, time_zone="Europe/Berlin")
    return sent(world.channel, message)


def sent(channel: Channel, message: ChatMessage) -> str:
    """The body that a platform has taken."""
    platform = ChatPlatform(str(channel))
    body = PLATFORM_OF[channel].request(message, url=ADDRESSES[channel]).body
    assert platform.post(body).status in (200, 202)
    return body.decode()


def texts(value: Any) -> list[str]:
    """Every text of a body that Slack or Teams shows without reading markup in it."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [one for name, part in value.items() if name != "text" for one in texts(part)]
    return [one for part in value for one in texts(part)] if isinstance(value, list) else []


def test_a_message_says_status_order_what_comes_next_and_where_the_order_is(
    channel: Channel,
) -> None:
    world = World(channel)
    world.keep_order(**FACTS)
    body = posted(world)
    assert "Accepted: PP-20417 – Fibre 1000" in body
    assert "The provider has accepted the order for Fibre 1000." in body
    assert "What comes next" in body
    assert "Status now:" in body
    assert f"{CONSOLE}/orders/" in body


def test_nothing_personal_is_shown_without_leave(channel: Channel) -> None:
    world = World(channel)
    world.keep_order(**FACTS, reason="Charlotte was not at home, she said")
    for kind in (Kind.ACCEPTED, Kind.ATTENTION, Kind.CORRECTION, Kind.OVERDUE, Kind.FAILED):
        body = posted(world, kind)
        assert [one for one in PERSONAL if one.lower() in body.lower()] == []


def test_the_customers_name_is_shown_if_the_subscription_allows_it_and_nothing_else(
    channel: Channel,
) -> None:
    world = World(channel)
    world.keep_order(**FACTS)
    body = posted(world, customer_names=True)
    assert NAME in body
    others = [one for one in PERSONAL if one not in ("Charlotte", "Nguyen")]
    assert [one for one in others if one in body] == []


def test_a_message_is_in_the_subscribers_language(channel: Channel) -> None:
    world = World(channel)
    world.keep_order(**FACTS)
    one = judged(world)
    german = replace(one.in_voice, language="de")
    body = sent(channel, world.renderer.render(german, one.tracked))
    assert "Wie es weitergeht" in body
    assert "Auftrag ansehen" in body


def test_hostile_text_is_shown_as_text_by_slack() -> None:
    body = json.loads(sent(Channel.SLACK, _hostile()))
    assert body["text"] == escaped(HOSTILE)
    assert "<" not in body["text"]
    assert {block["type"] for block in body["blocks"]} == {"header", "rich_text", "actions"}
    assert "mrkdwn" not in json.dumps(body)
    assert HOSTILE in texts(body["blocks"])


def test_hostile_text_is_shown_as_text_by_teams() -> None:
    card = json.loads(sent(Channel.TEAMS, _hostile()))["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert "{{" not in json.dumps(card)
    assert HOSTILE.replace("{{", "{ {") in texts(card["body"])


def _hostile() -> ChatMessage:
    section = Section(heading=HOSTILE, lines=(Line(head=HOSTILE, text=HOSTILE, url=CONSOLE),))
    return ChatMessage(
        title=HOSTILE,
        paragraphs=(HOSTILE,),
        sections=(section, replace(section, is_list=True)),
        button=Button(text=HOSTILE, url=CONSOLE),
    )


def test_a_digest_lists_orders_with_links_and_is_shortened_until_the_platform_takes_it(
    channel: Channel,
) -> None:
    world = World(channel)
    keys = [replace(KEY, item_id=f"item-{number:03}") for number in range(200)]
    for key in keys:
        world.keep_order(key=key, reference="P" * 40, offer={"name": "Ж" * 60})
    notices = [notice_to(channel, key=key) for key in keys]
    found = list(world.judge.judge(notices, now=NOON))
    message = world.renderer.render_batch(
        [(one.in_voice, one.tracked) for one in found],
        time_zone="Europe/Berlin",
        reason=DigestReason.MANY,
    )
    body = sent(channel, message)
    assert "200 updates: 200 accepted" in body
    assert f"{CONSOLE}/orders/" in body
    assert "and 170 more updates" in body
    assert len(body.encode()) <= PLATFORM_OF[channel].most_bytes


def test_a_sample_names_the_invented_customer_only_with_leave(channel: Channel) -> None:
    renderer = World(channel).renderer
    how = {"connection": OFFERGRID.id, "language": "en"}
    with_name = sent(channel, renderer.preview("rejected", with_name=True, **how))
    without = sent(channel, renderer.preview("rejected", **how))
    assert "This is a sample" in without
    assert len(without) < len(with_name)
    digest = sent(channel, renderer.preview_digest(DigestReason.DAILY, **how))
    assert "[Sample]" in digest


def test_a_huge_message_without_a_list_is_left_as_it_is() -> None:
    message = ChatMessage(title="t", paragraphs=("x" * 40_000,))
    body = PLATFORM_OF[Channel.TEAMS].request(message, url=CONSOLE).body
    assert ChatPlatform("teams").post(body).status == 413


@pytest.mark.parametrize(
    ("language", "reason", "after"),
    [
        ("en", "words are shown with the order in the console", "Read the reason with the order"),
        ("de", "Worte des Anbieters stehen nur beim Auftrag", "Lesen Sie den Grund beim Auftrag"),
        ("da", "Udbyderens ord står kun ved ordren i konsollen", "Læs årsagen ved ordren"),
    ],
)
def test_a_withheld_reason_is_neither_quoted_nor_called_missing(
    channel: Channel, language: str, reason: str, after: str
) -> None:
    world = World(channel)
    world.keep_order(Status.CANCELLED, **FACTS, reason="Max Mustermann took another offer")
    reader = replace(subscription(channel), language=language)
    world.subscriptions.kept[reader.id] = reader
    one = notice_to(world.channel, Kind.CANCELLED)
    one = replace(one, announcement=replace(one.announcement, status=Status.CANCELLED))
    (found,) = world.judge.judge([one], now=NOON)
    message = world.renderer.render(found.in_voice, found.tracked)
    texts = [*message.paragraphs, *(line.text for part in message.sections for line in part.lines)]
    (line,) = [text for text in texts if reason in text]
    assert not set('“„»"') & set(line)
    assert any(text.startswith(after) for text in texts)
    assert "Mustermann" not in str(texts)


def test_a_digest_names_the_cause_where_the_providers_words_stay_behind(channel: Channel) -> None:
    world = World(channel)
    world.keep_order(Status.REJECTED, **FACTS, reason="Max Mustermann was not at home")
    (found,) = world.judge.judge([notice_to(world.channel, Kind.REJECTED)], now=NOON)
    message = world.renderer.render_batch(
        [(found.in_voice, found.tracked)], time_zone="Europe/Berlin", reason=DigestReason.DAILY
    )
    (line,) = message.sections[0].lines
    assert line.text.startswith("Fibre 1000 – nobody was at home · ")
