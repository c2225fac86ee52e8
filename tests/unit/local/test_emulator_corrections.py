"""Where requests are authorised, and which headers a mail keeps."""

import json
from email import message_from_string, policy
from email.mime.text import MIMEText

import pytest

from local.emulator_corrections.authorization import find_resource
from local.emulator_corrections.mail_sending import add_headers
from local.emulator_corrections.missing_operations import mail_from, remove_route_settings


@pytest.mark.parametrize("sender", ["milepost@example.org", "Milepost <milepost@example.org>"])
def test_sending_is_authorised_on_the_senders_identity(sender: str) -> None:
    body = json.dumps({"FromEmailAddress": sender}).encode()
    found = find_resource(
        "ses", method="POST", path="/v2/email/outbound-emails", body=body, query={}
    )
    assert found == "identity/milepost@example.org"


def test_reading_parameters_is_authorised_on_their_path() -> None:
    found = find_resource("ssm", method="POST", path="/", body=b'{"Path": "/a/b"}', query={})
    assert found == "parameter/a/b"


def test_deleting_parameters_is_authorised_on_them() -> None:
    found = find_resource("ssm", method="POST", path="/", body=b'{"Names": ["/a/b"]}', query={})
    assert found == "parameter/a/b"


def test_settings_of_one_route_are_removed_and_the_others_stay() -> None:
    stage: dict[str, dict[str, dict[str, int]]] = {
        "routeSettings": {"ANY /console": {}, "GET /track/{token}": {}}
    }
    stage["routeSettings"]["ANY /console"]["ThrottlingRateLimit"] = 50
    assert remove_route_settings(stage, "ANY /console")
    assert list(stage["routeSettings"]) == ["GET /track/{token}"]
    assert not remove_route_settings(stage, "ANY /console")
    assert not remove_route_settings(None, "ANY /console")


def test_the_domain_of_bounces_waits_for_its_records() -> None:
    assert mail_from({"MailFromDomain": "bounce.example.org"}) == {
        "MailFromDomain": "bounce.example.org",
        "MailFromDomainStatus": "PENDING",
        "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
    }
    assert mail_from({}) == {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}


@pytest.mark.parametrize(
    ("body", "query", "group"),
    [
        (b'{"GroupName": "polls"}', {}, "polls"),
        (b"", {"groupName": ["polls"]}, "polls"),
        (b"", {}, "default"),
    ],
)
def test_a_schedule_is_authorised_in_its_group(
    body: bytes, query: dict[str, list[str]], group: str
) -> None:
    found = find_resource("scheduler", method="PUT", path="/schedules/one", body=body, query=query)
    assert found == f"schedule/{group}/one"


@pytest.mark.parametrize("body", [b"", b"[]", b"no json", b'{"Name": "/a", "Path": "/b"}'])
def test_everything_else_is_left_to_the_emulator(body: bytes) -> None:
    assert find_resource("ssm", method="POST", path="/", body=body, query={}) is None


def test_a_relayed_mail_keeps_its_headers_and_reply_address() -> None:
    request = {
        "ReplyToAddresses": ["office@example.org"],
        "Content": {"Simple": {"Headers": [{"Name": "X-Notice", "Value": "n1"}]}},
    }
    relayed = message_from_string(add_headers("Subject: Hello\n\nBody\n", request))
    assert relayed["X-Notice"] == "n1"
    assert relayed["Reply-To"] == "office@example.org"
    assert relayed["Subject"] == "Hello"


def test_a_subject_beyond_ascii_arrives_as_it_was_sent() -> None:
    subject = "Scheduled for Fri, 4 Dec, 11:33 am: Amelia Kaur, PP-27132 – Business Internet Pro"
    built = MIMEText("Body", "plain", "utf-8")
    built["Subject"] = subject
    request = {"ReplyToAddresses": ["office@example.org"], "Content": {"Simple": {}}}
    relayed = message_from_string(add_headers(built.as_string(), request), policy=policy.default)
    assert relayed["Subject"] == subject
    assert relayed.get_content().strip() == "Body"
