"""Charts as SVG, drawn on the server, without scripts.

Which figures they show: ``console.pages.figures``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

_TOP: Final = 8
_LEAST: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of a plot: ``value`` as a bar, ``mark`` as a line beyond it, and a label."""

    label: str
    value: float
    mark: float | None = None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """The positions in a plot, in pixels: a plot is never shown much smaller than it is drawn, so
    that its text stays legible."""

    name: str
    width: int
    row: int
    left: int
    """Where bars begin. The label is before that, or above the bar if nothing is left."""
    right: int
    """Room for the value beyond the longest bar."""
    label_x: int
    label_y: int
    bar_y: int
    most: int
    """Characters of a label that are shown."""


_WIDE: Final = _Layout(
    name="wide",
    width=720,
    row=34,
    left=270,
    right=150,
    label_x=260,
    label_y=19,
    bar_y=5,
    most=40,
)
_NARROW: Final = _Layout(
    name="narrow",
    width=330,
    row=52,
    left=0,
    right=130,
    label_x=0,
    label_y=16,
    bar_y=23,
    most=46,
)


def bar_chart(bars: Sequence[Bar], *, title: str) -> Markup:
    """A plot of horizontal bars, drawn for wide and for small screens; the style sheet shows one.

    Its numbers are in a table beside it, so for screen readers it is one image.
    """
    return Markup("").join(_chart(bars, title, layout) for layout in (_WIDE, _NARROW))


def _chart(bars: Sequence[Bar], title: str, layout: _Layout) -> Markup:
    height = _TOP * 2 + layout.row * len(bars)
    longest = max((max(one.value, one.mark or 0) for one in bars), default=0) or 1
    rows = (_row(one, number, longest, layout) for number, one in enumerate(bars))
    return Markup(
        '<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(layout.name, layout.width, height, title, Markup("").join(rows))


def _row(bar: Bar, number: int, longest: float, layout: _Layout) -> Markup:
    room = layout.width - layout.left - layout.right
    y = _TOP + number * layout.row + layout.bar_y
    length = max(_LEAST, room * bar.value / longest)
    mark = Markup("")
    end = length
    if bar.mark is not None:
        end = max(length, room * bar.mark / longest)
        mark = Markup(
            '<line class="whisker" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y}" y2="{y}"/>'
            '<line class="whisker" x1="{x2:.1f}" x2="{x2:.1f}" y1="{top}" y2="{bottom}"/>'
        ).format(x1=layout.left + length, x2=layout.left + end, y=y + 9, top=y + 3, bottom=y + 15)
    return Markup(
        '<text x="{lx}" y="{ly}"{anchor}>{label}</text>'
        '<rect class="bar-of" x="{x}" y="{y}" width="{w:.1f}" height="18" rx="3"/>{mark}'
        '<text class="value" x="{vx:.1f}" y="{vy}">{text}</text>'
    ).format(
        lx=layout.label_x,
        ly=y - layout.bar_y + layout.label_y,
        anchor=Markup(' text-anchor="end"') if layout.left else "",
        label=_short(bar.label, layout.most),
        x=layout.left,
        y=y,
        w=length,
        mark=mark,
        vx=layout.left + end + 8,
        vy=y + 14,
        text=bar.text,
    )


def _short(label: str, most: int) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"
