"""The running local stack, for `make run` and for tests.

``with running_stack() as stack: stack.client("dynamodb"); stack.mails()``
"""

import json
import os
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final, cast

from local.build import build_stack
from local.chat_server import ChatServer
from local.connections import (
    apply_connections,
    connections_file,
    describe_connections,
    list_connections,
    write_connections,
)
from local.console import ConsoleServer, tell_console_addresses
from local.demo_history import CONNECTION as HISTORY_OF
from local.demo_history import StackNames, history_in_background
from local.deployment import (
    STACK_NAME,
    Deployment,
    deploy_stack,
    tell_public_address,
    verify_sender,
)
from local.emulator_access import Access, make_access
from local.emulator_process import running_emulator
from local.files import Places
from local.frequent_polls import poll_frequently
from local.http_api import create_routes
from local.inbox import Inbox
from local.ports import Ports
from local.processes import require_free_port
from local.progress import Progress, silent_progress
from local.sandboxes.server import Sandboxes
from local.subscriber import subscribe_queue
from local.users import create_people

_ROUND_SECONDS: Final = 300.0
"""Duration of each round of orders after the first, if the demo continues."""


class DemoLength(StrEnum):
    """Whether the sandboxes move orders, from the values of ``make run DEMO=``."""

    NONE = "0"
    ONCE = "1"
    LOOP = "loop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What a client needs to use the running stack, with the same fields as stack.json."""

    aws_endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    stack_name: str
    api_url: str
    console_url: str
    mail_url: str
    chats_url: str
    """The page that shows what was posted to the stand-ins of Slack and Microsoft Teams."""
    chat_webhooks: Mapping[str, str]
    """The address of each stand-in's incoming webhook."""
    outputs: Mapping[str, str]
    connections: Mapping[str, Mapping[str, Any]]
    tokens: Mapping[str, str]
    """Bearer tokens of the orders API, by role; they hold for 24 hours."""
    people: Mapping[str, Mapping[str, str]]
    """Who can sign in to the console, by role: ``username`` and ``password``."""
    subscriber_queue_url: str

    @property
    def access(self) -> Access:
        """Address and credentials of the emulator."""
        return Access(
            endpoint_url=self.aws_endpoint_url,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
            region=self.region,
        )

    def client(self, service: str) -> Any:
        """A boto3 client of that service at the emulator."""
        return self.access.client(service)

    def mails(self) -> Sequence[Mapping[str, Any]]:
        """The mails that arrived, the newest first, in the form of /messages.json."""
        with urllib.request.urlopen(f"{self.mail_url}/messages.json", timeout=10) as answer:
            return cast(Sequence[Mapping[str, Any]], json.load(answer))

    def demo_is_through(self) -> bool:
        """Whether the sandboxes have finished moving their orders."""
        states = [self._demo_of(one["sandbox_url"]) for one in self.connections.values()]
        moved = [one for one in states if one["moves"]]
        return bool(moved) and not any(one["running"] for one in moved)

    def _demo_of(self, sandbox: str) -> Mapping[str, Any]:
        with urllib.request.urlopen(f"{sandbox}/_sandbox/demo", timeout=10) as answer:
            return cast(Mapping[str, Any], json.load(answer))

    def resource_id(self, logical_id: str) -> str:
        """The physical id of one of the template's resources."""
        answer = self.client("cloudformation").describe_stack_resources(StackName=self.stack_name)
        ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in answer["StackResources"]}
        return str(ids[logical_id])


def read_stack(places: Places) -> Stack | None:
    """The running stack in that directory; None if there is none."""
    try:
        return Stack(**json.loads(places.stack_file.read_text()))
    except FileNotFoundError:
        return None


@contextmanager
def running_stack(
    *,
    demo: DemoLength = DemoLength.NONE,
    places: Places | None = None,
    port: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Stack]:
    """Start everything, yield the stack, and remove everything at the end.

    Without `places` the stack's files are in their own directory that is removed.

    :raises CannotStart: with one line that says what is wrong and what to do
    """
    with ExitStack() as closing:
        if places is None:
            places = Places(closing.enter_context(_scratch(Path(tempfile.mkdtemp()))))
        places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = closing.enter_context(places.log_file.open("wb"))
        starting = _Starting(closing, places, log, progress or silent_progress())
        stack = starting.start(port=port, demo=demo)
        closing.callback(places.stack_file.unlink, missing_ok=True)
        write_privately(places.stack_file, json.dumps(asdict(stack), indent=2))
        yield stack


