"""Payloads as no provider should send them: real ones with parts replaced, dropped or moved."""

import copy
from typing import Any

from hypothesis import strategies as st

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            " ",
            "x" * 5_000,
            "\x00",
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999-12:00",
            "2026-10-25 02:30:00",
            "2026-03-29 02:30:00",
            "2026-02-30 00:00:00",
            "Unspecified",
            "completed",
            "Delivery",
        ]
    ),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@st.composite
def mangled(draw: st.DrawFn, payloads: list[dict[str, Any]]) -> dict[str, Any]:
    """One of these payloads, with up to four of its parts changed."""
    payload: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(payloads)))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(payload))
        if not places:
            return payload
        container, name = draw(st.sampled_from(places))
        if draw(st.integers(0, 4)) == 0:
            del container[name]
        else:
            container[name] = draw(ANYTHING)
    return payload


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        named = list(value.items())
    elif isinstance(value, list):
        named = list(enumerate(value))
    else:
        return
    for name, inner in named:
        yield value, name
        yield from _places(inner)
