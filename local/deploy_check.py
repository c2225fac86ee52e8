"""`make deploy-check`: checks a deployment without an AWS account.

The line that `make deploy` runs is read by SAM's own parser. Sizes and numbers are compared with
CloudFormation's and Lambda's quotas, by AWS's own documentation ("CloudFormation quotas", "Lambda
quotas").
"""

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from samcli.commands.deploy.command import cli as sam_deploy
from samcli.yamlhelper import yaml_parse

from local.deployer_policy import read_template
from local.errors import CannotStart
from local.files import ROOT

BUILT: Final = ROOT / ".aws-sam" / "build"
MOST_BYTES_OF_A_TEMPLATE: Final = 1_000_000
"""From S3, which SAM uses; in a request it would be 51,200."""
MOST_BYTES_OF_A_FUNCTION: Final = 262_144_000
"""Of a function and its layers, unzipped: 250 MB."""
MOST_CHARACTERS_OF_A_NAME: Final = 64
"""Of a function, a role or a schedule."""
MOST: Final[Mapping[str, int]] = {"Resources": 500, "Parameters": 200, "Outputs": 200}
LAYERS: Final = ("CoreLayer", "DependenciesLayer")
QUOTAS: Final = (
    "Lambda, concurrent executions: a new account has 10; ask for 1,000 (L-B99A9384)",
    "SES: a new account is in the sandbox, and mails go to verified addresses alone",
    "API Gateway, regional custom domain names: 120",
)


def deploy_check(
    variables: Annotated[list[str], typer.Argument(help="As given to make: STAGE=dev SENDER=...")],
) -> None:
    """Check `make deploy` as far as that is possible without an account."""
    troubles = [*check_line(variables), *check_template(read_template())]
    troubles += check_packages(BUILT)
    if troubles:
        raise CannotStart("This would not deploy:\n" + "\n".join(f"- {one}" for one in troubles))
    sizes = "" if BUILT.is_dir() else "; packages are not built, so their sizes are not checked"
    typer.echo(f"The line, the parameters, the names and the template are right{sizes}.")
    typer.echo("Quotas to look at (docs/deploy.md):")
    for one in QUOTAS:
        typer.echo(f"- {one}")


def read_line(variables: Iterable[str]) -> dict[str, Any]:
    """The options of `sam deploy` in the command that `make deploy` would run.

    :raises CannotStart: when make, or SAM's parser, refuses it
    """
    command = ["make", "--no-print-directory", "-n", "deploy", *variables]
    # Nothing is asked of an account here.
    nowhere = {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    nowhere |= {"AWS_EC2_METADATA_DISABLED": "true"}
    made = subprocess.run(
        command, cwd=ROOT, env=nowhere, capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise CannotStart(made.stderr.strip() or made.stdout.strip())
    lines = made.stdout.replace("\\\n", " ").splitlines()
    [line] = [one for one in lines if one.startswith("sam deploy ")]
    try:
        options = sam_deploy.make_context("deploy", shlex.split(line)[2:]).params
    except Exception as error:
        raise CannotStart(f"SAM refuses the line of `make deploy`: {error}") from None
    return dict(options)


def check_line(variables: Iterable[str]) -> Iterator[str]:
    """The problems with the parameters and names of a deployment with these variables."""
    options, template = read_line(variables), read_template()
    given: Mapping[str, str] = options["parameter_overrides"]
    declared = template["Parameters"]
    yield from (f"the template has no parameter {name}" for name in given.keys() - declared.keys())
    for name, one in declared.items():
        value = given.get(name, one.get("Default"))
        if value is None:
            yield f"the parameter {name} is missing"
        elif not _is_allowed(str(value), one):
            yield f"{name}={value}: {one.get('ConstraintDescription', one.get('Description'))}"
    if bool(given.get("DomainName")) != bool(given.get("CertificateArn")):
        yield "DOMAIN and CERTIFICATE belong together: API Gateway needs both"
    yield from check_names(template, stack=str(options["stack_name"]))


def _is_allowed(value: str, parameter: Mapping[str, Any]) -> bool:
    allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
    return value in allowed and bool(re.fullmatch(parameter.get("AllowedPattern", ".*"), value))


def check_names(template: Mapping[str, Any], *, stack: str) -> Iterator[str]:
    """Names of functions and schedules that would be too long."""
    for name, one in template["Resources"].items():
        properties = one.get("Properties", {})
        named = [properties.get("FunctionName")]
        events = properties.get("Events", {})
        named += [event.get("Properties", {}).get("Name") for event in events.values()]
        for given in named:
            text = given.get("Fn::Sub") if isinstance(given, dict) else given
            whole = str(text or "").replace("${AWS::StackName}", stack)
            if len(whole) > MOST_CHARACTERS_OF_A_NAME:
                yield f"{name}: the name {whole} has {len(whole)} characters, and may have 64"


def check_template(template: Mapping[str, Any]) -> Iterator[str]:
    """The parts of the template that exceed a quota."""
    made = BUILT / "template.yaml"
    path = made if made.is_file() else ROOT / "template.yaml"
    if (size := path.stat().st_size) > MOST_BYTES_OF_A_TEMPLATE:
        yield f"{path.name} has {size:,} bytes, and may have {MOST_BYTES_OF_A_TEMPLATE:,}"
    for section, most in MOST.items():
        # SAM makes up to seven resources of a function with its events.
        if (number := len(template.get(section, {}))) > most:
            yield f"the template has {number} {section}, and may have {most}"


def check_packages(built: Path) -> Iterator[str]:
    """Functions that are too large with their layers; empty if nothing is built."""
    if not (built / "template.yaml").is_file():
        return
    layers = sum(_bytes_of(built / name) for name in LAYERS)
    resources = yaml_parse((built / "template.yaml").read_text())["Resources"]
    for name, one in resources.items():
        size = layers + _bytes_of(built / name)
        if one["Type"] == "AWS::Serverless::Function" and size > MOST_BYTES_OF_A_FUNCTION:
            yield f"{name} has {size:,} bytes with its layers, and may have 250 MB"


def _bytes_of(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
