"""The tables of figures and search, and the histories of orders."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from milepost.common.status import Status
from milepost.orders.order import OrderKey
from milepost.orders.report import Report
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.projector import MeasuredOrders
from milepost.queries.aws.search import SearchTable
from milepost.queries.stage_durations import Change
from tests.builders import KEY, OFFERGRID, RABOT, RULES, report
from tests.stack import create_table
from tests.stream import Stream

OTHER = OrderKey(RABOT.id, "V-1009417", "V-1009417")
BOTH = (OFFERGRID.id, RABOT.id)
EMAIL = "lena.hoffmann@example.de"
LENA = {"name": "Lena", "email": EMAIL}
DAY = 60 * 24


@dataclass
class Tables:
    """Both tables, empty, and the services that use them."""

    client: Any
    figures_name: str
    search_name: str
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.measured = self.measurer(self.client)
        self.figures = FiguresTable(self.client, table_name=self.figures_name)
        self.search = SearchTable(self.client, table_name=self.search_name)

    def measurer(self, client: Any) -> MeasuredOrders:
        return MeasuredOrders(
            client,
            figures_table=self.figures_name,
            search_table=self.search_name,
            wait=self.waits.append,
        )

    def texts(self) -> str:
        """All stored items, as one text."""
        return "".join(map(self.text_of, self.names))

    def text_of(self, table: str) -> str:
        """All items of a table."""
        return str(self.client.scan(TableName=table)["Items"])

    @property
    def names(self) -> tuple[str, str]:
        return self.figures_name, self.search_name


def make_tables(client: Any) -> Tables:
    suffix = uuid4().hex[:8]
    names = [
        create_table(client, name, name=f"{name}-{suffix}")
        for name in ("FiguresTable", "SearchTable")
    ]
    return Tables(client, *names)


def life(*reports: Report) -> list[Change]:
    stream = Stream(RULES)
    for one in reports:
        stream.report(one)
    return stream.changes


def ordinary_life(key: OrderKey = KEY, **details: Any) -> list[Change]:
    steps = (Status.PENDING, Status.ACCEPTED, Status.SCHEDULED, Status.COMPLETED)
    return life(
        *(
            report(step, place * 3 * DAY, key=key, service_type="internet", **details)
            for place, step in enumerate(steps)
        )
    )
