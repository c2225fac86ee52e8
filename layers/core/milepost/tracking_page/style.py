"""The page's style sheet, in the brand colour of the connection's company."""

from typing import Final

_DARK: Final = "#000000"
_LIGHT: Final = "#ffffff"


def style_of(colour: str) -> str:
    """The style sheet.

    :param colour: ``#rrggbb``; used as a background, with the text on it in black or white,
        whichever can be read better
    """
    return (
        f":root{{--own:{colour};--on-own:{text_colour_on(colour)};color-scheme:light dark}}{_REST}"
    )


def text_colour_on(colour: str) -> str:
    """Black or white, whichever has more contrast; the ratio is at least 4.5 to 1 on any colour.

    Source: WCAG 2.2, "contrast ratio" and "relative luminance".
    """
    light = luminance(colour)
    on_dark = (light + 0.05) / (luminance(_DARK) + 0.05)
    on_light = (1 + 0.05) / (light + 0.05)
    return _DARK if on_dark > on_light else _LIGHT


def luminance(colour: str) -> float:
    """The relative luminance of ``#rrggbb``, from 0 (black) to 1 (white)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


_REST: Final = (
    "*{box-sizing:border-box}"
    "body{margin:0;font:18px/1.5 system-ui,sans-serif;color:#1c2430;background:#f5f6f8;"
    "overflow-wrap:anywhere}"
    "header{background:var(--own);color:var(--on-own);padding:1rem 0}"
    "header p{margin:0;font-weight:600}"
    "main,footer,header div,nav{max-width:38rem;margin:0 auto;padding:0 1.25rem}"
    "nav{padding-top:.75rem;font-size:1rem;text-align:right}"
    "nav ul{list-style:none;margin:0;padding:0}nav li{display:inline-block}"
    "nav a,nav span{display:inline-block;padding:.4rem .6rem}nav span{font-weight:600}"
    "h1{font-size:1.6rem;line-height:1.25;margin:1rem 0}h2{font-size:1.15rem;margin:0 0 .4rem}"
    "section{margin:0 0 1.25rem;padding:1rem 1.25rem;background:#fff;border-radius:8px}"
    "section p{margin:0 0 .4rem}section ul{margin:0;padding-left:1.2rem}"
    ".date{font-size:1.2rem;font-weight:600}"
    "ol{list-style:none;margin:0;padding:0}"
    "ol li{position:relative;padding:0 0 1.1rem 2.25rem}"
    "ol li:last-child{padding-bottom:0}"
    "ol li::before{content:'';position:absolute;left:.3rem;top:.3rem;width:1rem;height:1rem;"
    "border:3px solid #66707c;border-radius:50%;background:#fff;z-index:1}"
    "ol li:not(:last-child)::after{content:'';position:absolute;left:.73rem;top:.6rem;"
    "bottom:-.5rem;width:3px;background:#66707c}"
    "ol .done::before{background:#66707c}"
    "ol .now::before{background:var(--own);width:1.3rem;height:1.3rem;left:.15rem;top:.15rem}"
    "ol .now strong{font-size:1.1rem}ol strong{display:block}"
    "small,footer{font-size:.9rem;color:#4d5865}footer{padding-bottom:2rem}"
    "a{color:#1f5a99}a:focus-visible{outline:3px solid #b35c00;outline-offset:3px}"
    "@media(prefers-color-scheme:dark){body{color:#e8ebf0;background:#161b22}"
    "section{background:#1f2630}small,footer{color:#b8c2cc}a{color:#8fbcf0}"
    "a:focus-visible{outline-color:#ffb454}"
    "ol li::before{border-color:#a8b2bd;background:#1f2630}"
    "ol .done::before,ol li:not(:last-child)::after{background:#a8b2bd}}"
    "@media print{:root{color-scheme:light;font-size:11px}body{font-size:12px}"
    "nav,.screen{display:none}"
    "body,section,header{color:#000;background:#fff}"
    "section{border:1px solid #66707c;break-inside:avoid}small,footer{color:#000}"
    "header{border-bottom:3px solid var(--own)}"
    "ol li::before,ol li::after{print-color-adjust:exact}}"
)
