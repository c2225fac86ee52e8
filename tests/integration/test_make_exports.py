"""make_exports and the API's exports: started, made once, downloaded, narrowed, erased."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from moto.backends import get_backend

from milepost.api.routes import export_lists
from milepost.common.exception_summary import HandlerFailed
from milepost.common.status import Status
from milepost.exports.aws import bucket
from milepost.exports.export import Export
from milepost.exports.export_run import ExportWorker
from milepost.orders.search_terms import customer_id_of_email
from tests.builders import KEY
from tests.integration.erasure_data import export as put_file
from tests.integration.erasure_data import index, run
from tests.integration.export_team import Team, keep, open_team
from tests.stack import Context, Stack, aws

CUSTOMER = {"name": "Erika Muster", "email": "erika@example.net"}


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def team(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Team:
    return open_team(stack, monkeypatch)


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
    assert team.show(team.make(query={"due": "next_week"}))["expected"] == 0
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
