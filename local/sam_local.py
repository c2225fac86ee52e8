"""Settings for `sam local invoke`, so that a function uses the running local stack.

SAM gives a function in its container only variables that its template declares, so there is a copy
of the built template that declares where AWS is. Source: samcli.local.lambdafn.env_vars.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from local.build import TEMPLATE
from local.errors import CannotStart
from local.files import ROOT, Places
from local.invoke import sign_event
from local.stack import Stack, read_stack

ENDPOINT: Final = "AWS_ENDPOINT_URL"
LOCAL_TEMPLATE: Final = TEMPLATE.with_name("sam-local.yaml")
ENVIRONMENT_FILE: Final = "env.json"
EVENTS_FOLDER: Final = "events"
_FUNCTION: Final = "AWS::Serverless::Function"


def write_environment(places: Places) -> list[Path]:
    """Write env.json and the template for it; returns the paths of both.

    :raises CannotStart: when no stack runs
    """
    stack = _running(places)
    template = _built_template()
    names = [name for name, one in template["Resources"].items() if one["Type"] == _FUNCTION]
    path = places.state / ENVIRONMENT_FILE
    path.write_text(json.dumps({name: _variables_of(name, stack) for name in names}, indent=2))
    path.chmod(0o600)
    LOCAL_TEMPLATE.write_text(yaml.safe_dump(declare_endpoint(template), sort_keys=False))
    return [path, LOCAL_TEMPLATE]


def write_signed_events(places: Places) -> list[Path]:
    """Write the webhook events of events/ with current signatures, which are valid for 5 minutes.

    :raises CannotStart: when no stack runs
    """
    stack = _running(places)
    folder = places.state / EVENTS_FOLDER / "receive_webhook"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted((ROOT / EVENTS_FOLDER / "receive_webhook").glob("*.json")):
        event = json.loads(path.read_text())
        signed = folder / path.name
        signed.write_text(json.dumps(sign_event(event, stack), indent=2))
        written.append(signed)
    return written


def declare_endpoint(template: dict[str, Any]) -> dict[str, Any]:
    """The template, with a variable for every function that has the address of the emulator."""
    settings = template.setdefault("Globals", {}).setdefault("Function", {})
    variables = settings.setdefault("Environment", {}).setdefault("Variables", {})
    variables[ENDPOINT] = ""
    return template


def reachable_from_a_container(url: str, *, platform: str = sys.platform) -> str:
    """The address of this machine's loopback interface from within a container.

    On Linux SAM's container shares the machine's network (``docker_network`` in samconfig.toml);
    elsewhere Docker has a name for it.
    """
    if platform == "linux":
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=f"host.docker.internal:{parts.port}").geturl()


def _running(places: Places) -> Stack:
    stack = read_stack(places)
    if stack is None:
        raise CannotStart("No stack is running: start one with `make run` (or DETACH=1 make run).")
    return stack


def _built_template() -> dict[str, Any]:
    try:
        template: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text())
    except FileNotFoundError:
        raise CannotStart("The template isn't built: run `make build` first.") from None
    return template


def _variables_of(logical_id: str, stack: Stack) -> dict[str, str]:
    name = stack.resource_id(logical_id)
    found = stack.client("lambda").get_function_configuration(FunctionName=name)
    variables: dict[str, str] = found.get("Environment", {}).get("Variables", {})
    return {**variables, ENDPOINT: reachable_from_a_container(stack.aws_endpoint_url)}
