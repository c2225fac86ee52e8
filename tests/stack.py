"""The stack's resources for tests, exactly as template.yaml declares them."""

import importlib.util
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import yaml
from botocore.session import Session, get_session

from milepost.aws import botocore_clients, clients
from milepost.aws.dynamodb_items import from_item
from milepost.aws.public_url import name_of_parameter
from milepost.connections.connection import Connection
from tests.signing import OTHER_SECRET, SECRET, standard_headers

ROOT: Final = Path(__file__).parent.parent
CONNECTIONS_PATH: Final = "/milepost/connections"
SENDER: Final = "milepost@example.org"
DEAD_LETTERS: Final = " ".join(
    f"{one}=name"
    for one in (
        *("inbox", "email", "endpoint", "batch", "mail_events", "announce", "invocations"),
        "measure",
    )
)
"""The variable of that name, where queues don't matter."""
NOWHERE: Final = "http://127.0.0.1:9"
"""A public URL of the API at which nobody answers."""
SIGNING: Final = {
    "offergrid-home": {"scheme": "standard-webhooks", "secrets": [SECRET]},
    "offergrid-business": {"scheme": "standard-webhooks", "secrets": [OTHER_SECRET]},
}


_SafeLoader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc, valid-type]
    """Parses CloudFormation's tags as their values."""


def _untagged(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _untagged)


def template() -> dict[str, Any]:
    """The template's resources."""
    resources: dict[str, Any] = _sections()["Resources"]
    return resources


def variables_of_all_functions() -> dict[str, str]:
    """The variables that the template sets for all functions, with its parameters' defaults."""
    variables: dict[str, str] = _sections()["Globals"]["Function"]["Environment"]["Variables"]
    parameters = _sections()["Parameters"]
    return {
        name: str(parameters[value]["Default"]) if value in parameters else value
        for name, value in variables.items()
    }


@cache
def _sections() -> dict[str, Any]:
    text = (ROOT / "template.yaml").read_text()
    sections: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    return sections


def create_table(
    dynamodb: Any, logical_id: str, *, name: str | None = None, with_stream: bool = False
) -> str:
    """A table as the template declares it; returns its name."""
    declared = template()[logical_id]["Properties"]
    kept = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    properties = {key: declared[key] for key in kept if key in declared}
    if with_stream:
        images = {"StreamViewType": "NEW_AND_OLD_IMAGES"}
        properties["StreamSpecification"] = {"StreamEnabled": True, **images}
    table = name or logical_id
    dynamodb.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **properties)
    return table


@cache
def aws(service: str) -> Any:
    """A client, created once; moto's state behind it is new for each test."""
    return _session().create_client(service, region_name="eu-central-1")


@cache
def _session() -> Session:
    return get_session()


on_loading: Final[list[Callable[[str, Callable[..., Any] | None], Any]]] = []
"""Who is told which function is loaded, and then gets its handler and gives one for it."""
_MAKE_CLIENT: Final = {module: module.client for module in (clients, botocore_clients)}


@cache
def _client_made_once(module: ModuleType, service: str, **options: Any) -> Any:
    """A function's client: slow to create, and without state, so that all tests share it."""
    make: Any = _MAKE_CLIENT[module]
    return make(service, **options)


class Resources(dict[str, str]):
    """The names of the template's resources at AWS; each one is created when it is first needed."""

    def __missing__(self, name: str) -> str:
        self[name] = _MAKERS[template()[name]["Type"]](name)
        return self[name]

    def physical(self, value: str) -> str:
        """The resource with this logical id, or the queues that a text names; other values
        unchanged.
        """
        if ".QueueName}" in value:
            return re.sub(r"\$\{(\w+)\.QueueName\}", lambda one: self.queue_name(one[1]), value)
        is_made = template().get(value, {}).get("Type") in _MAKERS
        return self[value] if is_made else value

    def queue_name(self, logical_id: str) -> str:
        return self[logical_id].rpartition("/")[2]


