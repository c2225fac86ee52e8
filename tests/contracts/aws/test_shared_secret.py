"""Many write one shared secret at once: none of what they wrote is lost."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from moto import mock_aws

from milepost.aws.shared_secret import Entries, ManyWriters, NotOneObject, SharedSecret
from milepost.notifications.endpoints.aws.secrets import EndpointSecretsKeeper

WRITERS = 12


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-central-1")


@pytest.fixture
def secret_id(client: Any) -> str:
    arn: str = client.create_secret(Name="shared", SecretString='{"first": "kept"}')["ARN"]
    return arn


class Meeting:
    """A client whose writers have all read before the first of them writes."""

    def __init__(self, client: Any, number: int) -> None:
        self._client = client
        self._all_have_read = threading.Barrier(number)
        self._has_met = threading.local()
        self._one_at_a_time = threading.Lock()

    def get_secret_value(self, **asked: Any) -> Any:
        with self._one_at_a_time:
            answer = self._client.get_secret_value(**asked)
        if not getattr(self._has_met, "done", False):
            self._has_met.done = True
            self._all_have_read.wait(timeout=30)
        return answer

    def put_secret_value(self, **asked: Any) -> Any:
        with self._one_at_a_time:
            return self._client.put_secret_value(**asked)

    def update_secret_version_stage(self, **asked: Any) -> Any:
        # moto's own change is not atomic; that of Secrets Manager is.
        with self._one_at_a_time:
            return self._client.update_secret_version_stage(**asked)


def test_twelve_endpoints_added_at_once_keep_their_secrets(client: Any, secret_id: str) -> None:
    meeting = Meeting(client, WRITERS)
    names = [f"subscription-{number}" for number in range(WRITERS)]

    def add(name: str) -> str:
        return EndpointSecretsKeeper(meeting, secret_id=secret_id).make(name)

    with ThreadPoolExecutor(WRITERS) as writers:
        made = dict(zip(names, writers.map(add, names), strict=True))
    entries = SharedSecret(client, secret_id=secret_id).read()
    assert entries == {"first": "kept", **made}


def test_credentials_and_a_rotation_at_once_both_stay(client: Any, secret_id: str) -> None:
    meeting = Meeting(client, 2)

    def put(name: str) -> Entries:
        def change(entries: Entries) -> None:
            entries[name] = {"api_key": name}

        return SharedSecret(meeting, secret_id=secret_id).change(change)

    with ThreadPoolExecutor(2) as writers:
        list(writers.map(put, ["one", "two"]))
    entries = SharedSecret(client, secret_id=secret_id).read()
    assert entries == {"first": "kept", "one": {"api_key": "one"}, "two": {"api_key": "two"}}


def test_who_writes_past_the_label_is_not_overwritten_either(client: Any, secret_id: str) -> None:
    calls: list[int] = []

    def change(entries: Entries) -> None:
        calls.append(len(entries))
        if len(calls) == 1:
            # Somebody saves the secret in the console in between.
            client.put_secret_value(SecretId=secret_id, SecretString='{"console": "c"}')
        entries["mine"] = "m"

    secret = SharedSecret(client, secret_id=secret_id, pause=lambda _seconds: None)
    assert secret.change(change) == {"console": "c", "mine": "m"}
    assert secret.read() == {"console": "c", "mine": "m"}
    assert len(calls) == 2


def test_who_never_wins_is_told_so_and_has_written_nothing(client: Any, secret_id: str) -> None:
    def change(entries: Entries) -> None:
        number = len(entries)
        client.put_secret_value(SecretId=secret_id, SecretString=f'{{"n": {number}}}')
        entries["mine"] = str(number)
        client.put_secret_value(SecretId=secret_id, SecretString='{"theirs": "t"}')

    secret = SharedSecret(client, secret_id=secret_id, pause=lambda _seconds: None)
    with pytest.raises(ManyWriters):
        secret.change(change)
    assert secret.read() == {"theirs": "t"}


def test_a_change_that_changes_nothing_writes_no_version(client: Any, secret_id: str) -> None:
    SharedSecret(client, secret_id=secret_id).change(lambda entries: entries.update())
    [version] = client.list_secret_version_ids(SecretId=secret_id)["Versions"]
    assert version["VersionStages"] == ["AWSCURRENT"]


def test_the_version_before_is_the_previous_one(client: Any, secret_id: str) -> None:
    secret = SharedSecret(client, secret_id=secret_id)
    secret.change(lambda entries: entries.update(more="m"))
    previous = client.get_secret_value(SecretId=secret_id, VersionStage="AWSPREVIOUS")
    assert previous["SecretString"] == '{"first": "kept"}'


@pytest.mark.parametrize("stored", [{"SecretString": "[]"}, {"SecretBinary": b"{}"}])
def test_what_is_no_object_is_left_alone(stored: Any, client: Any, secret_id: str) -> None:
    client.put_secret_value(SecretId=secret_id, **stored)
    with pytest.raises(NotOneObject, match="does not hold one JSON object"):
        SharedSecret(client, secret_id=secret_id).change(lambda entries: entries.clear())


def test_a_change_whose_answer_was_lost_and_that_is_sent_again_is_made_once(
    client: Any, secret_id: str
) -> None:
    class SentTwice(Meeting):
        def update_secret_version_stage(self, **asked: Any) -> Any:
            super().update_secret_version_stage(**asked)
            return super().update_secret_version_stage(**asked)

    made: list[str] = []

    def add(entries: Entries) -> None:
        made.append(f"secret-{len(made)}")
        entries["second"] = made[-1]

    changed = SharedSecret(SentTwice(client, 1), secret_id=secret_id).change(add)
    assert changed == SharedSecret(client, secret_id=secret_id).read()
    assert changed == {"first": "kept", "second": "secret-0"}
    assert made == ["secret-0"]
