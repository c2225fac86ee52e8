"""The demo shows every status of every provider, then stops by itself."""

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.sandboxes import BadSettings, Sandboxes, load_connections
from local.sandboxes.__main__ import read_options
from local.sandboxes.account import Account
from local.sandboxes.demo import Demo
from local.sandboxes.demo_scenarios import SCENARIOS
from local.sandboxes.invented_customers import make_malo
from local.sandboxes.json_format import Json

STATUS_OF: dict[str, Callable[[Json], list[str]]] = {
    "offergrid": lambda order: [item["status"] for item in order["items"]],
    "rabot": lambda order: [order["state"]],
    "subs": lambda order: [order["milestone"]],
    "spirii": lambda order: [order["status"]],
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["offergrid-home", "rabot-energy", "subs-grid", "spirii-charge"])
def test_every_status_appears_and_the_demo_ends(
    sandboxes: Sandboxes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = sandboxes.accounts[name]
    provider = account.connection.provider
    seen: set[str] = set()

    def watch(target: Account, method: str) -> None:
        act = getattr(target, method)

        def watched(*args: object) -> Json:
            order: Json = act(*args)
            seen.update(STATUS_OF[provider](order))
            return order

        monkeypatch.setattr(target, method, watched)

    watch(account, "create_order")
    watch(account, "move_order")
    orders = len(SCENARIOS[provider])
    demo = Demo(account=account, orders=orders, seconds=0.5, seed=3)
    demo.start()
    assert demo.wait(10)
    assert seen == set(account.statuses)
    assert demo.describe()["done"] == demo.describe()["moves"] > 0
    assert len(account.ledger) == orders


def test_a_stopped_demo_moves_nothing_more(sandboxes: Sandboxes) -> None:
    account = sandboxes.accounts["offergrid-home"]
    demo = Demo(account=account, orders=8, seconds=600, seed=3)
    demo.start()
    demo.stop()
    assert demo.wait(60)
    assert demo.describe() == {"running": False, "moves": demo.describe()["moves"], "done": 0}


def test_an_order_that_a_person_ended_does_not_go_on(sandboxes: Sandboxes) -> None:
    account = sandboxes.accounts["spirii-charge"]
    demo = Demo(account=account, orders=len(SCENARIOS["spirii"]), seconds=0.5, seed=3)
    with account.lock:
        demo.start()
        placed = statuses_in(account)
        account.actions += [{"action": "cancel", "order": id} for id in placed]
    assert demo.wait(10)
    assert statuses_in(account) == placed


def statuses_in(account: Account) -> dict[str, str]:
    return {str(one["id"]): one["status"] for one in account.ledger.newest(offset=0, limit=100)}


def test_made_up_malo_numbers_have_their_check_digit() -> None:
    for seed in range(200):
        malo = make_malo(random.Random(seed))
        digits = [int(c) for c in malo]
        total = sum(digits[0:10:2]) + 2 * sum(digits[1:10:2])
        assert re.fullmatch(r"[1-9]\d{10}", malo)
        assert (total + digits[10]) % 10 == 0


@pytest.mark.thorough
def test_ten_thousand_orders_are_walked_in_seconds(sandboxes: Sandboxes) -> None:
    account = sandboxes.accounts["spirii-charge"]
    for _ in range(10_000):
        account.create_order({"at": "2026-03-01T09:00:00Z"})
    started = time.monotonic()
    places, place = 0, ("", "")
    while found := account.ledger.changed_after(since="", after=place, limit=100):
        places, place = places + len(found), found[-1]
    assert places == 10_000
    assert time.monotonic() - started < 2


def test_the_command_says_where_it_serves_and_ends_when_told(tmp_path: Path) -> None:
    config = {"connections": [{"id": "og", "provider": "offergrid"}]}
    (tmp_path / "c.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "local.sandboxes", "--config", str(tmp_path / "c.json")]
    process = subprocess.Popen(
        [*command, "--state-dir", str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process.stdout as stdout:
        ready = json.loads(stdout.readline())
        process.terminate()
        assert process.wait(10) == 0
    assert ready["connections"]["og"]["sandbox_url"].endswith("/og")
    assert json.loads((tmp_path / "sandboxes.json").read_text()) == ready
    assert (tmp_path / "sandboxes.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", ["{", "{}", '{"connections": [{"id": "a", "provider": "acme"}]}']
)
def test_a_configuration_that_cannot_be_used_says_why(tmp_path: Path, content: str) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(BadSettings, match=r"c\.json|connection a"):
        load_connections(tmp_path / "c.json")


@pytest.mark.parametrize("provider", list(SCENARIOS))
def test_the_demo_has_enough_orders_for_every_story(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["sandboxes"])
    assert read_options().orders >= len(SCENARIOS[provider])
