"""A deployment that ``milepost doctor`` examines."""

import json
from collections.abc import Mapping
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from cli.doctor.api_checks import OPEN_ROUTES
from tests.unit.cli.conftest import Deployed

HEALTHY = {"ProductionAccessEnabled": True, "SendingEnabled": True, "EnforcementStatus": "HEALTHY"}
ROUTES = [
    *({"RouteKey": one, "AuthorizationType": "NONE"} for one in sorted(OPEN_ROUTES)),
    {"RouteKey": "GET /orders", "AuthorizationType": "JWT"},
]


def set_verified(identity: str, *, verified: bool) -> None:
    """Set whether SES can send from an existing identity, since no client can change that in
    moto.
    """
    stored = ses_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].email_identities[identity]
    stored.verified_for_sending_status = verified


def resource(name: str, identity: str, kind: str) -> dict[str, str]:
    return {"LogicalResourceId": name, "PhysicalResourceId": identity, "ResourceType": kind}


def examined(deployed: Deployed) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads(deployed.run("doctor", "--json").stdout)
    return found


def trouble(deployed: Deployed) -> list[tuple[str, str, str]]:
    return [(f["level"], f["about"], f["text"]) for f in examined(deployed) if f["level"] != "ok"]
