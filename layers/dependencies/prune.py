"""Leave out of the layer what no function uses: it would be read at every cold start.

Data alone is cut, and one package that nothing here imports. What is cut away is a service, a place
or a language that nothing here asks for, or a text for people who read a client's documentation.
"""

import gzip
import json
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

SERVICES: dict[str, tuple[str, ...]] = {
    "cognito-idp": ("DescribeUserPoolClient", "RevokeToken"),
    "dynamodb": (
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactWriteItems",
        "UpdateItem",
    ),
    "events": ("PutEvents",),
    "lambda": ("Invoke",),
    "s3": (
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CreateMultipartUpload",
        "DeleteObject",
        "GetObject",
        "HeadObject",
        "ListObjectsV2",
        "PutObject",
        "UploadPart",
    ),
    "scheduler": ("CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule"),
    "secretsmanager": ("GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"),
    "sesv2": ("DeleteSuppressedDestination", "GetSuppressedDestination", "SendEmail"),
    "sns": ("Publish", "PublishBatch"),
    "sqs": (
        "ChangeMessageVisibility",
        "DeleteMessage",
        "DeleteMessageBatch",
        "GetQueueAttributes",
        "ReceiveMessage",
        "SendMessage",
        "SendMessageBatch",
    ),
    "ssm": ("GetParameter", "GetParametersByPath"),
}
"""Every operation that deployed code may ask of a service; a test says when one is missing."""
BY_RULES = {"s3"}
"""Services whose endpoints follow from more than the region. For the others botocore goes by its
list of endpoints, which is as right, and doesn't evaluate rules at every call."""
LANGUAGES = {"en", "de", "da", "root"}
PARTITIONS = {"aws", "aws-cn", "aws-us-gov", "aws-eusc"}
"""Those that people outside of secret services deploy to."""
AUTHORITIES = ("O=Amazon", "O=Starfield Technologies", "O=DigiCert Inc")
"""Whose roots AWS's own endpoints are signed under; see docs/decisions/0011."""


def prune(packages: Path) -> None:
    """Cut botocore's data to our services and Babel's to our languages; drop bytecode and tools."""
    prune_clients(packages / "botocore")
    for locale in (packages / "babel" / "locale-data").glob("*.dat"):
        if locale.stem.split("_")[0] not in LANGUAGES:
            locale.unlink()
    # Of holidays the days count, not their names; no address is looked up by name (dns); and
    # nothing is bound to C here (cffi): what was, needs its compiled part alone.
    for name in ("bin", "boto3/examples", "cffi", "dns", "holidays/locale", "pycparser"):
        shutil.rmtree(packages / name, ignore_errors=True)
    for cache in list(packages.rglob("__pycache__")):
        shutil.rmtree(cache)


def prune_clients(botocore: Path) -> None:
    """botocore with our services alone, without their documentation, ready to be read."""
    for service in (botocore / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
        elif service.is_dir():
            # botocore takes the newest version; an older one may not know our operations.
            for version in sorted(one for one in service.iterdir() if one.is_dir())[:-1]:
                shutil.rmtree(version)
    for packed in (botocore / "data").rglob("*.json.gz"):
        rewrite(packed.with_suffix(""), gzip.decompress(packed.read_bytes()).decode())
        packed.unlink()
    prefixes = set(SERVICES)
    for path in (botocore / "data").rglob("service-2.json"):
        model = json.loads(path.read_bytes())
        prefixes.add(model["metadata"]["endpointPrefix"])
        operations = SERVICES[path.relative_to(botocore / "data").parts[0]]
        write_json(path, cut_model(model, operations))
    for path in (botocore / "data").rglob("examples-1.json"):
        path.unlink()
    for service in SERVICES.keys() - BY_RULES:
        for path in (botocore / "data" / service).rglob("endpoint-rule-set-1.json"):
            path.unlink()
    endpoints = botocore / "data" / "endpoints.json"
    write_json(endpoints, cut_endpoints(json.loads(endpoints.read_bytes()), prefixes))
    roots = botocore / "cacert.pem"
    rewrite(roots, cut_roots(roots.read_text()))


def cut_model(model: dict[str, Any], operations: Iterable[str]) -> dict[str, Any]:
    """A service with these operations alone, and the shapes that they are made of, undocumented."""
    kept = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    waiting = list(shapes_in(kept))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            waiting += shapes_in(shapes[name])
    parts = {"operations": kept, "shapes": shapes}
    return {**model, **without_documentation(parts)}


def shapes_in(part: Any) -> Iterator[str]:
    """Names of the shapes that a part of a model refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        for value in part.values():
            yield from shapes_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from shapes_in(value)


def without_documentation(model: Any) -> Any:
    """The same without its texts for readers; a field that is called so stays."""
    if isinstance(model, dict):
        return {
            name: without_documentation(value)
            for name, value in model.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    if isinstance(model, list):
        return [without_documentation(one) for one in model]
    return model


def cut_endpoints(endpoints: dict[str, Any], prefixes: set[str]) -> dict[str, Any]:
    """Where services are, without those and those partitions that nothing asks for."""
    kept = [one for one in endpoints["partitions"] if one["partition"] in PARTITIONS]
    for partition in kept:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in prefixes}
    return {**endpoints, "partitions": kept}


def cut_roots(bundle: str) -> str:
    """The certificates of a bundle that AWS's endpoints need: all are read for a connection.

    :raises SystemExit: when the bundle has none of theirs, so that its form must have changed
    """
    certificates = re.findall(r"# Issuer:.*?-----END CERTIFICATE-----\n", bundle, re.DOTALL)
    kept = [one for one in certificates if any(name in one for name in AUTHORITIES)]
    if not any("CN=Amazon Root CA 1 " in one for one in kept):
        raise SystemExit("prune.py: Amazon's roots are not in botocore's bundle as they were")
    return "\n".join(kept)


def write_json(path: Path, value: Any) -> None:
    """Write a file of data, without a space too many."""
    rewrite(path, json.dumps(value, separators=(",", ":")))


def rewrite(path: Path, text: str) -> None:
    """Write a file of the layer's own: uv makes links to its cache, which must stay as it is."""
    path.unlink(missing_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
