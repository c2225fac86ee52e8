"""``milepost sign`` and ``send-test``: a webhook as the provider would send it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.builders import OFFERGRID, RABOT
from tests.signing import OTHER_SECRET, SECRET, spirii_headers, standard_headers
from tests.stack import Context, aws
from tests.unit.cli.conftest import Deployed

BODY = b'{"event": "order.status_changed"}\n'


@pytest.fixture
def body(tmp_path: Path) -> Path:
    path = tmp_path / "event.json"
    path.write_bytes(BODY)
    return path


def test_a_file_is_signed_as_the_provider_would(deployed: Deployed, body: Path) -> None:
    signed = deployed.tell("sign", str(body), "--connection", OFFERGRID.id, "--id", "msg_1")
    headers = signed["headers"]
    timestamp = headers["webhook-timestamp"]
    expected = standard_headers(BODY, secret=SECRET, delivery_id="msg_1", timestamp=timestamp)
    assert headers == {"content-type": "application/json"} | expected
    assert abs(int(timestamp) - time.time()) < 300
    assert signed["url"] == f"https://api.example.org/webhooks/{OFFERGRID.id}"


def test_spirii_signs_in_its_own_way(deployed: Deployed, body: Path) -> None:
    entry = {"charge": {"scheme": "spirii", "secrets": ["s3cret"]}}
    deployed.stack.keep_secret("SigningSecrets", entry)
    headers = deployed.tell("sign", str(body), "--connection", "charge", "--id", "evt-1")["headers"]
    timestamp = headers["spirii-timestamp"]
    expected = spirii_headers(BODY, secret="s3cret", event_id="evt-1", timestamp=timestamp)
    assert {"content-type", *(name.lower() for name in expected)} == headers.keys()
    assert headers["spirii-signature"] == expected["Spirii-Signature"]


def test_standard_input_is_signed_and_printed_a_line_each(deployed: Deployed) -> None:
    result = deployed.run("sign", "-", "--connection", OFFERGRID.id, given=BODY.decode())
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    again = standard_headers(
        BODY,
        secret=SECRET,
        delivery_id=lines["webhook-id"],
        timestamp=lines["webhook-timestamp"],
    )
    assert lines["webhook-signature"] == again["webhook-signature"]


def test_curl_is_given_the_file_as_it_is(deployed: Deployed, body: Path) -> None:
    said = deployed.say("sign", str(body), "--connection", OFFERGRID.id, "--curl")
    assert said.startswith("curl -i -H 'content-type: application/json' -H ")
    assert f"--data-binary @{body} https://api.example.org/webhooks/{OFFERGRID.id}" in said


def test_a_connection_without_webhooks_can_not_be_signed_for(
    deployed: Deployed, body: Path
) -> None:
    result = deployed.run("sign", str(body), "--connection", RABOT.id)
    assert result.exit_code == 1
    assert f"connections that have: offergrid-business, {OFFERGRID.id}" in result.output


# ---- trying the way in


@dataclass
class Answer:
    status: int


@dataclass
class Way:
    """The deployed way in: the HTTP API's function, the queue, and the function behind it."""

    deployed: Deployed
    is_read: bool = True

    def request(
        self, _method: str, url: str, *, body: bytes, headers: Mapping[str, str], **_: Any
    ) -> Answer:
        event = {
            "requestContext": {"http": {"method": "POST"}},
            "pathParameters": {"connection": url.rpartition("/")[2]},
            "headers": dict(headers),
            "body": body.decode(),
        }
        answer = self.deployed.function("receive_webhook").handler(event, None)
        if self.is_read:
            self.read()
        return Answer(answer["statusCode"])

    def read(self) -> None:
        records = [
            {"messageId": str(number), "body": json.dumps(one)}
            for number, one in enumerate(self.deployed.stack.messages("InboxQueue"))
        ]
        self.deployed.function("record_report").handler({"Records": records}, Context())


@pytest.fixture
def way(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Way:
    made = Way(deployed)
    monkeypatch.setattr("milepost.webhooks.aws.test_sender.urllib3.request", made.request)
    return made


def test_a_test_that_comes_all_the_way_is_said_to_have_and_leaves_nothing(
    deployed: Deployed, way: Way
) -> None:
    said = deployed.say("send-test", OFFERGRID.id)
    assert f"https://api.example.org/webhooks/{OFFERGRID.id} answered 202." in said
    assert "accepted, queued and read" in said
    assert deployed.tell("quarantine", "list")["items"] == []
    assert deployed.tell("orders", "list", "--all")["orders"] == []


def test_a_test_that_is_not_read_in_time_is_no_success(deployed: Deployed, way: Way) -> None:
    way.is_read = False
    result = deployed.run("send-test", OFFERGRID.id, "--patience", "0")
    assert result.exit_code == 1
    assert "not read within 0 s" in result.output


def test_a_test_that_is_refused_says_what_it_may_be(deployed: Deployed, way: Way) -> None:
    deployed.function("receive_webhook").secrets.refresh(now=time.time())
    entry = {OFFERGRID.id: {"scheme": "standard-webhooks", "secrets": [OTHER_SECRET]}}
    aws("secretsmanager").put_secret_value(
        SecretId=deployed.stack.resources["SigningSecrets"], SecretString=json.dumps(entry)
    )
    result = deployed.run("send-test", OFFERGRID.id)
    assert result.exit_code == 1
    assert "answered 401" in result.output
    assert "another secret" in result.output
