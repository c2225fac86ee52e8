"""The API on fakes, and a caller that uses it through an HTTP API's events."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest.mock import create_autospec
from urllib.parse import quote, urlencode

import pytest
from aws_lambda_powertools import Logger

from milepost.actions.batch_plan import BatchPlanner
from milepost.actions.refresh import ActionContext
from milepost.api.app import Api, build_api
from milepost.api.dependencies import Services
from milepost.common.status import Status
from milepost.connections.aws.settings import Unusable
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.exports.start import ExportDesk
from milepost.forecasts.scorecard import Scorecard
from milepost.forecasts.table import ForecastTable
from milepost.notifications.eligibility_facts import Judge
from milepost.notifications.notice import NoticeId
from milepost.notifications.notice_list import NoticePage, NoticePlace, WantedNotices
from milepost.notifications.resend import Resender
from milepost.operations.services import Operations
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.queries.cause_figures import AcceptanceFigures, OutcomeKey
from milepost.queries.histogram import StageFigures
from milepost.queries.order_finder import FoundOrders
from milepost.queries.order_list import Listed, Page, Place, Wanted
from milepost.tracking_page.link import TrackingLinks
from tests.builders import NOON, OFFERGRID, RABOT
from tests.fakes.notifications import (
    MemoryNotices,
    MemoryOutbox,
    MemorySubscriptions,
    MemorySuppressions,
)
from tests.fakes.orders import MemoryOrders
from tests.fakes.requests import MemoryActivity, MemoryRequests, MemoryViews
from tests.unit.tracking_page.fake_tracking import Versions

KEY = b"a key that signs cursors"


@dataclass
class Orders(MemoryOrders):
    def read_group(self, connection_id: str, order_id: str) -> list[TrackedOrder]:
        found = [k for k in self.kept if (k.connection, k.order_id) == (connection_id, order_id)]
        return [self.kept[key] for key in sorted(found)]

    def keep(self, *orders: TrackedOrder) -> None:
        self.kept |= {one.order.key: one for one in orders}


@dataclass
class Notices(MemoryNotices):
    def of_order(self, key: OrderKey) -> list[Mapping[str, Any]]:
        of_it = (key.connection, key.order_id)
        ids = {id: NoticeId.parse(id).key for id in self.items}
        return [self.items[id] for id, k in ids.items() if (k.connection, k.order_id) == of_it]


@dataclass
class Lists:
    """Returns one page, and records the request."""

    orders: list[Listed] = field(default_factory=list)
    last: Place | None = None
    asked: list[tuple[Wanted, Place | None, int]] = field(default_factory=list)

    def page(
        self, wanted: Wanted, *, zones: Mapping[str, str], after: Place | None, limit: int
    ) -> Page:
        self.asked.append((wanted, after, limit))
        return Page(self.orders, self.last)

    def first_pages(
        self, wanted: Sequence[Wanted], *, zones: Mapping[str, str], limit: int
    ) -> list[Page]:
        return [self.page(one, zones=zones, after=None, limit=limit) for one in wanted]

    def read_facts(self, orders: Sequence[Listed]) -> Sequence[Listed]:
        return orders

    def look_up(self, keys: Sequence[OrderKey]) -> list[Listed]:
        return [one for one in self.orders if one.key in keys]


@dataclass
class NoticeLists:
    """Returns one page, and records the request."""

    entries: list[Mapping[str, Any]] = field(default_factory=list)
    last: NoticePlace | None = None
    asked: list[tuple[WantedNotices, NoticePlace | None, int]] = field(default_factory=list)

    def page(self, wanted: WantedNotices, *, after: NoticePlace | None, limit: int) -> NoticePage:
        self.asked.append((wanted, after, limit))
        return NoticePage(self.entries, self.last)


@dataclass
class Search:
    by_reference: dict[str, list[OrderKey]] = field(default_factory=dict)
    by_email: dict[str, list[OrderKey]] = field(default_factory=dict)
    by_customer: dict[str, list[OrderKey]] = field(default_factory=dict)
    by_words: list[OrderKey] = field(default_factory=list)

    def find_by_words(self, readings: Sequence[Any], *, connections: Iterable[str]) -> FoundOrders:
        names = set(connections)
        return FoundOrders([key for key in self.by_words if key.connection in names], more=False)

    def find_by_reference(self, text: str, *, connections: Iterable[str]) -> list[OrderKey]:
        return [key for key in self.by_reference.get(text, []) if key.connection in connections]

    def find_by_email(self, email: str) -> list[OrderKey]:
        return self.by_email.get(email, [])

    def orders_of_customer(self, customer_id: str) -> list[OrderKey]:
        return self.by_customer.get(customer_id, [])


@dataclass
class Figures:
    kept: dict[str, dict[Status, int]] = field(default_factory=dict)
    took: list[StageFigures] = field(default_factory=list)
    told_apart: list[StageFigures] = field(default_factory=list)
    ended: dict[OutcomeKey, int] = field(default_factory=dict)
    accepted: list[AcceptanceFigures] = field(default_factory=list)
    months: list[str] = field(default_factory=list)

    def counts(self, connection_ids: Iterable[str]) -> dict[str, dict[Status, int]]:
        return {name: self.kept.get(name, {}) for name in connection_ids}

    def stages(self, connection_ids: Iterable[str], *, months: Iterable[str]) -> list[StageFigures]:
        self.months = list(months)
        return [one for one in self.took if one.connection in set(connection_ids)]

    def stages_by_raw_status(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> list[StageFigures]:
        self.months = list(months)
        # A status with one raw status is counted once, under both.
        rows = self.told_apart or self.took
        return [one for one in rows if one.connection in set(connection_ids)]

    def outcomes(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> dict[OutcomeKey, int]:
        names = set(connection_ids)
        return {one: n for one, n in self.ended.items() if one.connection in names}

    def acceptances(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> list[AcceptanceFigures]:
        return [one for one in self.accepted if one.connection in set(connection_ids)]


@dataclass
class Forecasts:
    tables: dict[str, ForecastTable] = field(default_factory=dict)
    cards: tuple[list[Scorecard], list[Scorecard]] = field(default_factory=lambda: ([], []))

    def scorecards(self) -> tuple[list[Scorecard], list[Scorecard]]:
        return self.cards

    def read(self, connection_id: str) -> ForecastTable | None:
        return self.tables.get(connection_id)

    def read_all(self, connection_ids: Iterable[str]) -> dict[str, ForecastTable]:
        return {one: self.tables[one] for one in connection_ids if one in self.tables}


@dataclass
class Connections:
    known: dict[str, Connection]
    bad: dict[str, Unusable] = field(default_factory=dict)

    def get(self, connection_id: str) -> Connection:
        if connection_id in self.bad:
            raise UnusableConnection(self.bad[connection_id].why)
        if connection_id not in self.known:
            raise UnknownConnection(f"no connection {connection_id!r} is applied")
        return self.known[connection_id]

    def all(self) -> Mapping[str, Connection]:
        return self.known

    def unusable(self) -> Mapping[str, Unusable]:
        return self.bad


class NoActions:
    """For requests that don't need a provider."""

    def for_order(self, key: OrderKey) -> ActionContext:
        raise UnknownConnection(f"no connection {key.connection!r} is applied")

    def forget_credentials(self) -> None:
        """There are no entries."""


