"""Finds the stack: by its name in CloudFormation, or the local stack by ``.local/stack.json``."""

import getpass
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, cast
from urllib.parse import urlsplit

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import ClientError

from cli.errors import CannotDo, WrongUse
from cli.stack_choice import StackChoice
from milepost.aws.errors import AWS_FAILED

STACK_FILE: Final = Path(".local") / "stack.json"

StackOption = Annotated[
    StackChoice | None,
    typer.Option(
        "--stack",
        envvar="MILEPOST_STACK",
        metavar="NAME",
        parser=str,
        help="The stack's name. Without it, the running local stack (.local/stack.json).",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack: its outputs, and clients for its account and region."""

    name: str
    region: str
    outputs: Mapping[str, str]
    api_url: str
    session: boto3.Session
    endpoint_url: str | None = None

    def client(self, service: str) -> Any:
        """A boto3 client of a service, for the stack's account and region."""
        return make_client(self.session, service, endpoint_url=self.endpoint_url)

    def output(self, name: str) -> str:
        """One of the stack's outputs.

        :raises CannotDo: when the deployed template has no such output
        """
        try:
            return self.outputs[name]
        except KeyError:
            raise CannotDo(
                f"Stack {self.name} has no output {name}: it is not a stack of "
                "Milepost, or of an older version. Deploy the present "
                "template.yaml first."
            ) from None

    @property
    def is_local(self) -> bool:
        """Whether all data stays on this machine."""
        host = urlsplit(self.client("secretsmanager").meta.endpoint_url).hostname
        return is_loopback(host)

    def webhook_url(self, connection_id: str) -> str:
        """The URL to which the connection's provider sends its webhooks."""
        return f"{self.api_url.rstrip('/')}/webhooks/{connection_id}"

    def __str__(self) -> str:
        # The account distinguishes prod from dev where the names don't.
        parts = self.outputs.get("SigningSecretsArn", "").split(":")
        account = f"account {parts[4]}, " if len(parts) > 4 else ""
        return f"{self.name} ({account}{self.endpoint_url or self.region})"


def find_stack(choice: StackChoice | None) -> Stack:
    """The stack with this name; without a name, the running local stack.

    :raises WrongUse: when there is no name, and no local stack either
    :raises CannotDo: when there is no such stack
    """
    chosen = choice or StackChoice()
    local = _read_local()
    is_elsewhere = chosen.region or chosen.profile
    if local is not None and not is_elsewhere and chosen.name in (None, local["stack_name"]):
        return _local_stack(local)
    if chosen.name is None:
        raise WrongUse(
            "Which stack? Give --stack NAME or MILEPOST_STACK, or start the "
            "local one with `make run`."
        )
    session = _open_session(chosen)
    outputs = _read_outputs(make_client(session, "cloudformation"), chosen.name)
    return Stack(
        name=chosen.name,
        region=str(session.region_name),
        outputs=outputs,
        api_url=outputs.get("ApiUrl", ""),
        session=session,
    )


def _open_session(chosen: StackChoice) -> boto3.Session:
    # As version 2 of AWS's own command does. boto3 itself reads AWS_DEFAULT_REGION alone.
    region = chosen.region or os.environ.get("AWS_REGION") or None
    return boto3.Session(region_name=region, profile_name=chosen.profile)


_INTERACTIVE_TIMEOUTS: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard"}
)
"""Gives up in time for somebody who waits."""


def make_client(
    session: boto3.Session,
    service: str,
    *,
    endpoint_url: str | None = None,
    config: Config = _INTERACTIVE_TIMEOUTS,
) -> Any:
    """A client of a service, with timeouts for a waiting person unless ``config`` has others."""
    return session.client(cast(Any, service), endpoint_url=endpoint_url, config=config)


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine."""
    if host is None:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _read_local() -> Mapping[str, Any] | None:
    for directory in (Path.cwd(), *Path.cwd().parents):
        path = directory / STACK_FILE
        try:
            return cast(Mapping[str, Any], json.loads(path.read_text()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            raise CannotDo(f"{path} can't be read ({error}): run `make run` again.") from None
    return None


def _local_stack(found: Mapping[str, Any]) -> Stack:
    session = boto3.Session(
        aws_access_key_id=found["access_key_id"],
        aws_secret_access_key=found["secret_access_key"],
        region_name=found["region"],
    )
    return Stack(
        name=found["stack_name"],
        region=found["region"],
        outputs=found["outputs"],
        api_url=found["api_url"],
        session=session,
        endpoint_url=found["aws_endpoint_url"],
    )


def _read_outputs(cloudformation: Any, name: str) -> dict[str, str]:
    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        stacks = []
    if not stacks:
        raise CannotDo(
            f"There is no stack {name} in {cloudformation.meta.region_name}. "
            "Check the name, --region (or AWS_REGION) and --profile (or "
            "AWS_PROFILE). `aws cloudformation list-stacks` lists the stacks."
        )
    return {one["OutputKey"]: one["OutputValue"] for one in stacks[0].get("Outputs", [])}


def caller_name(stack: Stack) -> str:
    """The caller's identity at AWS, without its account; for a local stack, this machine's user."""
    try:
        arn: str = stack.client("sts").get_caller_identity()["Arn"]
    except AWS_FAILED:
        return getpass.getuser()
    return arn.rpartition(":")[2]
