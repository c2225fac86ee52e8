"""The people of a soak: one declares connections, one operates, both while everything is sent."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any, Final

from local.stack import Stack
from tests.soak.declaring_person import CHANGED, Declarer, differences, read_declared
from tests.soak.operating_person import Operating
from tests.soak.process_killer import wait_until
from tests.soak.received_notices import scan
from tests.soak.verdict import Verdict, read_orders
from tests.soak.verdict_on_people import (
    PLACES,
    Kept,
    read_what_is_stored,
    traces,
    wrongly_erased,
    wrongly_redriven,
    wrongly_subscribed,
    wrongly_told,
)

REDRIVEN: Final = "offergrid-home"
"""Its customers are notified of nothing, so no mail waits for an address of theirs."""
_TO_FORGET_SECONDS: Final = 60.0
"""How long it may take until the stream has brought an erasure to every table."""


@dataclass(kw_only=True)
class People:
    """Two people, each in a thread of their own; ``refused`` has refusals of their requests."""

    stack: Stack
    connections_file: Path
    told_of: Mapping[str, frozenset[str]]
    turning: Mapping[str, str]
    polled: Sequence[str]
    rng: Random
    refused: list[str] = field(default_factory=list)

    @cached_property
    def declarer(self) -> Declarer:
        kinds = {name: sorted(one) for name, one in self.told_of.items()}
        declared = read_declared(self.connections_file, told_of=kinds)
        return Declarer(stack=self.stack, declared=declared, turning=self.turning)

    @cached_property
    def operating(self) -> Operating:
        return Operating(
            stack=self.stack,
            polled=self.polled,
            told_of=CHANGED,
            redriven_for=REDRIVEN,
            rng=self.rng,
        )

    @property
    def figures(self) -> Counter[str]:
        return self.declarer.figures + self.operating.figures

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Both work until this ends, and then complete their current round."""
        stopped = Event()
        runs = (self.declarer.run, self.operating.run)
        threads = [Thread(target=self._work, args=(run, stopped), daemon=True) for run in runs]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopped.set()
            for thread in threads:
                thread.join()

    def polls_are_done(self) -> bool:
        """Whether every poll that was requested has been done."""
        return not self.operating.open_requests()

    def finish_erasures(self) -> None:
        """Wait until every customer is erased: data that the search didn't know yet is erased
        later.
        """

        def are_done() -> bool:
            self.operating.finish_erasures()
            return not wrongly_erased(read_orders(self.stack), self.operating.erased)

        wait_until(are_done, seconds=_TO_FORGET_SECONDS)

    def judge(self, kept: Kept, verdict: Verdict) -> None:
        """Whether everything that was requested is done, and nothing else."""
        verdict.wrong += self.refused
        verdict.lost += [f"poll of {one}" for one in self.operating.open_requests()]
        stored = read_what_is_stored(self.stack)
        verdict.wrong += differences(self.declarer.declared, stored)
        verdict.wrong += wrongly_subscribed(stored, self.operating.readers)
        verdict.lost += wrongly_redriven(kept, self.operating.redriven)
        log, readers = scan(self.stack, "NoticesTable"), self.operating.readers
        lost, doubled = wrongly_told(kept, log, readers, connection=self.operating.told_of)
        verdict.lost += lost
        verdict.doubled += doubled
        verdict.wrong += wrongly_erased(kept, self.operating.erased)
        wait_until(lambda: not self._traces(), seconds=_TO_FORGET_SECONDS)
        verdict.wrong += self._traces()

    def _traces(self) -> list[str]:
        items = [(place, item) for place in PLACES for item in scan(self.stack, place)]
        return traces(items, self.operating.erased.values())

    def _work(self, run: Callable[[Event], Any], stopped: Event) -> None:
        try:
            run(stopped)
        except Exception as error:
            self.refused.append(f"{type(error).__name__}: {error}")