class OneKey:
    def keys(self) -> Sequence[bytes]:
        return (KEY,)


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Desk:
    """All services of the API, and the API."""

    orders: Orders = field(default_factory=Orders)
    notices: Notices = field(default_factory=Notices)
    notice_lists: NoticeLists = field(default_factory=NoticeLists)
    emails: MemoryOutbox = field(default_factory=MemoryOutbox)
    endpoints: MemoryOutbox = field(default_factory=MemoryOutbox)
    requests: MemoryRequests = field(default_factory=MemoryRequests)
    suppressions: MemorySuppressions = field(default_factory=MemorySuppressions)
    lists: Lists = field(default_factory=Lists)
    search: Search = field(default_factory=Search)
    figures: Figures = field(default_factory=Figures)
    forecasts: Forecasts = field(default_factory=Forecasts)
    connections: Connections = field(
        default_factory=lambda: Connections({one.id: one for one in (OFFERGRID, RABOT)})
    )
    views: MemoryViews = field(default_factory=MemoryViews)
    activity: MemoryActivity = field(default_factory=MemoryActivity)
    link_versions: Versions = field(default_factory=Versions)
    now: datetime = NOON
    is_down: bool = False
    failures: int = 0

    def __post_init__(self) -> None:
        operations = create_autospec(Operations, instance=True)
        self.api: Api = build_api(
            Services(
                orders=self.orders,
                notices=self.notices,
                notice_lists=self.notice_lists,
                lists=self.lists,
                search=self.search,
                figures=self.figures,
                forecasts=self.forecasts,
                connections=self.connections,
                cursor_keys=OneKey(),
                requests=self.requests,
                activity=self.activity,
                views=self.views,
                open_resender=lambda: Resender(
                    log=self.notices,
                    judge=Judge(
                        suppressions=self.suppressions,
                        subscriptions=MemorySubscriptions(),
                        orders=self.orders,
                        connections=self.connections,
                    ),
                    requests=self.requests,
                    emails=self.emails,
                    endpoints=self.endpoints,
                ),
                open_acting=NoActions,
                # Its routes are tested on moto, in tests/integration.
                open_operations=lambda: operations,
                open_batches=lambda: create_autospec(BatchPlanner, instance=True),
                open_exports=lambda: create_autospec(ExportDesk, instance=True),
                open_tracking_links=lambda: TrackingLinks(
                    keys=OneKey(), versions=self.link_versions
                ),
                clock=lambda: self.now,
                public_url=lambda: "https://orders.example.org",
            ),
            log=Logger("test-api"),
            is_outage=lambda _error: self.is_down,
            failed=self._count_failure,
        )

    def _count_failure(self) -> None:
        self.failures += 1

    def ask(
        self,
        method: str,
        path: str,
        *,
        role: str = "viewer",
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
    ) -> Answer:
        event = http_event(method, path, role=role, query=query)
        if key is not None:
            event["headers"] = {**event["headers"], "idempotency-key": key}
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        return read_answer(self.api.answer(event, None))


def http_event(
    method: str, path: str, *, role: str = "viewer", query: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The event of an HTTP API, with the given parts."""
    pairs = {name: value for name, value in (query or {}).items() if value is not None}
    joined = {n: ",".join(v) if isinstance(v, list) else str(v) for n, v in pairs.items()}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": urlencode(pairs, doseq=True),
        "queryStringParameters": joined,
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "requestId": "req-1",
            "stage": "$default",
            "http": {"method": method, "path": path},
            "authorizer": {"jwt": {"claims": claims(f"[{role}]")}},
        },
        "isBase64Encoded": False,
    }


def claims(groups: Any) -> dict[str, Any]:
    return {"sub": "5f0c-sub", "username": "lena", "cognito:groups": groups}


def read_answer(answer: Mapping[str, Any]) -> Answer:
    headers = {name.lower(): value for name, value in answer.get("headers", {}).items()}
    body = answer.get("body")
    return Answer(answer["statusCode"], headers, json.loads(body) if body else None)


def in_path(text: str) -> str:
    """An id in the form of an HTTP API: every escape is decoded, except that of the percent
    sign.
    """
    return text.replace("%", "%25") if "%" in quote(text) else text


@pytest.fixture
def desk() -> Desk:
    return Desk()
