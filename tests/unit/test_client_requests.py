"""The layer's clients know the operations that deployed code asks of them, and no others."""

import ast
import gzip
import importlib.util
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import botocore
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.loaders import Loader
from botocore.session import Session, get_session

ROOT: Final = Path(__file__).parents[2]
DATA: Final = Path(botocore.__file__).parent / "data"


def _load_prune() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prune", ROOT / "layers/dependencies/prune.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


prune: Final = _load_prune()


def _trees() -> Iterator[tuple[str, ast.AST]]:
    for folder in ("layers/core/milepost", "functions"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.walk(ast.parse(path.read_text()))


def _model(service: str) -> dict[str, Any]:
    path = max((DATA / service).glob("*/service-2.json.gz"))
    model: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return model


def _names(nodes: Any) -> Iterator[str]:
    """Everything that may be the name of a client's method or of a paginator's operation."""
    for node in nodes:
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


NOT_OF_EVENTBRIDGE: Final = {"create_connection", "list_connections"}
"""Operations of EventBridge that have the names of a function of ``socket`` and of a route."""


@pytest.mark.thorough
def test_every_operation_that_deployed_code_names_is_in_the_layer() -> None:
    kept = {xform_name(name) for names in prune.SERVICES.values() for name in names}
    known = {
        xform_name(name) for service in prune.SERVICES for name in _model(service)["operations"]
    }
    missing = {
        name: where
        for where, nodes in _trees()
        for name in _names(nodes)
        if name in known and name not in kept | NOT_OF_EVENTBRIDGE
    }
    assert not missing, f"name them in layers/dependencies/prune.py: {missing}"


@pytest.mark.thorough
def test_every_service_that_deployed_code_makes_a_client_of_is_in_the_layer() -> None:
    asked = {
        node.args[0].value
        for _, nodes in _trees()
        for node in nodes
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", None) == "client"
        and isinstance(node.args[0], ast.Constant)
    }
    assert asked
    assert asked <= prune.SERVICES.keys()


@pytest.mark.parametrize("service", sorted(prune.SERVICES))
def test_a_service_that_was_cut_says_what_it_said_of_what_it_keeps(service: str) -> None:
    whole = _model(service)
    cut = prune.cut_model(whole, prune.SERVICES[service])
    assert cut["operations"].keys() == set(prune.SERVICES[service])
    for name, shape in cut["shapes"].items():
        assert shape == prune.without_documentation(whole["shapes"][name])
    assert set(prune.shapes_in(cut["operations"])) <= cut["shapes"].keys()
    assert set(prune.shapes_in(cut["shapes"])) <= cut["shapes"].keys()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session that knows of AWS what the layer will know."""
    package = tmp_path_factory.mktemp("layer") / "botocore"
    for service in prune.SERVICES:
        shutil.copytree(DATA / service, package / "data" / service)
    for path in DATA.glob("*.json"):
        shutil.copy(path, package / "data")
    shutil.copy(DATA.parent / "cacert.pem", package)
    prune.prune_clients(package)
    made = get_session()
    loader = Loader([str(package / "data")], include_default_search_paths=False)
    made.register_component("data_loader", loader)
    return made


ASKED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "cognito-idp": ("describe_user_pool_client", {"UserPoolId": "eu_1", "ClientId": "client"}),
    "dynamodb": ("get_item", {"TableName": "orders", "Key": {"pk": {"S": "order#1"}}}),
    "events": ("put_events", {"Entries": [{"Source": "milepost", "Detail": "{}"}]}),
    "lambda": ("invoke", {"FunctionName": "poll", "Payload": b"{}"}),
    "s3": ("get_object", {"Bucket": "digests", "Key": "digests/one"}),
    "scheduler": ("get_schedule", {"Name": "poll"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "signing"}),
    "sesv2": ("send_email", {"Content": {"Raw": {"Data": b"mail"}}}),
    "sns": ("publish", {"TopicArn": "arn:aws:sns:eu-central-1:1:topic", "Message": "m"}),
    "sqs": ("send_message", {"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/1/inbox",
                             "MessageBody": "m"}),
    "ssm": ("get_parameters_by_path", {"Path": "/milepost"}),
}  # fmt: skip
"""A call of each service that the layer knows."""


@pytest.mark.parametrize("service", sorted(prune.SERVICES))
def test_a_client_of_what_was_cut_makes_its_call_and_reads_the_answer(
    service: str, session: Session
) -> None:
    (where,) = ask(session, service, "eu-central-1")
    assert ".eu-central-1.amazonaws.com" in where


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1"])
def test_a_client_of_what_was_cut_asks_where_a_whole_one_does(
    region: str, session: Session
) -> None:
    whole = get_session()
    for service in prune.SERVICES:
        assert ask(session, service, region) == ask(whole, service, region)


def ask(session: Session, service: str, region: str) -> list[str]:
    """Where a call of that service goes, and in which region's name it is signed."""
    client = session.create_client(service, region_name=region)
    sent: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        signed_for = request.headers["Authorization"].split(b"/")[2:4]
        sent.append(f"{request.url} {signed_for}")
        content = (
            b"<Answer><PublishResult/><ResponseMetadata/></Answer>" if service == "sns" else b"{}"
        )
        return AWSResponse(request.url, 200, {}, _Body(content))

    client.meta.events.register("before-send", answer)
    method, arguments = ASKED[service]
    assert getattr(client, method)(**arguments)["ResponseMetadata"]["HTTPStatusCode"] == 200
    return sent


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def test_texts_for_readers_go_and_a_field_of_that_name_stays() -> None:
    shape = {"documentation": "<p>…</p>", "members": {"documentation": {"shape": "Text"}}}
    assert prune.without_documentation(shape) == {"members": {"documentation": {"shape": "Text"}}}


def test_amazons_roots_stay_in_the_bundle() -> None:
    bundle = (Path(botocore.__file__).parent / "cacert.pem").read_text()
    kept = prune.cut_roots(bundle)
    for number in (1, 2, 3, 4):
        assert f"CN=Amazon Root CA {number} O=Amazon" in kept
    assert kept.count("BEGIN CERTIFICATE") < bundle.count("BEGIN CERTIFICATE") / 5


def test_a_bundle_of_another_form_stops_the_build() -> None:
    with pytest.raises(SystemExit, match="Amazon's roots"):
        prune.cut_roots("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")


def test_a_file_that_is_linked_to_a_cache_is_not_written_through(tmp_path: Path) -> None:
    cached, linked = tmp_path / "cached", tmp_path / "linked"
    cached.write_text("whole")
    linked.hardlink_to(cached)
    prune.rewrite(linked, "cut")
    assert (cached.read_text(), linked.read_text()) == ("whole", "cut")
