"""The console's list of orders: many at once, saved views, and a file of the list."""

import csv
import io
import json
import re
from dataclasses import replace
from html import unescape

import pytest

from milepost.common.status import Status
from milepost.console.pages import orders as orders_page
from milepost.exports.aws.job import ExportJobs
from milepost.notifications.notice import NoticeId
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import record
from tests.batches import sqs_batch
from tests.builders import KEY, NOON, OFFERGRID, RULES, notice, report
from tests.integration.api_requests import a_mail
from tests.integration.console_browser import OperatorsBrowser, open_console
from tests.stack import Context, Stack, aws

KEYS = [replace(KEY, order_id=f"ord_{number}") for number in range(3)]
IDS = [key.path_id for key in KEYS]


@pytest.fixture
def browser(stack: Stack) -> OperatorsBrowser:
    """Three orders are there."""
    stack.apply(OFFERGRID)
    for key in KEYS:
        put(stack, key)
    return open_console(stack)


def put(stack: Stack, key: OrderKey, minutes: int = 0, **details: object) -> None:
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    said = report(Status.ACCEPTED, minutes, key=key, reference=f"R-{key.order_id}", **details)
    record(said, orders=table, rules=RULES, now=NOON)


def run_batch(stack: Stack) -> None:
    [message] = stack.messages("BatchQueue")
    stack.load("run_batches").handler(sqs_batch([json.dumps(message)]), Context())


def test_a_note_stands_on_every_selected_order(stack: Stack, browser: OperatorsBrowser) -> None:
    listed = browser.get("/console/orders")
    assert all(f'name="order" value="{one}"' in listed.text for one in IDS)

    asked = browser.post("/console/batches", action="note", which="selected", order=IDS[:2])
    assert asked.status == 200
    assert "2 selected orders" in asked.text
    said = {"action": "note", "order": [*IDS[:2], "offergrid-main:none:none"]}
    planned = browser.post("/console/batches", **said, asked="1", text="rang them")
    assert planned.status == 303, planned.text

    page = browser.get(planned.location)
    assert "Nothing is done yet" in page.text
    assert "there is no such order" in page.text
    assert ">R-ord_0</a>" in page.text
    assert stack.messages("BatchQueue") == []

    token = page.hidden("token")
    assert browser.post(f"{planned.location}/start", token="wrong").status == 409
    started = browser.post(f"{planned.location}/start", token=token)
    assert started.status == 303, started.text
    at_work = browser.get(planned.location)
    assert f'data-from="{planned.location}"' in at_work.text
    run_batch(stack)
    part = browser.get(planned.location, **{"hx-request": "true"})
    assert "<html" not in part.text
    assert "data-finished" in part.text
    assert "3 of 3 are finished" in part.text
    assert "rang them" in browser.get(f"/console/orders/{IDS[1]}").text
    assert "rang them" not in browser.get(f"/console/orders/{IDS[2]}").text


def test_all_that_match_are_those_of_the_filters(stack: Stack, browser: OperatorsBrowser) -> None:
    put(stack, KEYS[2], 1, customer={"name": "Ada Quinn"})
    planned = browser.post(
        "/console/batches", action="refresh", which="all", filters="customer=quinn", asked="1"
    )
    page = browser.get(planned.location)
    assert "Refresh: 1 order<" in page.text
    assert ">R-ord_2</a>" in page.text
    stopped = browser.post(f"{planned.location}/stop")
    assert stopped.status == 303
    assert "1 were not started" in browser.get(planned.location).text
    nothing = browser.post("/console/batches", action="refresh", which="selected", asked="1")
    assert nothing.status == 422
    assert "No order is selected" in nothing.text


