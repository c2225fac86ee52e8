"""Mails to the team say when the order will probably be completed; customers' mails don't."""

import pytest

from milepost.common.status import Status
from milepost.forecasts.aws.recent_tables import KEEP_SECONDS, RecentTables
from milepost.forecasts.durations_by_age import AGES, Group, What
from milepost.forecasts.survival import Points
from milepost.forecasts.table import ForecastTable
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.notice import Audience
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind
from tests.builders import OFFERGRID
from tests.unit.notifications.mail.rendering.mail_builders import NOW, InMemory, told

DAY = 86_400.0


class Tables:
    def __init__(self, *, high: float | None = 9 * DAY) -> None:
        self.reads = 0
        self.points = Points(412, 3 * DAY, 5 * DAY, high, 0.9)

    def read(self, connection_id: str) -> ForecastTable:
        self.reads += 1
        groups = [Group("accepted", "", connection_id)]
        return ForecastTable(
            made_at="",
            points_by_key={
                (What.END, group, place): self.points
                for group in groups
                for place in range(len(AGES))
            },
        )


def text(
    *, language: str = "en", audience: Audience = Audience.TEAM, high: float | None = 9 * DAY
) -> str:
    notice, tracked = told(Kind.ACCEPTED, Status.ACCEPTED, audience=audience, language=language)
    writes = MailRenderer(InMemory(), clock=lambda: NOW, forecasts=Tables(high=high))
    return " ".join(writes.render(notice, tracked).text.split())


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "usually complete between Thu, 5 Mar and Wed, 11 Mar, most likely Sat, 7 Mar; "
            "from 412 orders",
        ),
        ("de", "meist fertig zwischen"),
        ("da", "som regel færdig mellem"),
    ],
)
def test_the_team_reads_the_interval_in_its_language(language: str, said: str) -> None:
    assert said in text(language=language)


def test_without_an_upper_date_the_mail_says_so() -> None:
    assert "after Thu, 5 Mar, most likely Sat, 7 Mar, no upper date known" in text(high=None)


def test_customers_are_promised_nothing() -> None:
    assert "412" not in text(audience=Audience.CUSTOMER)


def test_a_closed_order_has_no_forecast_and_reads_none() -> None:
    tables = Tables()
    notice, tracked = told(Kind.COMPLETED, Status.COMPLETED)
    MailRenderer(InMemory(), clock=lambda: NOW, forecasts=tables).render(notice, tracked)
    assert tables.reads == 0


def test_a_table_is_read_once_in_a_while_for_many_mails() -> None:
    tables, now = Tables(), [0.0]
    recent = RecentTables(tables, clock=lambda: now[0])
    for now[0] in (0.0, 1.0, KEEP_SECONDS - 1):
        recent.read(OFFERGRID.id)
    assert tables.reads == 1
    now[0] = KEEP_SECONDS
    recent.read(OFFERGRID.id)
    assert tables.reads == 2


def digest_text(*, language: str = "en", audience: Audience = Audience.TEAM) -> str:
    """A digest of an open order and a completed one."""
    lines = [
        told(kind, status, audience=audience, language=language)
        for kind, status in (
            (Kind.ACCEPTED, Status.ACCEPTED),
            (Kind.COMPLETED, Status.COMPLETED),
        )
    ]
    writes = MailRenderer(InMemory(), clock=lambda: NOW, forecasts=Tables())
    mail = writes.render_batch(lines, time_zone="Europe/Berlin", reason=DigestReason.HOURLY)
    return " ".join(mail.text.split())


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "· usually complete between Thu, 5 Mar and Wed, 11 Mar, most likely Sat, 7 Mar;"),
        ("de", "· meist fertig zwischen"),
        ("da", "· som regel færdig mellem"),
    ],
)
def test_a_digest_for_the_team_has_the_forecast_of_open_orders(language: str, said: str) -> None:
    assert digest_text(language=language).count(said) == 1


def test_a_digest_for_a_customer_promises_nothing() -> None:
    assert "412" not in digest_text(audience=Audience.CUSTOMER)