class _Starting:
    def __init__(
        self, closing: ExitStack, places: Places, log: IO[bytes], progress: Progress
    ) -> None:
        self._closing, self._places, self._log = closing, places, log
        self._step = progress.step
        self._ports = Ports(places.ports_file)

    def start(self, *, port: int | None, demo: DemoLength) -> Stack:
        if port is None:
            port = self._ports.choose("emulator")
        else:
            self._ports.keep("emulator", require_free_port(port))
        with self._step("built with sam"):
            build_stack(log=self._log)
        access = make_access(port=port)
        with self._step("emulator and mail inbox started"):
            inbox = self._start_emulator(access, port=port)
        with self._step("template.yaml deployed with sam"):
            deployment = deploy_stack(access, log=self._log)
            verify_sender(access)
        with self._step("routes, people and subscriber queue created"):
            api_url = create_routes(access, deployment)
            tell_public_address(access, deployment, api_url=api_url)
            topic = deployment.find_id("AnnouncementsTopic")
            queue_url = subscribe_queue(access, topic_arn=topic)
            people = create_people(access, deployment)
            console = self._serve_console(access, deployment, api_url=api_url)
        chats = self._closing.enter_context(ChatServer(port=self._ports.choose("chats")))
        with self._step("provider sandboxes started, connections applied"):
            connections = self._connect(
                access, deployment, api_url=api_url, demo=demo, chats=chats.urls
            )
        return Stack(
            aws_endpoint_url=access.endpoint_url,
            region=access.region,
            access_key_id=access.access_key_id,
            secret_access_key=access.secret_access_key,
            stack_name=STACK_NAME,
            api_url=api_url,
            console_url=console.url,
            mail_url=inbox.url,
            chats_url=chats.page_url,
            chat_webhooks=chats.urls,
            outputs=deployment.outputs,
            connections=connections,
            tokens={role: person.token for role, person in people.items()},
            people={
                role: {"username": person.username, "password": person.password}
                for role, person in people.items()
            },
            subscriber_queue_url=queue_url,
        )

    def _serve_console(
        self, access: Access, deployment: Deployment, *, api_url: str
    ) -> ConsoleServer:
        console = ConsoleServer(api_url=api_url, port=self._ports.choose("console"))
        self._closing.callback(console.close)
        tell_console_addresses(
            access, deployment, console_url=console.url, login_url=access.endpoint_url
        )
        return console

    def _start_emulator(self, access: Access, *, port: int) -> Inbox:
        inbox = Inbox(smtp_port=self._ports.choose("smtp"), page_port=self._ports.choose("inbox"))
        self._closing.callback(inbox.close)
        scratch = self._closing.enter_context(_scratch(self._places.state / "emulator"))
        emulator = running_emulator(
            access, port=port, smtp_address=inbox.smtp_address, scratch=scratch, log=self._log
        )
        self._closing.enter_context(emulator)
        return inbox

    def _connect(
        self,
        access: Access,
        deployment: Deployment,
        *,
        api_url: str,
        demo: DemoLength,
        chats: Mapping[str, str],
    ) -> Mapping[str, Mapping[str, Any]]:
        connections = list_connections(api_url=api_url)
        sandboxes = self._closing.enter_context(
            Sandboxes(connections, port=self._ports.choose("sandboxes"))
        )
        path = connections_file(self._places)
        self._closing.callback(path.unlink, missing_ok=True)
        write_connections(
            path,
            connections=connections,
            base_url=f"http://127.0.0.1:{sandboxes.port}",
            chats=chats if demo is not DemoLength.NONE else None,
        )
        apply_connections(access, path=path, log=self._log)
        if demo is not DemoLength.NONE:
            watch = deployment.find_id("WatchDeadlinesFunction")
            self._closing.enter_context(poll_frequently(access, watch_deadlines=watch))
            self._closing.enter_context(
                history_in_background(
                    sandboxes.accounts[HISTORY_OF],
                    access=access,
                    names=StackNames(
                        orders_table=deployment.find_id("OrdersTable"),
                        connections_path=deployment.outputs["ConnectionsPath"],
                        measure_stages=deployment.find_id("MeasureStagesFunction"),
                    ),
                )
            )
            sandboxes.start_demo(again_in=_ROUND_SECONDS if demo is DemoLength.LOOP else None)
        return describe_connections(sandboxes, connections, deployment)


def write_privately(path: Path, text: str) -> None:
    """Replace the file atomically; only its owner may read it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(name).replace(path)


@contextmanager
def _scratch(directory: Path) -> Iterator[Path]:
    """An empty directory, even if a killed process left files in it; it is removed at the end."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
