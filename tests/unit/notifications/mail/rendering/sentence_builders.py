"""Details of orders for tests of sentences."""

from datetime import timedelta
from typing import Any

from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.notice import Audience
from tests.unit.notifications.mail.rendering.mail_builders import (
    NOW,
    InMemory,
)

CUSTOMER, TEAM = Audience.CUSTOMER, Audience.TEAM
FIBRE: dict[str, Any] = {"offer": {"name": "Fibre 1000"}, "reference": "R-1"}
ENERGY: dict[str, Any] = {"service_type": "energy", "offer": {"name": "Smart Energy 24"}}
AT = {"appointment": "2026-03-14T02:00:00Z"}
PAST = {"appointment": "2026-02-14T02:00:00Z"}


def written_after(days: int) -> MailRenderer:
    return MailRenderer(InMemory(), clock=lambda: NOW + timedelta(days=days))
