"""Two that meet: each runs to its end at every call of the other one that it can notice.

Where two calls can't affect each other (``touches``), their order makes no difference: so a place
after a call of the first that touches nothing of what the second touches is no place of its own.
What is left are all places at which the outcome can differ.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Any, Final

from tests.integration.interleaving import invariants
from tests.integration.interleaving.accessed_items import Touch, meet
from tests.integration.interleaving.account import World
from tests.integration.interleaving.calls import Versions, versions
from tests.integration.interleaving.forks import Copy, in_copy
from tests.integration.interleaving.retries import NeverDone, Run, settle
from tests.integration.interleaving.workers import Ended, FedBy, Party

MOST_PLACES: Final = int(os.environ.get("INTERLEAVING_PLACES", "1"))
"""In one run of the first; of more, some are chosen by the seed. ``make interleavings`` has all."""
IN_EVERY_WAY: Final = MOST_PLACES > 1
"""Whether the second starts in every way at each place, or in one that the seed chooses."""


class How(StrEnum):
    """What else happens where the second starts."""

    PLAINLY = "plainly"
    STALE = "with stale reads"
    TWICE = "its event delivered twice"
    LATE = "while the clock jumps"


@dataclass(frozen=True)
class Outcome:
    """What came of one interleaving."""

    wrong: tuple[str, ...]
    kept: invariants.Kept
    refused: tuple[str, ...] = ()
    """Who was told that it can't be done, and changed nothing therefore."""


@dataclass
class Met:
    """What came of all interleavings of two."""

    count: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Solo:
    """What one touches when it runs by itself, call by call."""

    calls: list[list[Touch]]

    @property
    def all(self) -> list[Touch]:
        return [one for call in self.calls for one in call]


def run_alone(world: World, party: Party) -> Solo:
    """What it touches; noted in a copy of this process."""

    def note() -> Solo:
        event, found, calls = party.prepare(world), Solo([]), world.calls
        calls.before = lambda _, touches: found.calls.append([*calls.spoken, *touches])
        _run(world, party, event)
        return found

    return in_copy(note)


def _comes_second(party: Party) -> bool:
    return party.fed_by is not FedBy.PERSON


def _run(world: World, party: Party, event: Any) -> tuple[Ended, str]:
    try:
        ended, answer = party.run(world, event)
    except Exception as error:  # as Lambda has it: it failed, and comes again
        broken = Ended.BROKEN if party.fed_by is FedBy.PERSON else Ended.FAILED
        return broken, repr(error)
    return ended, str(answer)


@dataclass
class Meeting:
    """Two in a world, which is prepared for both; to be held in a copy of this process."""

    world: World
    parties: tuple[Party, Party]
    solos: tuple[Solo, Solo]
    rng: Random

    def hold(self) -> Met:
        """Let them meet everywhere, each time in a copy of its own."""
        one, other = self.parties
        # What people have done before is known to whoever sends something now.
        people_first = sorted({one.name: one, other.name: other}.values(), key=_comes_second)
        self.events = {each.name: each.prepare(self.world) for each in people_first}
        self.secrets = invariants.secrets_of(self.world)
        orders = [(one, other), (other, one)][: 1 if one is other else 2]
        met, in_turn = Met(), _InTurn(self, orders)
        in_turn.hold(len(orders) if IN_EVERY_WAY else 1)
        for first, second in orders:
            for where, how, outcome in in_copy(lambda f=first, s=second: self._interleave(f, s)):
                met.count += 1
                late = (first, second) if how is How.LATE else None
                wrong = [*outcome.wrong, *self._changed_by_nobody(outcome, in_turn, late)]
                met.wrong += [f"{second.name} {where} of {first.name}: {each}" for each in wrong]
        met.count += len(in_turn.kept)
        met.wrong += in_turn.wrong
        return met

    def _changed_by_nobody(
        self, outcome: Outcome, in_turn: "_InTurn", late: tuple[Party, Party] | None
    ) -> Iterator[str]:
        """What people keep is as one of the two left it who came last."""
        if in_turn.has(outcome.kept):
            return
        allowed = list(in_turn.kept)
        if late is not None:
            # The second starts after the jump: a lease or a claim may have ended by then.
            first, second = late
            for number, both in enumerate([(second, first), (first, second)]):
                after_jump = in_copy(
                    lambda both=both, n=number: self.in_turn(both, late=n, jump=first.lasts)
                )
                allowed.append(after_jump.kept)
            if outcome.kept in allowed:
                return
        for refused in outcome.refused:
            # Told so, they have changed nothing: as if the other one were alone.
            (other,) = [one for one in self.parties if one.name != refused] or self.parties[:1]
            allowed.append(in_copy(lambda other=other: self.in_turn((other,))).kept)
        for name, value in outcome.kept.items():
            options = sorted({str(one[name]) for one in allowed})
            if value not in options:
                differences = [_difference(str(value), one) for one in options]
                yield f"{name}: {' or '.join(differences)}"

    # Each of the following runs in a copy of its own.

    def in_turn(
        self, parties: Sequence[Party], *, late: int | None = None, jump: timedelta = timedelta(0)
    ) -> Outcome:
        """What comes of it if one runs after the other.

        :param late: which of them starts after the clock has jumped
        """
        runs = []
        for number, one in enumerate(parties):
            if number == late:
                self.world.time.shift += jump
            runs.append(self.run(one))
        return self._judge(runs)

    def run(self, party: Party) -> Run:
        event = self.events[party.name]
        ended, _ = _run(self.world, party, event)
        return party, event, ended

    def _judge(self, runs: Sequence[Run]) -> Outcome:
        self.world.calls.be_left_alone()
        wrong = [
            f"{party.name} was answered with nothing that helps"
            for party, _, ended in runs
            if ended is Ended.BROKEN
        ]
        try:
            settle(self.world, *runs)
        except NeverDone as never:
            wrong.append(f"never done: {never}")
        kept = invariants.kept_by_people(self.world, self.secrets)
        was_erased = any(party.erases and ended is Ended.DONE for party, _, ended in runs)
        wrong += invariants.violations(self.world, was_erased=was_erased)
        refused = tuple(party.name for party, _, ended in runs if ended is Ended.REFUSED)
        return Outcome(tuple(wrong), kept, refused)

    def _interleave(self, first: Party, second: Party) -> list[tuple[str, How, Outcome]]:
        """Run the first, and let copies of this process meet the second where it is noticed."""
        by_name = dict(zip((one.name for one in self.parties), self.solos, strict=True))
        door = _Door(self, first, second, by_name[first.name], by_name[second.name])
        self.world.calls.before, self.world.calls.after = door.before, door.after
        run = self.run(first)
        if door.copy is not None:
            door.copy.end(lambda: self._judge([run, *door.runs]))
        return door.found


