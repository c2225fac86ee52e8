"""A deployed local stack with a day's orders, a browser, and signed-in users.

Playwright has an environment of its own, which ``make test-browser`` names. Without it nothing here
is collected.
"""

import json
import os
import shutil
import site
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.files import Places
from local.stack import Stack, running_stack
from tests.e2e.conftest import Client
from tests.e2e.waiting import wait_for

TOOL = os.environ.get("MILEPOST_PLAYWRIGHT")
"""The environment that has Playwright and axe."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

collect_ignore_glob: list[str] = []
if TOOL:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site.addsitedir(str(Path(TOOL) / "lib" / version / "site-packages"))
else:
    collect_ignore_glob.append("test_*.py")

if TYPE_CHECKING or TOOL:
    from playwright.sync_api import Browser, sync_playwright

    from tests.browser.person import Person, sign_in

_ORDERS = {
    "offergrid-home": 13,
    "offergrid-business": 3,
    "rabot-energy": 10,
    "subs-grid": 7,
    "spirii-charge": 10,
}
"""How many orders lead the demo's lives before the tests begin, by connection."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running stack that MILEPOST_STACK_FILE names, or a new one."""
    if named := os.environ.get("MILEPOST_STACK_FILE"):
        yield Stack(**json.loads(Path(named).read_text()))
        return
    with running_stack(places=Places(tmp_path_factory.mktemp("stack"))) as started:
        yield started


@pytest.fixture(scope="session")
def client(stack: Stack) -> Client:
    """The controls of the sandboxes, after a day's orders have arrived from them."""
    made = Client(stack)
    for connection, number in _ORDERS.items():
        made.steer(connection, "demo", {"orders": number, "seconds": 4, "seed": 7})
    for connection in _ORDERS:
        wait_for(
            lambda name=connection: not made.steer(name, "demo", method="GET")["running"],
            what=f"the orders of {connection}",
        )
        made.poll(connection)
    # Signed, and no order of Offergrid's: it goes to the quarantine.
    made.send("offergrid-home", {"event": "order.status_changed", "orderId": made.new_id()})
    return made


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that containers often lack; all pages are ours.
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def enter(browser: "Browser", stack: Stack) -> Iterator[Callable[..., "Person"]]:
    """A user with a browser of their own. At the end, no page may have reported a problem."""
    people: list[Person] = []

    def come(**options: object) -> Person:
        people.append(Person.at(browser, stack, **options))
        return people[-1]

    yield come
    for one in people:
        one.page.context.close()
    assert [said for one in people for said in one.complaints] == []


@pytest.fixture(scope="session")
def sessions(browser: "Browser", stack: Stack) -> Callable[[str], object]:
    """The browser state of a session, by role; each role signs in once."""
    kept: dict[str, object] = {}

    def session_of(role: str) -> object:
        if role not in kept:
            person = Person.at(browser, stack)
            sign_in(person, role)
            kept[role] = person.page.context.storage_state()
            person.page.context.close()
        return kept[role]

    return session_of


@pytest.fixture
def viewer(
    client: Client, enter: Callable[..., "Person"], sessions: Callable[[str], object]
) -> "Person":
    return enter(storage_state=sessions("viewer"))


@pytest.fixture
def operator(
    client: Client, enter: Callable[..., "Person"], sessions: Callable[[str], object]
) -> "Person":
    return enter(storage_state=sessions("operator"))
