"""A team that exports lists, and the jobs that create the files."""

import csv
import io
import json
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import pytest

from milepost.common.status import Status
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import record
from tests.builders import KEY, NOON, OFFERGRID, RABOT, RULES, report
from tests.integration.operator_requests import http_event
from tests.stack import Context, Stack, aws

IDS = [replace(KEY, order_id=f"ord_{number}") for number in range(5)]
OTHER = replace(KEY, connection=RABOT.id, order_id="elsewhere")


@dataclass
class Jobs:
    """Implements ``start.Jobs``."""

    started: list[str] = field(default_factory=list)

    def start(self, export_id: str) -> None:
        self.started.append(export_id)


@dataclass
class Team:
    """The API, the job, and the caller."""

    stack: Stack
    api: ModuleType
    runner: ModuleType
    jobs: Jobs

    def ask(self, method: str, path: str, body: Any = None, *, role: str = "viewer") -> Any:
        path, _, said = path.partition("?")
        event = http_event(method, path, body, role=role, query=dict(parse_qsl(said)))
        answer = self.api.handler(event, Context())
        return answer["statusCode"], json.loads(answer["body"])

    def make(self, *, role: str = "viewer", **asked: Any) -> str:
        status, export = self.ask("POST", "/exports", {"list": "orders"} | asked, role=role)
        assert status == 202, export
        assert export["state"] == "waiting"
        return str(export["id"])

    def run(self, export: str, *, milliseconds: int = 900_000) -> str:
        said = self.runner.handler({"export": export}, Context(milliseconds=milliseconds))
        return str(said["state"])

    def show(self, export: str, *, role: str = "viewer") -> Any:
        status, shown = self.ask("GET", f"/exports/{export}", role=role)
        assert status == 200, shown
        return shown

    def text(self, export: str) -> str:
        [file] = [
            body
            for key, body in self.stack.objects("ExportsBucket").items()
            if key.startswith(f"exports/{export}.")
        ]
        return file.decode()

    def rows(self, export: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.text(export), newline="")))

    def listed(self) -> list[str]:
        """The ids in the list, in its order."""
        return [one["id"] for one in self.ask("GET", "/orders?limit=100")[1]["orders"]]


def keep(stack: Stack, key: OrderKey, status: Status, customer: Any = None) -> None:
    connection = OFFERGRID if key.connection == OFFERGRID.id else RABOT
    about = {"customer": customer} if customer else {}
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=connection
    )
    record(report(status, key=key, **about), orders=table, rules=RULES, now=NOON)


def open_team(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A team with five orders of one connection and one of another, whose jobs are recorded."""
    for number, key in enumerate(IDS):
        keep(stack, key, Status.ACCEPTED if number % 2 else Status.SUBMITTED)
    keep(stack, OTHER, Status.ACCEPTED)
    api, jobs = stack.load("orders_api"), Jobs()
    desk = replace(api.services.open_exports(), jobs=jobs)
    services = replace(api.services, open_exports=lambda: desk)
    monkeypatch.setattr(api, "api", replace(api.api, services=services))
    return Team(stack, api, stack.load("make_exports"), jobs)
