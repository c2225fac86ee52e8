"""Malformed payloads: real ones with parts replaced, removed or moved."""

import copy
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

ODD_DATES = [
    "0001-01-01",
    "0001-01-01 00:00:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0000-00-00",
    "0000-00-00 00:00:00",
    "1753-01-01T00:00:00Z",
    "1899-12-30T00:00:00.000Z",
    "1900-01-01T00:00:00+00:00",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00Z",
    "1999-12-31T23:59:59.999Z",
    "2000-01-01T00:00:00+14:00",
    "2099-12-31T23:59:59-12:00",
    "2100-01-01T00:00:00Z",
    "9999-12-31",
    "9999-12-31 23:59:59",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59.999-12:00",
    "9999-12-31T24:00:00Z",
    "9999-12-31T23:59:60Z",
    0,
    -1,
    -62135596800,
    253402300799,
    253402300799000,
    10**30,
    Decimal("1E+999999"),
    Decimal("-1E+400"),
]
"""What systems write for a date that isn't set, or isn't known to end."""
UNREADABLE_DATES = [
    "soon",
    "2026-02-30T10:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-03-12T25:00:00Z",
    "2026-03-12T24:00:01Z",
    "2026-03-12T10:60:00Z",
    "12.03.2026 10:00",
    "٢٠٢٦-03-12T10:00:00Z",
    "2026-03-12T10:00:00Z; DROP",
    "\x00",
    True,
    [],
    {},
    ["2026-03-12T10:00:00Z"],
    {"date": "2026-03-12T10:00:00Z"},
]
UNREADABLE_AMOUNTS = [
    "abc",
    "1_280",
    "1,280.00",
    "1.280,00",
    "149.90 GHS",
    "٣٥٠٠",
    "３５００",
    "0x10",
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "1e999999",
    "1e-999999",
    "1e126",
    "1e-131",
    "1" * 39,
    "0." + "1" * 39,
    "1" * 100_000,
    Decimal("1E+38"),
    Decimal("1E-131"),
    Decimal("1E+999999"),
    10**200,
    True,
    [75],
    {"value": 75},
]


def nested(depth: int) -> Any:
    """A list in a list, and so on."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


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
            " scheduled ",
            "\ud800",
            "a\x00b",
            "ü" * 300,
            "v\u200bw",
            "2026-03-12t10:00:00z",
            "2026-03-12 10:00:00 +0100",
        ]
    ),
    st.sampled_from(ODD_DATES + UNREADABLE_DATES + UNREADABLE_AMOUNTS),
    st.builds(nested, st.sampled_from([1, 20])),
    st.sampled_from([[None] * 150, [{}] * 3, [{"id": 1}, None, 7, "x"]]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@st.composite
def mangled(draw: st.DrawFn, payloads: list[dict[str, Any]]) -> dict[str, Any]:
    """One of these payloads, with up to four changed parts."""
    payload: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(payloads)))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(payload))
        if not places:
            return payload
        container, name = draw(st.sampled_from(places))
        if draw(st.integers(0, 4)) == 0:
            del container[name]
        else:
            container[name] = copy.deepcopy(draw(ANYTHING))
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