def test_a_view_is_saved_shared_renamed_and_deleted(browser: OperatorsBrowser) -> None:
    said = {"filters": "status=accepted&sort=since&customer=quinn&fields=status"}
    saved = browser.post("/console/views", name="Späte Störung", shared="team", **said)
    assert saved.location == "/console/orders?status=accepted&sort=since&fields=status"
    shown = browser.get(saved.location).text
    assert 'status=accepted" aria-current="page">Späte Störung' in shown
    again = browser.post("/console/views", name="späte störung", **said)
    assert again.status == 409
    assert browser.post("/console/views", name="späte störung", replace="1", **said).status == 303
    assert browser.post("/console/views/spate-storung", name="Late", shared="own").status == 303
    assert ">Late</a>" in browser.get("/console/views").text
    assert browser.post("/console/views/spate-storung/delete").status == 303
    assert "No view is saved yet" in browser.get("/console/views").text


def test_the_file_is_the_list(stack: Stack, browser: OperatorsBrowser) -> None:
    put(stack, KEYS[1], 1, customer={"name": "=SUM(A1)"})
    file = browser.get("/console/orders/download?status=accepted&sort=customer")
    assert file.content_type.startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert [row["id"] for row in rows] == [IDS[1], IDS[0], IDS[2]]
    assert rows[0]["customer"] == "'=SUM(A1)"
    assert rows[0]["status"] == "accepted"
    assert "No order matches" in browser.get("/console/orders?customer=nobody").text


def test_the_file_has_orders_of_one_date_in_the_order_of_the_list(
    stack: Stack, browser: OperatorsBrowser
) -> None:
    for number in range(12):
        put(stack, replace(KEYS[0], order_id=f"same-{number}"))
    shown = browser.get("/console/orders?status=accepted").text
    listed = re.findall(r'name="order" value="([^"]+)"', shown)
    file = browser.get("/console/orders/download?status=accepted").text
    rows = [OrderKey.parse(row["id"]).path_id for row in csv.DictReader(io.StringIO(file))]
    assert len(listed) == 12 + len(KEYS)
    assert rows == listed


def test_a_long_list_becomes_a_file_by_a_job(
    stack: Stack, browser: OperatorsBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_page, "MOST_IN_FILE", 2)
    monkeypatch.setattr(ExportJobs, "start", lambda *_: None)
    asked = browser.get("/console/orders/download?status=accepted&sort=since")
    assert asked.status == 303
    form = browser.get(asked.location).text
    assert "Status: accepted" in form
    filters = re.search(r'name="filters" value="([^"]+)"', form)
    assert filters is not None
    made = browser.post(
        "/console/exports", list="orders", filters=unescape(filters[1]), format="jsonl"
    )
    page = browser.get(made.location).text
    assert "data-refresh" in page
    assert "Download" not in page
    export = made.location.rpartition("/")[2]
    stack.load("make_exports").handler({"export": export}, Context(milliseconds=900_000))
    page = browser.get(made.location).text
    assert "3 rows are written" in page
    assert re.search(r'<a class="button main" href="https://[^"]*X-Amz-Signature', page)
    assert f"/console/exports/{export}" in browser.get("/console/exports").text


def test_columns_and_sorting_are_those_of_the_address(browser: OperatorsBrowser) -> None:
    shown = browser.get("/console/orders?fields=place&fields=since&sort=since").text
    titles = shown.split("<thead>")[1].split("</thead>")[0]
    assert "Place" in titles
    assert "Customer" not in titles
    assert 'aria-sort="ascending"' in titles
    assert browser.get("/console/orders?sort=nothing").status == 422


def test_selected_mails_are_sent_again(stack: Stack, browser: OperatorsBrowser) -> None:
    a_mail(stack)
    mail = NoticeId.parse(notice().id).path_id
    assert f'name="notice" value="{mail}"' in browser.get("/console/notices").text
    planned = browser.post("/console/batches", action="resend", notice=mail)
    page = browser.get(planned.location)
    assert page.status == 200, page.text
    assert f"/console/notices/{mail}" in page.text
    assert ">Resend: 1</a>" in browser.get("/console/batches").text
    assert browser.post("/console/batches", action="resend").status == 422
