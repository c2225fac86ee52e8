"""Shows in a browser what the chats would show, from the requests that the stand-ins received."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from local.page_server import NOT_FOUND, Answer, render_page

SHOWN: Final = 50
"""Messages of each chat on the page, the newest first."""
_REFRESH_SECONDS: Final = 3
_NAMES: Final = {"slack": "Slack", "teams": "Microsoft Teams"}

Message = Mapping[str, Any]


def answer_chats(taken: Mapping[str, Sequence[Message]], path: str) -> Answer:
    """The response to a path of the chats' page.

    :param taken: the messages that each platform took, the oldest first
    """
    if path == "/messages.json":
        return Answer(body=json.dumps(taken), content_type="application/json")
    if path == "/":
        return _list(taken)
    shown = _NAMES.get(path.strip("/"))
    return _list({path.strip("/"): taken[path.strip("/")]}) if shown else NOT_FOUND


def _list(taken: Mapping[str, Sequence[Message]]) -> Answer:
    content = '<nav><a href="/">Chats</a><a href="/slack">Slack</a><a href="/teams">Teams</a></nav>'
    for name, messages in taken.items():
        drawn = _slack if name == "slack" else _teams
        newest = list(messages)[: -SHOWN - 1 : -1]
        rows = "".join(f"<li>{drawn(one)}</li>" for one in newest)
        content += f"<h1>{_NAMES[name]} <span class=badge>{len(messages)}</span></h1>"
        content += f"<ul>{rows}</ul>" if rows else "<p>No message yet.</p>"
    return render_page(title="Chats", content=content, refresh_seconds=_REFRESH_SECONDS)


def _slack(message: Message) -> str:
    return "".join(_block(block) for block in message["blocks"])


def _block(block: Message) -> str:
    match block["type"]:
        case "header":
            return f"<h2>{escape(block['text']['text'])}</h2>"
        case "actions":
            buttons = (_link(one["url"], one["text"]["text"]) for one in block["elements"])
            return f"<p>{' '.join(buttons)}</p>"
        case _:
            return "".join(_rich(element) for element in block["elements"])


def _rich(element: Message) -> str:
    if element["type"] == "rich_text_list":
        items = "".join(f"<br>• {_runs_of_slack(one['elements'])}" for one in element["elements"])
        return f"<p>{items.removeprefix('<br>')}</p>"
    return f"<p>{_runs_of_slack(element['elements']).removesuffix('<br>')}</p>"


def _runs_of_slack(runs: Iterable[Message]) -> str:
    return "".join(
        _run(one["text"], url=one.get("url"), is_bold="bold" in one.get("style", {}))
        for one in runs
    )


def _teams(message: Message) -> str:
    card = message["attachments"][0]["content"]
    blocks = [_runs_of_teams(block["inlines"]) for block in card["body"]]
    actions = " ".join(_link(one["url"], one["title"]) for one in card.get("actions", ()))
    lines = "".join(f"<p>{block}</p>" for block in blocks[1:])
    return f"<h2>{blocks[0]}</h2>{lines}" + (f"<p>{actions}</p>" if actions else "")


def _runs_of_teams(runs: Iterable[Message]) -> str:
    return "".join(
        _run(
            one["text"],
            url=one.get("selectAction", {}).get("url"),
            is_bold=one.get("weight") == "Bolder" and one.get("size") != "Large",
        )
        for one in runs
    )


def _run(text: str, *, url: str | None, is_bold: bool) -> str:
    if url:
        return _link(url, text)
    shown = escape(text).replace("\n", "<br>")
    return f"<b>{shown}</b>" if is_bold else shown


def _link(url: str, text: str) -> str:
    if not url.startswith(("http://", "https://")):
        return escape(text)
    return f'<a href="{escape(url)}" rel="noreferrer">{escape(text)}</a>'