def _difference(text: str, expected: str) -> str:
    """What differs of two JSON documents, so that a person finds it."""
    there, wanted = json.loads(text), json.loads(expected)
    if not (isinstance(there, dict) and isinstance(wanted, dict)):
        return f"{text} instead of {expected}"
    differing = sorted(k for k in there | wanted if there.get(k) != wanted.get(k))
    return ", ".join(f"{k} is {there.get(k)} instead of {wanted.get(k)}" for k in differing)


@dataclass
class _InTurn:
    """What is kept if the two run one after the other, in either order.

    The second order runs if the first one doesn't explain what an interleaving left: that is
    seldom, and it takes as long as an interleaving. ``make interleavings`` runs both.
    """

    meeting: Meeting
    orders: Sequence[tuple[Party, Party]]
    kept: list[invariants.Kept] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def has(self, kept: invariants.Kept) -> bool:
        """Whether one of the orders leaves exactly this."""
        if kept not in self.kept:
            self.hold(len(self.orders))
        return kept in self.kept

    def hold(self, number: int) -> None:
        """Run so many of the orders, if they haven't been."""
        for both in self.orders[len(self.kept) : number]:
            outcome = in_copy(lambda both=both: self.meeting.in_turn(both))
            self.kept.append(outcome.kept)
            self.wrong += [f"{both[0].name} first: {each}" for each in outcome.wrong]


class _Door:
    """Where the second comes in while the first runs."""

    def __init__(
        self, meeting: Meeting, first: Party, second: Party, of_first: Solo, of_second: Solo
    ) -> None:
        self._meeting, self._world = meeting, meeting.world
        self._first, self._second = first, second
        self._calls, self._noticed = of_first.calls, of_second.all
        # After the last call they come one after the other.
        noticed = [n for n, one in enumerate(self._calls[:-1], 1) if meet(one, self._noticed)]
        few = len(noticed) <= MOST_PLACES
        self._places = set(noticed if few else meeting.rng.sample(noticed, MOST_PLACES))
        self.found: list[tuple[str, How, Outcome]] = []
        self.copy: Copy | None = None
        self.runs: list[Run] = []
        self._made = 0
        self._at_last_write: Versions = {}
        self._earlier: Versions | None = None

    def before(self, operation: str, touches: list[Touch]) -> None:
        if self._made and meet(self._world.calls.spoken, self._noticed):
            self._open(f"before call {self._made + 1} ({operation})")
        if self.copy is None and any(one.writes for one in touches):
            self._at_last_write = versions()

    def after(self, operation: str, touches: list[Touch]) -> None:
        self._made += 1
        if any(one.writes for one in touches):
            self._earlier = self._at_last_write
        if self._made in self._places:
            self._open(f"after call {self._made} ({operation})")

    def _open(self, where: str) -> None:
        for how in self._hows():
            copy = Copy()
            if copy.is_here:
                self.copy = copy
                self._come_in(how)
                return
            self.found.append((f"{where}, {how},", how, copy.result()))

    def _hows(self) -> list[How]:
        """Those that can make a difference here."""
        made = [one for call in self._calls[: self._made] for one in call]
        to_come = [one for call in self._calls[self._made :] for one in call]
        hows = [How.PLAINLY, How.LATE]
        if meet([one for one in to_come if one.may_be_stale], self._noticed) or meet(
            [one for one in self._noticed if one.may_be_stale], made
        ):
            hows.append(How.STALE)
        if self._second.fed_by.hands_it_twice:
            hows.append(How.TWICE)
        return hows if IN_EVERY_WAY else [self._meeting.rng.choice(hows)]

    def _come_in(self, how: How) -> None:
        """The second runs to its end; after that the first goes on."""
        calls = self._world.calls
        calls.be_left_alone()
        now = versions() if how is How.STALE else None
        if how is How.LATE:
            self._world.time.shift += self._first.lasts
        calls.stale_from = self._earlier if how is How.STALE else None
        for _ in range(2 if how is How.TWICE else 1):
            self.runs = [self._meeting.run(self._second)]
        calls.stale_from = now
