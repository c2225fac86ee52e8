"""The page that shows what chats would show: from messages as they are really posted."""

import json

import pytest

from local.chat_page import SHOWN, answer_chats
from milepost.notifications.chat.message import Button, ChatMessage, Line, Section
from milepost.notifications.chat.platforms import PLATFORM_OF
from milepost.notifications.notice import Channel

HOSTILE = '<script>alert("x")</script> <!channel> [a](https://evil.example)'
MESSAGE = ChatMessage(
    title="Rejected: PP-1",
    paragraphs=(HOSTILE,),
    sections=(
        Section(heading="Next", lines=(Line(text="Call them"), Line(head="Status", text="late"))),
        Section(is_list=True, lines=(Line(head="PP-2", text="x", url="https://a.example/?a=1&b"),)),
    ),
    button=Button(text="Open the order", url="https://console.example/orders/1"),
)


def page(platform: str, *messages: ChatMessage, path: str = "/") -> str:
    bodies = [PLATFORM_OF[Channel(platform)].request(one, url="").body for one in messages]
    return answer_chats({platform: [json.loads(body) for body in bodies]}, path).body


@pytest.mark.parametrize("platform", ["slack", "teams"])
def test_a_message_is_drawn_with_its_title_lists_and_links(platform: str) -> None:
    shown = page(platform, MESSAGE)
    assert "<h2>Rejected: PP-1</h2>" in shown
    assert "<b>Status</b> late" in shown
    assert '<a href="https://a.example/?a=1&amp;b" rel="noreferrer">PP-2</a>' in shown
    assert "Open the order</a>" in shown


@pytest.mark.parametrize("platform", ["slack", "teams"])
def test_text_from_outside_is_text(platform: str) -> None:
    shown = page(platform, MESSAGE)
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    bad = ChatMessage(title="x", button=Button(text="y", url="javascript:alert(1)"))
    assert "href=" not in page(platform, bad).partition("<h1>")[2]


def test_the_newest_message_comes_first_and_their_number_is_bounded() -> None:
    shown = page("slack", *(ChatMessage(title=f"no. {n}") for n in range(SHOWN + 2)))
    assert shown.index(f"no. {SHOWN + 1}<") < shown.index("no. 2<")
    assert "no. 1<" not in shown


def test_other_paths_are_not_found_and_scripts_get_the_messages() -> None:
    assert answer_chats({"slack": []}, "/nothing").status == 404
    assert json.loads(page("teams", MESSAGE, path="/messages.json"))["teams"]
