"""Deploys the stack to the emulator with sam, and reads its outputs from CloudFormation."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import yaml

from local.build import TEMPLATE, local_parameters, run_sam
from local.emulator_access import Access
from local.errors import CannotStart

STACK_NAME: Final = "milepost-local"
SENDER: Final = "milepost@example.org"
_SETTINGS: Final = {
    "StageName": "local",
    "SenderAddress": SENDER,
    # Long enough for a cold start, short enough to see a message fail five times.
    "RetrySeconds": "10",
    # A receiver that is tried out here listens on the loopback.
    "AllowPrivateEndpoints": "true",
}
_BUCKET: Final = "milepost-local-artifacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Outputs and resources of the deployed stack, from CloudFormation."""

    outputs: Mapping[str, str]
    resources: Mapping[str, str]
    types: Mapping[str, str]
    parameters: Mapping[str, str]
    template: Mapping[str, Any]

    def find_id(self, logical_id: str) -> str:
        """The physical id of a resource.

        :raises CannotStart: when the template has no such resource
        """
        if logical_id not in self.resources:
            raise CannotStart(
                f"template.yaml declares no {logical_id}, which the local stack needs."
            )
        return self.resources[logical_id]

    def find_only(self, resource_type: str) -> tuple[str, str]:
        """Logical and physical id of the only resource of that type.

        :raises CannotStart: when there is none, or more than one
        """
        found = [name for name, kind in self.types.items() if kind == resource_type]
        if len(found) != 1:
            raise CannotStart(f"template.yaml has {len(found)} resources {resource_type}, not one.")
        return found[0], self.resources[found[0]]


def deploy_stack(
    access: Access,
    *,
    log: IO[bytes],
    stack_name: str = STACK_NAME,
    template: Path = TEMPLATE,
    settings: Mapping[str, str] | None = None,
    bucket: str | None = _BUCKET,
    reader: Access | None = None,
) -> Deployment:
    """Run `sam deploy` against the emulator: a new stack, or an update of an existing one.

    :param template: what sam built
    :param settings: parameters of the template that differ from the local stack's
    :param bucket: where packages go; None: to the one that the SAM CLI makes, as on AWS
    :param reader: who looks at the stack afterwards; whoever deploys, if nobody else
    :raises CannotStart: when the deployment fails
    """
    if bucket:
        _make_bucket(access, bucket)
    wanted = {**_SETTINGS, **local_parameters(), **(settings or {})}
    declared = _declared_parameters(template)
    command = ["sam", "deploy", "--template-file", str(template), "--stack-name", stack_name]
    command += ["--s3-bucket", bucket] if bucket else ["--resolve-s3"]
    command += ["--region", access.region, "--no-progressbar"]
    command += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
    command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    run_sam(
        command,
        parameters={name: value for name, value in wanted.items() if name in declared},
        log=log,
        what="sam deploy",
        environment=access.environment(),
    )
    return read_deployment(reader or access, stack_name=stack_name)


def _make_bucket(access: Access, bucket: str) -> None:
    s3 = access.client("s3")
    if bucket not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        place = {"LocationConstraint": access.region}
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)


def read_deployment(access: Access, *, stack_name: str = STACK_NAME) -> Deployment:
    """The current state of the stack."""
    stacks = access.client("cloudformation")
    stack = stacks.describe_stacks(StackName=stack_name)["Stacks"][0]
    resources = stacks.describe_stack_resources(StackName=stack_name)["StackResources"]
    body = stacks.get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    return Deployment(
        outputs={o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
        resources={r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources},
        types={r["LogicalResourceId"]: r["ResourceType"] for r in resources},
        parameters={p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])},
        template=json.loads(body) if isinstance(body, str) else body,
    )


def tell_public_address(access: Access, deployment: Deployment, *, api_url: str) -> None:
    """Set the API's URL in the functions' environment variables, for links and test webhooks: it is
    known only after the deployment."""
    functions = access.client("lambda")
    addresses = {"PUBLIC_URL": api_url, "CONSOLE_URL": f"{api_url}/console"}
    for name in map(deployment.find_id, ("SendNoticeFunction", "CallEndpointFunction")):
        configuration = functions.get_function_configuration(FunctionName=name)
        variables = configuration["Environment"]["Variables"]
        changed = {key: value for key, value in addresses.items() if key in variables}
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables | changed}
        )
    access.client("ssm").put_parameter(
        Name=deployment.find_id("PublicAddress"), Value=api_url, Type="String", Overwrite=True
    )


def verify_sender(access: Access) -> None:
    """Verify the local sender's address in SES, which its owner would confirm on AWS."""
    access.client("sesv2").create_email_identity(EmailIdentity=SENDER)


class _Loader(yaml.SafeLoader):
    """Parses a template's short forms (`!Ref x`) as plain values, since only names matter here."""


_Loader.add_multi_constructor("!", lambda *_: None)


def _declared_parameters(template: Path) -> set[str]:
    content = yaml.load(template.read_text(), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    return set(content.get("Parameters", {}))
