"""``milepost send-test``: sends a signed test delivery, and checks that it arrives."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import uuid4

import typer
import urllib3

from cli.api import NoSuchThing, OrdersApi
from cli.command_group import examples, make_part
from cli.errors import COULD_NOT, CannotDo
from cli.options import JsonOption
from cli.output import tell, tell_json, warn
from cli.stack import Stack, StackOption, find_stack
from cli.webhooks.signers import find_signer
from milepost.quarantine.replay import KeptId
from milepost.webhooks.ping import make_delivery

app = make_part()

_ACCEPTED: Final = 202
_LOOK_EVERY: Final = 0.5
_MEANINGS: Final[Mapping[int, str]] = {
    401: ("The stack verifies with another secret: a change takes up to 5 minutes."),
    404: (
        "No connection receives webhooks at this address: `milepost "
        "connections list` has the right one."
    ),
    503: ("The stack could not read its secrets or write to its queue: run `milepost doctor`."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDelivery:
    """What came of a test: ``arrived`` is None when it was not accepted."""

    url: str
    status: int
    arrived: bool | None
    seconds: float | None


@app.command("send-test", epilog=examples("send-test offergrid-main"))
def send_test(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="Its id.")],
    *,
    patience: Annotated[
        float, typer.Option("--patience", help="Seconds to wait for its arrival.")
    ] = 60,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a signed webhook that reports nothing, and check whether it arrives.

    It changes no order, notifies nobody and raises no alarm. The stack keeps it in the quarantine
    as a test delivery; this command finds it there and deletes it.
    """
    target = find_stack(stack)
    trial = _try(target, connection, patience=patience)
    if as_json:
        tell_json({name: getattr(trial, name) for name in TestDelivery.__slots__})
    else:
        _tell(trial, patience)
    if not trial.arrived:
        raise typer.Exit(COULD_NOT)


def _try(stack: Stack, connection: str, *, patience: float) -> TestDelivery:
    body = json.dumps(make_delivery(uuid4().hex)).encode()
    signer, url = find_signer(stack, connection), stack.webhook_url(connection)
    sent_at = datetime.now(UTC)
    headers = signer.headers(
        body, delivery_id=f"test_{uuid4().hex}", timestamp=int(sent_at.timestamp())
    )
    status = _send(url, body, headers)
    if status != _ACCEPTED:
        return TestDelivery(url=url, status=status, arrived=None, seconds=None)
    api = OrdersApi(stack)
    kept = _wait_for(api, connection, body, sent_at, patience=patience)
    if kept is None:
        return TestDelivery(url=url, status=status, arrived=False, seconds=None)
    seconds = (datetime.now(UTC) - sent_at).total_seconds()
    api.delete(f"/quarantine/{kept}")
    return TestDelivery(url=url, status=status, arrived=True, seconds=round(seconds, 1))


def _send(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    try:
        answer = urllib3.request(
            "POST", url, body=body, headers=headers, timeout=15, retries=False, redirect=False
        )
    except urllib3.exceptions.HTTPError as error:
        raise CannotDo(f"{url} could not be reached: {error}.") from None
    return answer.status


def _wait_for(
    api: OrdersApi, connection: str, body: bytes, sent_at: datetime, *, patience: float
) -> str | None:
    """Its id in the quarantine, which follows from its bytes and the day; None when it lacks."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    # Ours and the stack's clock may stand on two sides of midnight.
    days = {(sent_at + timedelta(minutes=more)).date() for more in (-5, 0, 5)}
    ids = [KeptId(connection, day.isoformat(), digest).path_id for day in days]
    deadline = time.monotonic() + patience
    while True:
        for one in ids:
            if _is_kept(api, one):
                return one
        if time.monotonic() >= deadline:
            return None
        time.sleep(_LOOK_EVERY)


def _is_kept(api: OrdersApi, kept: str) -> bool:
    try:
        api.get(f"/quarantine/{kept}")
    except NoSuchThing:
        return False
    return True


def _tell(trial: TestDelivery, patience: float) -> None:
    tell(f"{trial.url} answered {trial.status}.")
    if trial.arrived:
        tell(
            f"It was accepted, queued and read {trial.seconds} s after it was "
            "sent, and was deleted again."
        )
    elif trial.arrived is None:
        warn(
            _MEANINGS.get(trial.status, "It was not accepted: the log of receive_webhook says why.")
        )
    else:
        warn(
            f"It was accepted, but not read within {patience:.0f} s: run "
            "`milepost doctor`. If it is read later, it stays in the "
            "quarantine."
        )
