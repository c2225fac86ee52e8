"""On the deployed stack: one connection's bad setting or secret, and bodies that aren't UTF-8."""

import json

import pytest

from tests.e2e.conftest import HOME, SHOP, Client, status_changed, wait_for
from tests.e2e.invalid_settings import bad_parameter, bad_secret

pytestmark = pytest.mark.e2e

NOT_UTF8 = b'{"event": "order.status_changed", "orderId": "\xff\xfe\x80"}'


def quarantined(client: Client, connection: str, body: bytes) -> bool:
    s3, bucket = client.stack.client("s3"), client.stack.outputs["QuarantineBucket"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"quarantine/{connection}/")
    keys = [one["Key"] for one in listed.get("Contents", [])]
    return any(s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body for key in keys)


def said(client: Client, *arguments: str) -> str:
    """What the command prints, its folded lines as one."""
    done = client.run(*arguments, "--stack", client.stack.stack_name)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.thorough
def test_one_connections_bad_settings_close_it_alone_and_name_it(client: Client) -> None:
    body = json.dumps(status_changed(client.new_id("closed"), "accepted")).encode()
    known = client.new_id("known")
    client.send(SHOP, status_changed(known, "accepted"))
    client.wait_for_status(SHOP, known, "item-1", "accepted")
    with bad_parameter(client, SHOP, '{"id": "' + SHOP + '", "time_zone": "Europe/Atlantis"'):
        client.send(SHOP, body)
        order_id = client.new_id("open")
        client.send(HOME, status_changed(order_id, "accepted"))
        client.wait_for_told(order_id, ["accepted"])
        wait_for(lambda: quarantined(client, SHOP, body), what="the closed connection's webhook")
        assert client.poll(HOME)["outcome"] in {"complete", "unchanged", "paused"}

        assert f"the settings of {SHOP} can't be used" in said(client, "connections", "list")
        examined = client.run("doctor", "--json", "--stack", client.stack.stack_name)
        assert examined.returncode == 1
        failures = [one["text"] for one in json.loads(examined.stdout) if one["level"] == "fail"]
        assert any(f"the settings of {SHOP} can't be used" in one for one in failures)
        assert not any(f"{HOME}: the settings" in one for one in failures)
        assert known in said(client, "orders", "list", "--connection", SHOP, "--json")


@pytest.mark.thorough
def test_one_connections_bad_signing_secret_closes_it_alone(client: Client) -> None:
    with bad_secret(client, "SigningSecretsArn", SHOP, ["no", "scheme"]):
        event = status_changed(client.new_id("closed"), "accepted")
        assert client.try_to_send(SHOP, event) == 503
        order_id = client.new_id("open")
        client.send(HOME, status_changed(order_id, "accepted"))
        client.wait_for_status(HOME, order_id, "item-1", "accepted")
        listed = said(client, "connections", "list")
        assert f"the signing secrets of {SHOP} can't be used" in listed
    client.send(SHOP, status_changed(client.new_id("again"), "accepted"))


@pytest.mark.parametrize(
    "content_type", ["application/octet-stream", "application/cloudevents+json"]
)
def test_a_body_that_is_not_utf8_is_accepted_and_kept_byte_for_byte(
    content_type: str, client: Client
) -> None:
    body = NOT_UTF8 + client.new_id().encode()
    assert client.try_to_send(HOME, body, content_type=content_type) == 202
    wait_for(lambda: quarantined(client, HOME, body), what="the body in the quarantine")


def test_a_body_that_is_not_utf8_and_says_that_it_is_json_cannot_be_verified(
    client: Client,
) -> None:
    body = NOT_UTF8 + client.new_id().encode()
    assert client.try_to_send(HOME, body, content_type="application/json") == 401
    assert not quarantined(client, HOME, body)