@dataclass
class Stack:
    """The stack's resources, empty, in moto."""

    resources: Resources = field(default_factory=Resources)
    chosen: dict[str, str] = field(default_factory=dict)
    """Variables whose values depend on parameters of the template, if not on their defaults."""

    def __post_init__(self) -> None:
        aws("sesv2").create_email_identity(EmailIdentity=SENDER)

    def environment(self, function: str) -> dict[str, str]:
        """The variables that the template sets for this function, with the names of these
        resources.
        """
        declared = template()[logical_id(function)]["Properties"]
        variables = declared.get("Environment", {}).get("Variables", {})
        special = {
            "CONNECTIONS_PATH": CONNECTIONS_PATH,
            "CONSOLE_SETTINGS": "/milepost/console",
            "SENDER_ADDRESS": SENDER,
            "PUBLIC_URL": "https://milepost.example.org",
            "CONSOLE_URL": "https://milepost.example.org/console",
            "ACTIVITY_DAYS": "366",
            "MAKE_EXPORTS_FUNCTION": "MakeExportsFunction",
            "EVENT_BUS_NAME": "",
            "EVENT_SOURCE": "/milepost/milepost-test",
            "TOPIC_ENVELOPE": "none",
            **self.chosen,
        }
        return {
            name: special[name] if name in special else self.resources.physical(str(value))
            for name, value in variables.items()
        }

    def load(self, function: str) -> ModuleType:
        """The function's app.py, imported like Lambda does: once, with its environment
        variables.
        """
        os.environ.update(self.environment(function))
        for listen in on_loading:
            listen(function, None)
        for module in _MAKE_CLIENT:
            vars(module)["client"] = partial(_client_made_once, module)
        path = ROOT / "functions" / function / "app.py"
        spec = importlib.util.spec_from_file_location(f"{function}_app", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for listen in on_loading:
            vars(module)["handler"] = listen(function, module.handler)
        return module

    def apply(self, *connections: Connection) -> None:
        for connection in connections:
            aws("ssm").put_parameter(
                Name=f"{CONNECTIONS_PATH}/{connection.id}",
                Value=json.dumps(asdict(connection), default=sorted),
                Type="String",
                Overwrite=True,
            )

    def put_public_url(self, url: str) -> None:
        """The public URL of the API."""
        aws("ssm").put_parameter(
            Name=name_of_parameter(CONNECTIONS_PATH), Value=url, Type="String", Overwrite=True
        )

    def put_settings(self, connection_id: str, text: str) -> None:
        """Settings after a manual edit."""
        aws("ssm").put_parameter(
            Name=f"{CONNECTIONS_PATH}/{connection_id}", Value=text, Type="String", Overwrite=True
        )

    def keep_secret(self, name: str, value: Mapping[str, Any]) -> None:
        aws("secretsmanager").put_secret_value(
            SecretId=self.resources[name], SecretString=json.dumps(value)
        )

    def kept_secret(self, name: str) -> dict[str, Any]:
        kept = aws("secretsmanager").get_secret_value(SecretId=self.resources[name])
        found: dict[str, Any] = json.loads(kept["SecretString"])
        return found

    def items(self, table: str) -> list[dict[str, Any]]:
        answer = aws("dynamodb").scan(TableName=self.resources[table])
        return [from_item(item) for item in answer["Items"]]

    def orders(self) -> dict[str, dict[str, Any]]:
        """Every order's item, by its item id."""
        return {item["item_id"]: item for item in self.items("OrdersTable")}

    def order_ids(self) -> set[str]:
        """The provider's ids of all orders, since an emulator takes long to return whole items."""
        answer = aws("dynamodb").scan(
            TableName=self.resources["OrdersTable"], ProjectionExpression="order_id"
        )
        return {from_item(item)["order_id"] for item in answer["Items"]}

    def messages(self, queue: str) -> list[Any]:
        """The bodies of all messages in a queue, which is empty afterwards."""
        sqs, url, found = aws("sqs"), self.resources[queue], []
        while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for one in received:
                found.append(json.loads(one["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found

    def objects(self, bucket: str) -> dict[str, bytes]:
        s3, name = aws("s3"), self.resources[bucket]
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket=name).get("Contents", [])]
        return {key: s3.get_object(Bucket=name, Key=key)["Body"].read() for key in keys}


def _create_table(name: str) -> str:
    return create_table(aws("dynamodb"), name)


def _create_queue(name: str) -> str:
    url: str = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


def _create_topic(name: str) -> str:
    arn: str = aws("sns").create_topic(Name=name)["TopicArn"]
    return arn


def _create_event_bus(name: str) -> str:
    aws("events").create_event_bus(Name=name)
    return name


def _create_secret(name: str) -> str:
    content = SIGNING if name == "SigningSecrets" else {}
    secrets = aws("secretsmanager")
    arn: str = secrets.create_secret(Name=name, SecretString=json.dumps(content))["ARN"]
    return arn


def _create_bucket(name: str) -> str:
    bucket = name.lower()
    place = {"LocationConstraint": "eu-central-1"}
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    return bucket


def _create_schedule_group(name: str) -> str:
    aws("scheduler").create_schedule_group(Name=name)
    return name


_MAKERS: Final[Mapping[str, Callable[[str], str]]] = {
    "AWS::DynamoDB::Table": _create_table,
    "AWS::SQS::Queue": _create_queue,
    "AWS::S3::Bucket": _create_bucket,
    "AWS::SNS::Topic": _create_topic,
    "AWS::Events::EventBus": _create_event_bus,
    "AWS::SecretsManager::Secret": _create_secret,
    "AWS::Scheduler::ScheduleGroup": _create_schedule_group,
}


def logical_id(function: str) -> str:
    return "".join(word.capitalize() for word in function.split("_")) + "Function"


def event(function: str, name: str) -> Any:
    """events/<function>/<name>.json; a signature that says ``sign-me`` is signed now."""
    content = json.loads((ROOT / "events" / function / f"{name}.json").read_text())
    if function == "receive_webhook":
        sign(content)
    return content


def sign(content: dict[str, Any], *, timestamp: int | None = None) -> None:
    """Sign an HTTP API event in place, where its signature says ``sign-me``."""
    headers = content["headers"]
    if headers.get("webhook-signature") != "sign-me":
        return
    signing = SIGNING.get(content["pathParameters"]["connection"], SIGNING["offergrid-home"])
    secret = signing["secrets"][0]
    headers |= standard_headers(
        content["body"].encode(),
        secret=secret,
        delivery_id=headers["webhook-id"],
        timestamp=timestamp or int(time.time()),
    )


@dataclass
class Context:
    """The context that Lambda passes to a function."""

    milliseconds: int = 300_000
    function_name: str = "milepost-test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:milepost-test"
    aws_request_id: str = "5b1f0c9e-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds
