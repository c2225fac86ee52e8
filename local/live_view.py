"""The live view in a terminal, and plain lines where there is no terminal."""

import threading
from collections.abc import Callable
from typing import Final

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from local.live_view_data import Overview

_PAUSE_SECONDS: Final = 1.0


def show_live(
    read: Callable[[], Overview],
    *,
    console: Console,
    stopped: threading.Event,
    header: str,
    said: Callable[[], str] = lambda: "",
) -> None:
    """Show what `read` returns until `stopped` is set, and the text of `said` once there is one."""

    def with_news() -> str:
        return f"{header}\n{said()}".rstrip()

    if console.is_terminal:
        _show_screen(read, console, stopped, with_news)
    else:
        _show_lines(read, console, stopped, said)


def _show_screen(
    read: Callable[[], Overview],
    console: Console,
    stopped: threading.Event,
    header: Callable[[], str],
) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while not stopped.is_set():
            live.update(Group(Text(header()), render_overview(read())), refresh=True)
            stopped.wait(_PAUSE_SECONDS)


def _show_lines(
    read: Callable[[], Overview],
    console: Console,
    stopped: threading.Event,
    said: Callable[[], str],
) -> None:
    last = last_said = ""
    while not stopped.is_set():
        overview = read()
        orders = ", ".join(f"{name} {count}" for name, count in overview.statuses.items())
        notices = ", ".join(f"{name} {count}" for name, count in overview.notice_states.items())
        line = f"orders: {orders or 'none'}; notices: {notices or 'none'}"
        if line != last:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
            last = line
        if (news := said()) != last_said:
            console.print(news, markup=False, highlight=False, soft_wrap=True)
            last_said = news
        stopped.wait(_PAUSE_SECONDS)


def render_overview(overview: Overview) -> RenderableType:
    """Tiles and two tables."""
    tiles = [
        Panel(Text(f"{count}", style="bold"), title=name.replace("_", " "), width=16)
        for name, count in overview.statuses.items()
    ]
    transitions = Table(title="Latest transitions", title_justify="left", expand=True)
    for column in ("since", "connection", "order", "status"):
        transitions.add_column(column, no_wrap=column != "order", overflow="ellipsis")
    for line in overview.transitions:
        since = line.since[:19].replace("T", " ")
        transitions.add_row(*map(Text, (since, line.connection, line.order, line.status)))
    states = ", ".join(f"{name} {count}" for name, count in overview.notice_states.items())
    notices = Table(title=f"Notices: {states or 'none yet'}", title_justify="left", expand=True)
    for column, share in {"at": None, "kind": None, "order": 2, "to": 2, "state": None}.items():
        notices.add_column(column, no_wrap=True, overflow="ellipsis", ratio=share)
    for notice in overview.notices:
        cells = (notice.at[11:19], notice.kind, notice.order, notice.recipient, notice.state)
        notices.add_row(*map(Text, cells))
    orders: RenderableType = Columns(tiles) if tiles else Text("No orders yet.", style="dim")
    return Group(orders, transitions, notices)
