"""Charts as SVG, drawn on the server, without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

_WIDTH: Final = 720
_ROW: Final = 34
_TOP: Final = 8
_LABEL: Final = 270
_VALUE: Final = 150
_LEAST: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of a plot: ``value`` as a bar, ``mark`` as a line beyond it, and a label."""

    label: str
    value: float
    mark: float | None = None
    text: str


def bar_chart(bars: Sequence[Bar], *, title: str) -> Markup:
    """A plot of horizontal bars. Its numbers are in a table beside it, so for screen readers it is
    one image."""
    height = _TOP * 2 + _ROW * len(bars)
    longest = max((max(one.value, one.mark or 0) for one in bars), default=0) or 1
    rows = Markup("").join(_row(one, number, longest=longest) for number, one in enumerate(bars))
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(_WIDTH, height, title, rows)


def _row(bar: Bar, number: int, *, longest: float) -> Markup:
    room = _WIDTH - _LABEL - _VALUE
    y = _TOP + number * _ROW
    length = max(_LEAST, room * bar.value / longest)
    mark = Markup("")
    end = length
    if bar.mark is not None:
        end = max(length, room * bar.mark / longest)
        mark = Markup(
            '<line class="whisker" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y}" y2="{y}"/>'
            '<line class="whisker" x1="{x2:.1f}" x2="{x2:.1f}" y1="{top}" y2="{bottom}"/>'
        ).format(x1=_LABEL + length, x2=_LABEL + end, y=y + 14, top=y + 8, bottom=y + 20)
    return Markup(
        '<text x="{lx}" y="{ty}" text-anchor="end">{label}</text>'
        '<rect class="bar-of" x="{x}" y="{by}" width="{w:.1f}" height="18" rx="3"/>{mark}'
        '<text class="value" x="{vx:.1f}" y="{ty}">{text}</text>'
    ).format(
        lx=_LABEL - 10,
        ty=y + 19,
        label=_short(bar.label),
        x=_LABEL,
        by=y + 5,
        w=length,
        mark=mark,
        vx=_LABEL + end + 8,
        text=bar.text,
    )


def _short(label: str, most: int = 40) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"
