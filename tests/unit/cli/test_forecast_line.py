"""A forecast as the command says it."""

from cli.local_times import read_zone
from cli.orders.showing import forecast_line

END = {
    "earliest": "2026-12-03T10:00:00.000Z",
    "likely": "2026-12-05T10:00:00.000Z",
    "latest": "2026-12-09T10:00:00.000Z",
    "orders": 412,
    "share": 0.82,
}


def line(end: dict[str, object] | None) -> str:
    forecast = {"end": end, "track": "fast", "track_days": 7}
    return forecast_line(forecast, read_zone("UTC"))


def test_it_says_when_how_likely_and_from_how_many() -> None:
    assert line(END) == (
        "forecast: usually complete between 2026-12-03 10:00 and 2026-12-09 10:00, most likely "
        "2026-12-05 10:00; from 412 orders, of which 82% are completed"
    )


def test_it_says_what_is_not_known() -> None:
    assert "after 2026-12-03 10:00" in line({**END, "latest": None})
    assert "no upper date known" in line({**END, "latest": None})
    assert line(None) == "forecast: not enough orders yet; the fast track takes 7 days"
