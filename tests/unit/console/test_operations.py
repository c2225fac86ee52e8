"""The pages about the quarantine and about dead letters."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from milepost.console.pages.operations import ABOUT
from milepost.operations.dead_letters import DeadLetter, DeadLetterQueue
from milepost.orders.report import Source
from milepost.quarantine.replay import Kept, KeptId, NotKept, Replay
from tests.builders import NOON
from tests.template import RESOURCES
from tests.unit.console.conftest import Browser

KEPT = KeptId("offergrid-home", "2026-03-02", "a" * 32)
ADDRESS = "/console/operations"


@dataclass
class Letters:
    kept: list[DeadLetter]

    def count(self) -> int:
        return len(self.kept)

    def walk(self, *, most: int, whole: bool = False) -> Generator[DeadLetter, None, None]:
        yield from self.kept[:most]

    def remove(self, letter: DeadLetter) -> None:
        self.kept.remove(letter)


@dataclass
class Way:
    taken_up: list[str] = field(default_factory=list)

    def content(self, letter: DeadLetter) -> Any:
        return {"body": letter.body}

    def take_up(self, letter: DeadLetter) -> None:
        self.taken_up.append(letter.id)

    def forget(self, letter: DeadLetter) -> None:
        """Nothing is kept elsewhere."""


@dataclass
class Quarantine:
    bodies: dict[KeptId, bytes]

    def get(self, kept_id: KeptId) -> tuple[Kept, bytes]:
        if kept_id not in self.bodies:
            raise NotKept("it is not there")
        body = self.bodies[kept_id]
        one = Kept(
            id=kept_id, source=Source.WEBHOOK, reason="no id", received_at=NOON, size=len(body)
        )
        return one, body

    def walk(self, **_how: Any) -> Iterator[Kept]:
        for one in self.bodies:
            yield self.get(one)[0]

    def remove(self, kept_id: KeptId) -> None:
        del self.bodies[kept_id]


@dataclass
class Inbox:
    put: list[tuple[KeptId, bool]] = field(default_factory=list)

    def put_back(self, kept: Kept, body: bytes, *, announce: bool, now: Any) -> None:
        self.put.append((kept.id, announce))


@dataclass
class Behind:
    letters: Letters
    way: Way
    quarantine: Quarantine
    inbox: Inbox


@pytest.fixture
def behind(browser: Browser) -> Behind:
    """What stands behind the pages: one queue with three letters, one thing in the quarantine."""
    letters = Letters([DeadLetter(id=f"m-{n}", body="<b>", sent_at=NOON) for n in range(3)])
    made = Behind(letters, Way(), Quarantine({KEPT: b'{"a":"<script>"}'}), Inbox())
    queue = DeadLetterQueue(name="email", letters=letters, way=made.way)
    operations: Any = browser.desk.api.services.operations
    operations.dead_letters = [queue]
    operations.dead_letter_queue.side_effect = {"email": queue}.get
    operations.quarantine = made.quarantine
    operations.replay = Replay(quarantine=made.quarantine, inbox=made.inbox)
    return made


def test_a_viewer_sees_that_something_waits_and_no_bodies(browser: Browser, behind: Behind) -> None:
    browser.sign_in("viewer")
    shown = browser.get(ADDRESS).text
    assert ">3</span>" in shown
    assert "/console/operations/dead-letters/" not in shown
    assert browser.get(f"{ADDRESS}/dead-letters/email").status == 403
    listed = browser.get(f"{ADDRESS}/quarantine").text
    assert "no id" in listed
    assert "Reprocess" not in listed
    assert browser.get(f"{ADDRESS}/quarantine/{KEPT.path_id}").status == 403


def test_an_operator_reads_a_body_as_text_and_reprocesses_it(
    browser: Browser, behind: Behind
) -> None:
    browser.sign_in("operator")
    address = f"{ADDRESS}/quarantine/{KEPT.path_id}"
    page = browser.get(address)
    assert "&lt;script&gt;" in page.text
    assert browser.post(f"{address}/replay", csrf=page.token, announce="yes").status == 303
    assert behind.inbox.put == [(KEPT, True)]
    assert browser.post(f"{address}/discard", csrf=page.token).status == 303
    assert browser.get(address).status == 404


def test_a_whole_connection_is_reprocessed(browser: Browser, behind: Behind) -> None:
    browser.sign_in("operator")
    token = browser.get(f"{ADDRESS}/quarantine").token
    for form, status in (({}, 422), ({"connection": "offergrid-home"}, 303)):
        assert browser.post(f"{ADDRESS}/quarantine/replay", csrf=token, **form).status == status
    assert behind.inbox.put == [(KEPT, False)]


def test_the_selected_letters_are_redriven_or_discarded_and_the_others_stay(
    browser: Browser, behind: Behind
) -> None:
    browser.sign_in("operator")
    address = f"{ADDRESS}/dead-letters/email"
    token = browser.get(address).token
    assert browser.post(f"{address}/redrive", csrf=token).status == 422
    assert browser.post(f"{address}/redrive", csrf=token, message=["m-1"]).status == 303
    assert behind.way.taken_up == ["m-1"]
    assert browser.post(f"{address}/discard", csrf=token, message=["m-0"]).status == 303
    assert [one.id for one in behind.letters.kept] == ["m-2"]
    assert browser.post(f"{address}/redrive", csrf=token, all="yes").status == 303
    assert not behind.letters.kept
    kinds = sorted(one.kind for one in browser.desk.activity.entries.values())
    assert kinds == ["discard_dead_letter", "redrive_dead_letters", "redrive_dead_letters"]


def test_today_says_whether_anything_waits(browser: Browser, behind: Behind) -> None:
    browser.sign_in("viewer")
    assert browser.get("/console").text.count('hx-trigger="load"') == 2
    as_part = {"hx-request": "true"}
    letters = browser.get(ADDRESS, **as_part).text
    assert "3 dead letters</a>: messages that failed every retry" in letters
    assert "offergrid-home" in browser.get(f"{ADDRESS}/quarantine", **as_part).text
    behind.letters.kept.clear()
    behind.quarantine.bodies.clear()
    assert "No <a" in browser.get(ADDRESS, **as_part).text
    assert "is empty" in browser.get(f"{ADDRESS}/quarantine", **as_part).text


def test_a_quarantine_that_cannot_be_read_is_said_on_today(
    browser: Browser, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_how: Any) -> Iterator[Kept]:
        raise RuntimeError("gone")

    browser.sign_in("viewer")
    monkeypatch.setattr(behind.quarantine, "walk", fail)
    part = browser.get(f"{ADDRESS}/quarantine", **{"hx-request": "true"})
    assert part.status == 200
    assert "The quarantine can't be shown now" in part.text


def test_every_queue_that_is_listed_has_a_text() -> None:
    named = RESOURCES["ConsoleFunction"]["Properties"]["Environment"]["Variables"]["DEAD_LETTERS"]
    queues = {pair.partition("=")[0] for pair in named["Sub"].split()}
    # Its messages are positions in a stream: they are counted by `status` and can't be redriven.
    assert ABOUT.keys() == queues - {"measure"}
