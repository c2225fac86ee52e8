"""The checks of `make deploy`, before and after `sam build`."""

import re
from pathlib import Path
from typing import Annotated, Final

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from samcli.yamlhelper import yaml_dump, yaml_parse

from local.build import compile_functions
from local.errors import CannotStart
from milepost.common.email_addresses import BadAddress, ascii_address

_BUILT: Final = Path(".aws-sam/build")
_STAGE: Final = re.compile("[a-z][a-z0-9-]{0,23}")
_RESERVED: Final = re.compile("aws|amazon|cognito")
"""Words that the domain of the sign-in pages may not have, which is made of the stack's name.
Source: Amazon Cognito developer guide, "Using the Amazon Cognito domain for managed login"."""
_IMPATIENT: Final = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})
_STANDING: Final = re.compile("(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT)_COMPLETE")


def stage(name: Annotated[str, typer.Argument(metavar="STAGE")]) -> None:
    """Check the name of a stage, which is a part of the stack's and its functions' names."""
    if not _STAGE.fullmatch(name):
        raise CannotStart(
            f"STAGE={name!r} can't name a stage. Take a lowercase letter, then up to 23 lowercase "
            "letters, digits and hyphens, for instance STAGE=dev or STAGE=prod. Names of resources "
            "and variables of functions are made of it, and AWS limits their length."
        )
    if reserved := _RESERVED.search(name):
        raise CannotStart(
            f"STAGE={name!r} can't name a stage: Cognito refuses a sign-in domain with "
            f"{reserved[0]!r} in its name. Take another name."
        )
    if name == "local":
        raise CannotStart("STAGE=local is the stack of `make run`. Take another name.")


def sender(address: Annotated[str, typer.Argument(metavar="ADDRESS")]) -> None:
    """Check the sender address of mails, which SES has to accept."""
    try:
        for_ses = ascii_address(address.strip())
    except BadAddress as error:
        raise CannotStart(f"SENDER={address!r} is not an email address. {error}") from None
    if for_ses != address.strip():
        raise CannotStart(f"SES takes {address} in ASCII alone: SENDER={for_ses}")


def protection(stack: Annotated[str, typer.Option()]) -> None:
    """Print the parameter that protects the tables, if the stack exists on AWS.

    Prints nothing where that can't be found out: `sam deploy` then keeps the parameter's value.
    """
    try:
        found = boto3.client("cloudformation", config=_IMPATIENT).describe_stacks(StackName=stack)[
            "Stacks"
        ]
    except (BotoCoreError, ClientError):
        return
    if found and _STANDING.fullmatch(found[0]["StackStatus"]):
        typer.echo("DeletionProtection=true")


def credentials() -> None:
    """Fail with a message if there are no valid AWS credentials, or no region."""
    try:
        if not boto3.Session().region_name:
            typer.echo("No change set: there is no region. Set AWS_REGION to the stack's.")
            raise typer.Exit(1)
        boto3.client("sts", config=_IMPATIENT).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        typer.echo(f"No change set: there are no credentials ({type(error).__name__}).")
        raise typer.Exit(1) from None


def finish_build(
    python: Annotated[str, typer.Option(help="The version that the layers were built for.")],
) -> None:
    """Complete what `sam build` made: bytecode, and parameters that fit the layers.

    `sam deploy --guided` offers a parameter's default. The layers run on no other Python and no
    other processor than they were built for.
    """
    compile_functions(_BUILT)
    path = _BUILT / "template.yaml"
    template = yaml_parse(path.read_text())
    set_default(template, "Runtime", f"python{python}")
    set_default(template, "Architecture", "arm64")
    path.write_text(yaml_dump(template))


def set_default(template: dict[str, dict[str, dict[str, object]]], name: str, value: str) -> None:
    """Make this the only allowed value of a parameter, and its default."""
    template["Parameters"][name] |= {"Default": value, "AllowedValues": [value]}
