"""make_exports and the API's exports: started, made once, downloaded, narrowed, erased."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from moto.backends import get_backend

from milepost.api.routes import export_lists
from milepost.common.exception_summary import HandlerFailed
from milepost.common.status import Status
from milepost.exports.aws import bucket
from milepost.exports.export import Export
from milepost.exports.export_run import ExportWorker
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.recipients import Choice
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import record
from milepost.orders.search_terms import customer_id_of_email
from tests.builders import KEY, NOON, OFFERGRID, RABOT, RULES, notice, report
from tests.integration.erasure_data import export as put_file
from tests.integration.erasure_data import index, run
from tests.integration.operator_requests import http_event
from tests.permissions import Use, Watch
from tests.stack import Context, Stack, aws

IDS = [replace(KEY, order_id=f"ord_{number}") for number in range(5)]
CUSTOMER = {"name": "Erika Muster", "email": "erika@example.net"}
OTHER = replace(KEY, connection=RABOT.id, order_id="elsewhere")


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Jobs:
    """Implements ``start.Jobs``."""

    started: list[str] = field(default_factory=list)

    def start(self, export_id: str) -> None:
        self.started.append(export_id)


@dataclass
class Team:
    """The API, the job, and who asks."""

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
        """The ids of the list, in its order."""
        return [one["id"] for one in self.ask("GET", "/orders?limit=100")[1]["orders"]]


@pytest.fixture
def team(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Team:
    for number, key in enumerate(IDS):
        keep(stack, key, Status.ACCEPTED if number % 2 else Status.SUBMITTED)
    keep(stack, OTHER, Status.ACCEPTED)
    api, jobs = stack.load("orders_api"), Jobs()
    desk = replace(api.services.open_exports(), jobs=jobs)
    services = replace(api.services, open_exports=lambda: desk)
    monkeypatch.setattr(api, "api", replace(api.api, services=services))
    return Team(stack, api, stack.load("make_exports"), jobs)


def keep(stack: Stack, key: OrderKey, status: Status, customer: Any = None) -> None:
    connection = OFFERGRID if key.connection == OFFERGRID.id else RABOT
    about = {"customer": customer} if customer else {}
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=connection
    )
    record(report(status, key=key, **about), orders=table, rules=RULES, now=NOON)


def mails() -> list[Any]:
    backend = get_backend("ses")["123456789012"]["eu-central-1"]
    return list(backend.sent_messages)


def test_an_export_has_the_rows_of_the_list_in_its_order(team: Team) -> None:
    export = team.make(
        columns=["id", "status"], bom=True, query={"status": ["accepted", "submitted"]}
    )
    assert team.jobs.started == [export]
    assert team.show(export)["link"] is None
    assert team.run(export) == "ready"
    assert team.text(export).startswith("\ufeffid,status\r\n")
    ids = [line.split(",")[0] for line in team.text(export).splitlines()[1:]]
    assert ids == team.listed()
    shown = team.show(export)
    assert (shown["rows"], shown["state"]) == (6, "ready")
    assert shown["size"] == len(team.text(export).encode())


def test_an_export_says_how_many_rows_it_will_have(team: Team) -> None:
    assert team.show(team.make(query={"raw_status": "no such status"}))["expected"] == 0
    assert team.show(team.make(query={"due": "overdue"}))["expected"] == 6


def test_a_link_opens_the_file_for_some_minutes(team: Team) -> None:
    export = team.make(format="jsonl")
    team.run(export)
    shown = team.show(export)
    address = urlsplit(shown["link"])
    said = parse_qs(address.query)
    assert address.path.endswith(f"/exports/{export}.jsonl")
    assert said["X-Amz-Expires"] == ["900"]
    assert said["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert shown["file"] in said["response-content-disposition"][0]
    assert [json.loads(line)["id"] for line in team.text(export).splitlines()] == team.listed()


def test_a_job_that_comes_twice_makes_one_file_and_sends_one_mail(team: Team) -> None:
    export = team.make(mail="lena@example.org")
    assert [team.run(export), team.run(export)] == ["ready", "ready"]
    [mail] = mails()
    assert mail.destinations["ToAddresses"] == ["lena@example.org"]
    assert f"/console/exports/{export}" in mail.body
    assert "X-Amz" not in mail.body
    assert "lena@example.org" not in json.dumps(team.stack.items("ExportsTable"), default=str)


@pytest.mark.parametrize("place", ["note", "settle", "mailed"])
def test_a_job_that_is_killed_is_finished_by_the_next_attempt(
    team: Team, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = team.make(mail="lena@example.org")
    worker: ExportWorker = team.runner.worker

    def killed(*_: Any, **__: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(worker.exports), place, killed)
        with pytest.raises(Killed):
            team.run(export)
    before = len(mails())
    now = worker.clock() + timedelta(minutes=1)
    monkeypatch.setattr(team.runner, "worker", replace(worker, clock=lambda: now))
    assert team.run(export) == "ready"
    assert len(team.rows(export)) == 6
    # Killed between SES's answer and noting it, the mail is sent once more: nothing tells.
    assert len(mails()) - before == 1
    assert before == (1 if place == "mailed" else 0)


def test_an_event_that_comes_twice_at_once_does_nothing_the_second_time(team: Team) -> None:
    export = team.make(mail="lena@example.org")
    exports, now = team.runner.worker.exports, team.runner.worker.clock()
    assert exports.claim(export, invocation=Context.aws_request_id, at=now) is not None
    assert team.run(export) == "running"
    assert team.stack.objects("ExportsBucket") == {}
    assert mails() == []


def test_a_worker_that_lost_its_claim_changes_nothing(team: Team) -> None:
    export = team.make()
    worker: ExportWorker = team.runner.worker
    claim, now = worker.exports.claim, worker.clock()
    first = claim(export, invocation="1", at=now)
    assert claim(export, invocation="2", at=now + timedelta(minutes=1)) is None
    second = claim(export, invocation="1", at=now + timedelta(minutes=1))
    assert first is not None
    assert second is not None
    assert not worker.exports.note(export, claim=first, rows=1, at=worker.clock())
    assert worker.exports.note(export, claim=second, rows=1, at=worker.clock())


def test_an_export_that_takes_too_long_says_so(team: Team) -> None:
    export = team.make(mail="lena@example.org")
    assert team.run(export, milliseconds=59_000) == "failed"
    shown = team.show(export)
    assert shown["why"].startswith("it took too long: ")
    assert shown["link"] is None
    assert [one.subject for one in mails()] == ["Your export of orders failed"]


def test_an_export_that_fails_for_good_says_so(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    export = team.make()

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(type(team.runner.worker.files), "open", broken)
    worker = team.runner.worker
    for attempt in range(3):
        now = worker.clock() + attempt * timedelta(minutes=4)
        monkeypatch.setattr(team.runner, "worker", replace(worker, clock=lambda now=now: now))
        with pytest.raises(Exception, match="ZeroDivisionError"):
            team.run(export)
    assert team.show(export)["why"] == "an internal error (ZeroDivisionError), 3 times"


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"list": "orders", "columns": ["nmae"]}, "body.columns"),
        ({"list": "orders", "query": {"stauts": "accepted"}}, "query.stauts"),
        ({"list": "orders", "query": {"connection": "unknown"}}, "query.connection"),
        ({"list": "orders", "query": {"limit": "5"}}, "body.query.limit"),
        ({"list": "orders", "mail": "nobody"}, "body.mail"),
        ({"list": "people"}, "body.list"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_a_job_starts(
    team: Team, asked: Any, where: str
) -> None:
    status, problem = team.ask("POST", "/exports", asked)
    assert (status, problem["errors"][0]["where"]) == (422, where)
    assert team.jobs.started == []


def test_a_repeated_request_makes_one_export(team: Team) -> None:
    event = http_event("POST", "/exports", {"list": "orders"}, role="viewer", query={})
    event["headers"]["idempotency-key"] = "k-1"
    first, second = (json.loads(team.api.handler(event, Context())["body"]) for _ in range(2))
    assert first["id"] == second["id"]
    event["body"] = json.dumps({"list": "notices"})
    assert team.api.handler(event, Context())["statusCode"] == 422


def test_a_narrowed_role_exports_its_connections_and_sees_its_exports(team: Team) -> None:
    narrow = f"viewer:{OFFERGRID.id}"
    own, whole = team.make(role=narrow), team.make()
    for one in (own, whole):
        team.run(one)
    assert {row["connection"] for row in team.rows(own)} == {OFFERGRID.id}
    assert {row["connection"] for row in team.rows(whole)} == {OFFERGRID.id, RABOT.id}
    assert team.show(own, role=narrow)["link"] is not None
    assert team.ask("GET", f"/exports/{whole}", role=narrow)[0] == 404
    # Somebody whose role was narrowed to another connection since gets no link.
    assert team.ask("GET", f"/exports/{own}", role=f"viewer:{RABOT.id}")[0] == 404
    listed = team.ask("GET", "/exports", role=narrow)[1]["exports"]
    assert [one["id"] for one in listed] == [own]
    assert team.ask("POST", "/exports", {"list": "suppressions"}, role=narrow)[0] == 403


def test_exports_are_listed_page_by_page_the_latest_first(team: Team) -> None:
    made = {team.make() for _ in range(3)}
    first = team.ask("GET", "/exports?limit=2")[1]
    second = team.ask("GET", f"/exports?limit=2&cursor={first['next']}")[1]
    assert {one["id"] for page in (first, second) for one in page["exports"]} == made
    assert second["next"] is None


def test_who_makes_an_export_is_in_the_activity_log(team: Team) -> None:
    export = team.make(query={"place": "Musterstadt"})
    [entry] = team.ask("GET", "/activity?kind=make_export")[1]["entries"]
    assert entry["targets"] == {"export": export}
    assert entry["after"] == {"list": "orders"}
    assert "Musterstadt" not in json.dumps(entry)


def test_the_api_starts_the_job(team: Team, permitted: Watch) -> None:
    app = team.stack.load("orders_api")
    event = http_event("POST", "/exports", {"list": "orders"}, role="viewer", query={})
    app.handler(event, Context())
    assert ("orders_api", Use("lambda:InvokeFunction", "MakeExportsFunction")) in permitted.asked


@pytest.mark.parametrize(
    "query",
    [{}, {"person": "lena"}, {"kind": "make_export"}, {"order": KEY.path_id}],
)
def test_the_activity_log_is_exported(team: Team, query: dict[str, str]) -> None:
    made = team.make()
    export = team.make(list="activity", query=query, columns=["kind", "about"])
    team.run(export)
    found = [row["about"] for row in team.rows(export)]
    assert (f"export {made}" in found) == ("order" not in query)


def test_a_search_and_a_sorted_list_are_exported(team: Team) -> None:
    searched = team.make(query={"q": "ord_3"})
    by_since = team.make(query={"sort": "since"}, columns=["since"])
    for one in (searched, by_since):
        assert team.run(one) == "ready"
    since = [row["since"] for row in team.rows(by_since)]
    assert (len(since), since) == (6, sorted(since))


def test_notices_are_exported(team: Team) -> None:
    table = NoticesTable(aws("dynamodb"), table_name=team.stack.resources["NoticesTable"])
    made = notice()
    table.enter(Choice(notice=made), at=NOON)
    export = team.make(list="notices")
    assert team.run(export) == "ready"
    assert [row["recipient"] for row in team.rows(export)] == [made.recipient]


@dataclass
class ManyRows:
    """Implements ``export.Rows``: 120,000 rows; after some of them, an error."""

    fails: bool = False

    def read(self, _export: Export) -> Iterator[Sequence[dict[str, Any]]]:
        some = [{"id": f"offergrid-main:{number}:{'x' * 60}"} for number in range(20_000)]
        for number in range(6):
            if self.fails and number == 5:
                raise ZeroDivisionError
            yield some


def test_a_large_file_is_sent_in_parts(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "_PART", 5 * 1024 * 1024)
    export = team.make(columns=["id"])
    worker = replace(team.runner.worker, rows=ManyRows())
    monkeypatch.setattr(team.runner, "worker", worker)
    assert team.run(export) == "ready"
    assert team.text(export).count("\r\n") == 120_001
    assert team.show(export)["size"] == len(team.text(export))


def test_the_parts_of_a_file_that_is_not_finished_are_removed(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "_PART", 5 * 1024 * 1024)
    export = team.make(columns=["id"])
    worker = replace(team.runner.worker, rows=ManyRows(fails=True))
    monkeypatch.setattr(team.runner, "worker", worker)
    with pytest.raises(HandlerFailed):
        team.run(export)
    uploads = aws("s3").list_multipart_uploads(Bucket=team.stack.resources["ExportsBucket"])
    assert uploads.get("Uploads", []) == []
    assert team.stack.objects("ExportsBucket") == {}


def test_an_erasure_deletes_the_files_that_the_customer_is_in(team: Team) -> None:
    keep(team.stack, replace(KEY, order_id="somebodys"), Status.REJECTED, CUSTOMER)
    index(team.stack)
    theirs = team.make(query={"status": "rejected"}, columns=["status"])
    others = team.make(query={"status": "accepted"}, columns=["status"])
    for one in (theirs, others):
        team.run(one)
    customer = customer_id_of_email(CUSTOMER["email"])
    status, would = team.ask("DELETE", f"/customers/{customer}?dry_run=true", role="operator")
    assert (status, would["removed"]["exports"], team.show(theirs)["state"]) == (200, 1, "ready")
    assert team.ask("DELETE", f"/customers/{customer}", role="operator")[0] == 200
    gone = team.show(theirs)
    assert (gone["state"], gone["link"]) == ("removed", None)
    assert "erased" in gone["why"]
    assert team.show(others)["state"] == "ready"
    assert set(team.stack.objects("ExportsBucket")) == {f"exports/{others}.csv", f"index/{others}"}


def test_a_list_of_several_pages_is_read_to_its_end(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_lists, "ROWS_OF_A_PAGE", 1)
    made = [team.make() for _ in range(3)]
    export = team.make(list="activity", columns=["about"])
    assert team.run(export) == "ready"
    assert {f"export {one}" for one in made} <= {row["about"] for row in team.rows(export)}


def test_a_file_that_was_written_during_an_erasure_is_deleted_afterwards(team: Team) -> None:
    key = replace(KEY, order_id="somebodys")
    keep(team.stack, key, Status.REJECTED, CUSTOMER)
    index(team.stack)
    customer = customer_id_of_email(CUSTOMER["email"])
    assert team.ask("DELETE", f"/customers/{customer}", role="operator")[0] == 200
    put_file(team.stack, "c" * 24, f"order {key.path_id}", "status\r\nrejected\r\n")
    later = (datetime.now(UTC) + timedelta(minutes=16)).isoformat()
    run(team.stack, "finish_erasures", {"now": later})
    assert team.stack.objects("ExportsBucket") == {}
