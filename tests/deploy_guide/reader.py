"""A reader who follows the guide in an account of the emulator."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from samcli.yamlhelper import yaml_dump, yaml_parse

from local.deploy_check import read_line
from local.emulator_access import ACCOUNT, Access
from local.emulator_corrections.cloudformation import DEPLOYER
from tests.deploy_guide.aws_cli import Shell
from tests.deploy_guide.documents import GUIDE, Step
from tests.e2e.account import Account
from tests.stack import ROOT

STACK: Final = "milepost-prod"
RULES: Final = "milepost-rules"
CONNECTION: Final = "offergrid-main"
OPERATOR: Final = "lena"
_EVERYTHING: Final = {"WithDashboard": "true", "WithEventBus": "true"}
"""So that the guides' commands about both find them."""
_ASSIGNMENT: Final = re.compile(r"(\w+)=\$\(")
_POLICIES: Final = ("trust.json", "operator.json", "pipeline.json")
"""The files that the guide prints, in its order."""
_CREDENTIALS: Final = """\
[{name}]
aws_access_key_id = {key}
aws_secret_access_key = {secret}
"""


@dataclass(kw_only=True)
class Reader:
    """The reader's shell, and the output of the commands so far."""

    account: Account
    shell: Shell
    variables: dict[str, str] = field(default_factory=lambda: {"after": "null"})
    outputs: Mapping[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """An administrator, with the guide's files in the shell's folder."""
        blocks = re.findall(r"```json\n(.*?)```", GUIDE.read_text(), re.DOTALL)
        for name, content in zip(_POLICIES, blocks, strict=True):
            # CloudFormation leaves the stack out of a secret's name; ministack doesn't.
            own = self.fill(content).replace(":secret:", f":secret:{STACK}-")
            (self.shell.folder / name).write_text(own)
        (profile,) = re.findall(r"```ini\n(.*?)```", GUIDE.read_text(), re.DOTALL)
        settings = self.shell.folder / ".aws"
        settings.mkdir()
        (settings / "config").write_text(self.fill(profile))
        (settings / "credentials").write_text(
            self._credentials("ada", profile="default") + self._credentials(OPERATOR)
        )
        iam = self.account.client("iam")
        everything = "arn:aws:iam::aws:policy/AdministratorAccess"
        iam.attach_user_policy(UserName="ada", PolicyArn=everything)
        (self.shell.folder / "nothing.yaml").write_text("connections: []\n")
        documents = self.shell.folder / "docs"
        (documents / "examples").mkdir(parents=True)
        (documents / "deployer-policy.json").symlink_to(ROOT / "docs" / "deployer-policy.json")
        example = yaml_parse((ROOT / "docs" / "examples" / "event-bus.yaml").read_text())
        # ministack's CloudFormation has no archives; its EventBridge has.
        del example["Resources"]["AnnouncementsArchive"], example["Outputs"]["ArchiveArn"]
        (documents / "examples" / "event-bus.yaml").write_text(yaml_dump(example))

    def _credentials(self, user: str, *, profile: str | None = None) -> str:
        iam = self.account.client("iam")
        iam.create_user(UserName=user)
        made = iam.create_access_key(UserName=user)["AccessKey"]
        return _CREDENTIALS.format(
            name=profile or user, key=made["AccessKeyId"], secret=made["SecretAccessKey"]
        )

    def follow(self, step: Step) -> subprocess.CompletedProcess[str]:
        """Run the commands of a step."""
        text = self.fill(step.text)
        if step.tool == "make":
            return self._make(text)
        if step.tool == "milepost":
            return self.shell.run(text, **self.variables, AWS_PROFILE=OPERATOR)
        assigned = _ASSIGNMENT.match(text)
        if assigned:
            text += f'\necho -n "${assigned[1]}"'
        done = self.shell.run(text, **self.variables)
        if assigned:
            self.variables[assigned[1]] = done.stdout.strip()
        return done

    def fill(self, text: str) -> str:
        """A command with the reader's own values in place of the guide's."""
        text = text.replace("<stack>", STACK).replace("milepost-dev", STACK)
        text = text.replace("123456789012", ACCOUNT).replace(
            "PASSWORD=...", "PASSWORD=Abc-123456789."
        )
        text = text.replace("--password ...", "--password Abc-123456789.")
        return re.sub(r"<([A-Z]\w+)>", lambda name: self.outputs[name[1]], text)

    def _make(self, text: str) -> subprocess.CompletedProcess[str]:
        target, *words = text.split()[1:]
        if target == "deploy":
            self.deploy(
                [self.shell.run(f"echo {one}", **self.variables).stdout.strip() for one in words]
            )
            return subprocess.CompletedProcess(text, 0, stdout="", stderr="")
        # The guide's moment is in the past of every table here.
        now = datetime.now(UTC).isoformat()
        command = f"{sys.executable} -m local {target} --stack {STACK} --at {now}"
        paths = f"{ROOT}:{ROOT / 'layers' / 'core'}"
        return self.shell.run(command, PYTHONPATH=paths)

    def deploy(self, variables: list[str]) -> None:
        """`make deploy`, with the parameters in its own line, under the role that the guide
        created.
        """
        options = read_line(variables)
        assert options["stack_name"] == STACK
        deployer = self.deployer()
        found = self.shell.run(
            f"{sys.executable} -m local protection --stack {STACK}",
            PYTHONPATH=f"{ROOT}:{ROOT / 'layers' / 'core'}",
        )
        protection = dict([found.stdout.strip().split("=")] if found.stdout.strip() else [])
        line: Mapping[str, str] = options["parameter_overrides"]
        self.account.deploy(
            STACK, settings={**line, **protection, **_EVERYTHING}, deployer=deployer
        )
        self.read_outputs()

    def deployer(self) -> Access:
        """A user who has assumed the deployer's role, like the profile."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/{DEPLOYER}"
        name = f"--role-arn {arn} --role-session-name ada"
        given = json.loads(self.shell.run(f"aws sts assume-role {name}").stdout)["Credentials"]
        return replace(
            self.account.access,
            access_key_id=given["AccessKeyId"],
            secret_access_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
        )

    def read_outputs(self) -> None:
        """Look up the stacks' outputs and resources."""
        self.outputs = self._outputs_of(STACK)
        self.variables |= {
            "POOL": self.outputs["PeoplePool"],
            "CLIENT": self.outputs["PeopleClient"],
            "TOPIC": self.outputs["AnnouncementsTopicArn"],
            "BUS": self.outputs["EventBusName"],
            "BUS_ARN": self.outputs["EventBusArn"],
            "QUEUE_ARN": f"arn:aws:sqs:{self.account.access.region}:{ACCOUNT}:own",
        }

    def read_rules(self) -> None:
        """Look up a rule of the example, and create the archive that it has on AWS."""
        events = self.account.client("events")
        made = events.list_rules(EventBusName=self.variables["BUS"])["Rules"]
        archive = events.create_archive(
            ArchiveName=f"{RULES}-archive", EventSourceArn=self.variables["BUS_ARN"]
        )
        self.variables |= {"RULE_ARN": made[0]["Arn"], "ARCHIVE_ARN": archive["ArchiveArn"]}

    def _outputs_of(self, stack: str) -> dict[str, Any]:
        found = self.account.client("cloudformation").describe_stacks(StackName=stack)
        return {one["OutputKey"]: one["OutputValue"] for one in found["Stacks"][0]["Outputs"]}
