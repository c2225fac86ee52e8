"""How long a test webhook is looked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from milepost.quarantine.replay import KeptId
from milepost.webhooks.send_test import WebhookTest
from tests.builders import NOON


@dataclass
class SlowQuarantine:
    """Has nothing, and takes its time to say so."""

    seconds_a_look: float
    now: datetime = NOON

    def has(self, _: KeptId) -> bool:
        self.now += timedelta(seconds=self.seconds_a_look)
        return False

    def remove(self, _: KeptId) -> None:
        raise AssertionError


class Accepting:
    def post(self, *_: object, **__: object) -> int:
        return 202


@pytest.mark.parametrize("seconds_a_look", [0.01, 0.4, 3])
def test_it_is_looked_for_as_long_as_was_asked_however_long_a_look_takes(
    seconds_a_look: float,
) -> None:
    kept = SlowQuarantine(seconds_a_look)

    def pause(seconds: float) -> None:
        kept.now += timedelta(seconds=seconds)

    test = WebhookTest(sender=Accepting(), kept=kept, clock=lambda: kept.now, pause=pause)
    outcome = test.run("one", url="https://x", headers=lambda *_, **__: {}, patience=10)
    assert outcome.arrived is False
    last_look = timedelta(seconds=3 * seconds_a_look + 0.5)
    assert timedelta(seconds=10) <= kept.now - NOON <= timedelta(seconds=10) + last_look
