"""A test's own account on a new emulator, in which the test deploys stacks."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from local.build import TEMPLATE, build_stack
from local.deployment import Deployment, deploy_stack, verify_sender
from local.emulator_access import ACCOUNT, Access, make_access
from local.emulator_corrections.cloudformation import RECORD
from local.emulator_process import running_emulator
from local.files import ROOT
from local.inbox import Inbox
from local.processes import find_free_port, plain_environment
from tests.signing import SECRET, standard_headers

CONNECTION = "offergrid-home"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}
_DECLARED = f"""
connections:
  - id: {CONNECTION}
    provider: offergrid
    base_url: "%s"
    time_zone: Europe/Berlin
    poll: "off"
    contact: sales@example.org
    notices_per_hour: 1000
    credentials: {{api_key: "%s"}}
    signing: {{secrets: ["{SECRET}"]}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A running emulator, and its output."""

    access: Access
    inbox: Inbox
    folder: Path
    log: IO[bytes]

    def client(self, service: str) -> Any:
        return self.access.client(service)

    def deploy(
        self,
        stack_name: str,
        *,
        template: Path = TEMPLATE,
        settings: Mapping[str, str] | None = None,
        deployer: Access | None = None,
    ) -> Deployment:
        """:param deployer: another principal than the root user; uses the SAM CLI's own bucket"""
        if deployer is None:
            return deploy_stack(
                self.access,
                log=self.log,
                stack_name=stack_name,
                template=template,
                settings=settings,
            )
        return deploy_stack(
            deployer,
            log=self.log,
            stack_name=stack_name,
            template=template,
            settings=settings,
            bucket=None,
            reader=self.access,
        )

    def assume(self, role: str, *, policy: Mapping[str, Any]) -> Access:
        """Credentials of a role with this policy only."""
        iam = self.client("iam")
        if role not in {one["RoleName"] for one in iam.list_roles()["Roles"]}:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(_TRUST))
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(policy))
        given = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="test"
        )["Credentials"]
        return replace(
            self.access,
            access_key_id=given["AccessKeyId"],
            secret_access_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
        )

    def checked_for_deployer(self) -> list[dict[str, Any]]:
        """Each check of the deployer's role so far: action, resource, statement, decision."""
        record = self.folder / "emulator" / RECORD
        return [json.loads(line) for line in record.read_text().splitlines()]

    def forget_refusals(self) -> None:
        """Remove the refusals so far from the record."""
        allowed = [one for one in self.checked_for_deployer() if one["decision"] == "Allow"]
        lines = "".join(json.dumps(one) + "\n" for one in allowed)
        (self.folder / "emulator" / RECORD).write_text(lines)

    def run(self, *arguments: str, sources: Path = ROOT) -> str:
        """The output of ``milepost`` from these sources, run as an operator."""
        paths = os.pathsep.join([str(sources), str(sources / "layers" / "core")])
        done = subprocess.run(
            [sys.executable, "-c", "from cli.main import app; app()", *arguments],
            env=plain_environment(**self.access.environment(), PYTHONPATH=paths),
            cwd=sources,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def connect(
        self,
        stack_name: str,
        *,
        base_url: str = "http://127.0.0.1:9",
        api_key: str = "key",
        sources: Path = ROOT,
    ) -> None:
        """Apply the connection."""
        path = self.folder / f"{stack_name}.yaml"
        path.write_text(_DECLARED % (base_url, api_key))
        self.run("connections", "apply", str(path), "--yes", "--stack", stack_name, sources=sources)


@contextmanager
def running_account(folder: Path) -> Iterator[Account]:
    """An empty account, after the current sources were built."""
    folder.mkdir(exist_ok=True)
    scratch = folder / "emulator"
    scratch.mkdir()
    port = find_free_port()
    access = make_access(port=port)
    inbox = Inbox(smtp_port=find_free_port(), page_port=find_free_port())
    with (folder / "run.log").open("wb") as log:
        build_stack(log=log)
        try:
            with running_emulator(
                access, port=port, smtp_address=inbox.smtp_address, scratch=scratch, log=log
            ):
                verify_sender(access)
                yield Account(access=access, inbox=inbox, folder=folder, log=log)
        finally:
            inbox.close()


def webhook(event: bytes, *, delivery_id: str) -> dict[str, Any]:
    """A signed webhook of the connection in the form in which API Gateway passes it to a
    function.
    """
    headers = standard_headers(
        event, secret=SECRET, delivery_id=delivery_id, timestamp=int(time.time())
    )
    return {
        "version": "2.0",
        "headers": {"content-type": "application/json", **headers},
        "requestContext": {"http": {"method": "POST"}},
        "pathParameters": {"connection": CONNECTION},
        "body": event.decode(),
        "isBase64Encoded": False,
    }
