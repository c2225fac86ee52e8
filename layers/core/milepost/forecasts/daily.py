"""Derives tables of forecasts and scorecards from all orders, once a day."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.forecasts.clock import clock_of, on_clock
from milepost.forecasts.quality import Quality
from milepost.forecasts.scorecard import Scorecard, Tally, make_scorecard
from milepost.forecasts.stages import stays_of
from milepost.forecasts.stays import Stay
from milepost.forecasts.table import ForecastTable, make_table
from milepost.orders.order import TrackedOrder


@dataclass(slots=True)
class DailyRun:
    """Collects orders, then derives tables and scorecards from them.

    :param connection_of: the settings of a connection; None where they can't be used
    """

    connection_of: Callable[[str], Connection | None]
    now: datetime
    _stays: dict[str, list[Stay]] = field(default_factory=lambda: defaultdict(list))
    _tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    _settings: dict[str, Connection | None] = field(default_factory=dict)

    def add(self, orders: Iterable[TrackedOrder]) -> None:
        """Add orders, each once."""
        for tracked in orders:
            name = tracked.order.key.connection
            if name not in self._settings:
                self._settings[name] = self.connection_of(name)
            self._stays[name] += stays_of(tracked)
            self._tallies[name].add(tracked, self._settings[name], now=self.now)

    @property
    def connections(self) -> list[str]:
        """The connections that have orders."""
        return sorted(self._stays)

    def tables(self) -> Iterator[tuple[str, ForecastTable]]:
        """The table of forecasts of each connection."""
        for name in self.connections:
            clock = clock_of(self._settings[name])
            yield (
                name,
                make_table(
                    (on_clock(one, clock) for one in self._valid(name)),
                    now=clock.counted(self.now.timestamp()),
                    made_at_text=format_instant(self.now),
                    week=clock.week,
                    of_provider=(on_clock(one, clock) for one in self._of_provider(name)),
                ),
            )

    def scorecards(self, quality: dict[str, Quality]) -> tuple[list[Scorecard], list[Scorecard]]:
        """The scorecard of each connection, and of each provider with several connections.

        :param quality: how good the forecasts were, by connection
        """
        own = [
            self._scorecard(name, self._stays[name], self._tallies[name], quality[name])
            for name in self.connections
        ]
        by_provider: dict[str, list[str]] = defaultdict(list)
        for name in self.connections:
            if settings := self._settings[name]:
                by_provider[settings.provider].append(name)
        joined = [
            self._joined(provider, names, quality)
            for provider, names in sorted(by_provider.items())
        ]
        return own, joined

    def _joined(self, provider: str, names: list[str], quality: dict[str, Quality]) -> Scorecard:
        tally, total = Tally(), Quality()
        for name in names:
            tally.join(self._tallies[name])
            total += quality[name]
        stays = [one for name in names for one in self._stays[name]]
        return self._scorecard(provider, stays, tally, total)

    def _scorecard(self, name: str, stays: list[Stay], tally: Tally, quality: Quality) -> Scorecard:
        made_at = format_instant(self.now)
        return make_scorecard(name, stays, tally, quality=quality, now=self.now, made_at=made_at)

    def _valid(self, name: str) -> Iterator[Stay]:
        """The stays of a connection that began when its history was already valid."""
        since = _history_begins(self._settings[name])
        return (one for one in self._stays[name] if one.entered >= since)

    def _of_provider(self, name: str) -> Iterator[Stay]:
        """The stays of all connections of the same provider, if there is another one."""
        settings = self._settings[name]
        if settings is None:
            return
        others = [
            other
            for other in self.connections
            if (one := self._settings[other]) is not None and one.provider == settings.provider
        ]
        if len(others) > 1:
            for other in others:
                yield from self._valid(other)


def _history_begins(settings: Connection | None) -> float:
    """The first moment (seconds since 1970) of the connection's history that is valid."""
    if settings is None or settings.history_from is None:
        return float("-inf")
    midnight = datetime.fromisoformat(settings.history_from)
    return midnight.replace(tzinfo=ZoneInfo(settings.time_zone)).timestamp()
