"""The live view in a browser: a page that refreshes itself, readable on a phone."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Final

from local.overview import NoticeLine, Overview, Transition
from local.pages import NOT_FOUND, Answer, PageServer, render_page

_REFRESH_SECONDS: Final = 2


def serve_console(read: Callable[[], Overview], *, mail_url: str, port: int) -> PageServer:
    """Show what `read` returns, read again for each request."""
    return PageServer(
        lambda path: render_console(read(), mail_url) if path == "/" else NOT_FOUND, port=port
    )


def render_console(overview: Overview, mail_url: str) -> Answer:
    """The page; everything from the tables is escaped."""
    content = (
        "<h1>Milepost, local stack</h1>"
        f'<nav><a href="{escape(mail_url)}">Inbox</a></nav>'
        f"<h2>Orders</h2>{_tiles(overview.statuses, 'No orders yet.')}"
        f"<h2>Latest transitions</h2><ul>{''.join(map(_transition, overview.transitions))}</ul>"
        f"<h2>Notices</h2>{_tiles(overview.notice_states, 'No notices yet.')}"
        f"<ul>{''.join(map(_notice, overview.notices))}</ul>"
    )
    return render_page(
        title="Milepost, local stack", content=content, refresh_seconds=_REFRESH_SECONDS
    )


def _tiles(counts: Mapping[str, int], nothing: str) -> str:
    if not counts:
        return f'<p class="soft">{nothing}</p>'
    tiles = "".join(
        f"<li><b>{count}</b>{escape(name.replace('_', ' '))}</li>" for name, count in counts.items()
    )
    return f'<ul class="tiles">{tiles}</ul>'


def _transition(line: Transition) -> str:
    return (
        f'<li><span class="badge">{escape(line.status.replace("_", " "))}</span> '
        f"{escape(line.order)}"
        f'<div class="soft">{escape(line.connection)}: {escape(line.raw_status)} · '
        f"{escape(line.since)}</div></li>"
    )


def _notice(line: NoticeLine) -> str:
    why = f": {escape(line.why)}" if line.why else ""
    return (
        f'<li><span class="badge">{escape(line.kind)}</span> {escape(line.order)} '
        f"to {escape(line.recipient)}"
        f'<div class="soft">{escape(line.state)}{why} · {escape(line.at)}</div></li>'
    )
