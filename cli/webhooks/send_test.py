"""``milepost send-test``: sends a signed test delivery, and checks that it arrives."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from cli.api import NoSuchThing, OrdersApi
from cli.command_group import examples, make_part
from cli.errors import COULD_NOT, CannotDo
from cli.options import JsonOption
from cli.output import tell, tell_json, warn
from cli.stack import Stack, StackOption, find_stack
from cli.webhooks.signers import find_signer
from milepost.quarantine.replay import KeptId
from milepost.webhooks.aws.test_sender import HttpSender
from milepost.webhooks.send_test import WebhookTest, WebhookTestOutcome

app = make_part()

_MEANINGS: Final[Mapping[int, str]] = {
    401: ("The stack verifies with another secret: a change takes up to 5 minutes."),
    404: (
        "No connection receives webhooks at this address: `milepost "
        "connections list` has the right one."
    ),
    503: ("The stack could not read its secrets or write to its queue: run `milepost doctor`."),
}


class QuarantinedTests:
    """Implements ``send_test.KeptTests`` with the quarantine, through the API."""

    def __init__(self, api: OrdersApi) -> None:
        self._api = api

    def has(self, kept_id: KeptId) -> bool:
        try:
            self._api.get(f"/quarantine/{kept_id.path_id}")
        except NoSuchThing:
            return False
        return True

    def remove(self, kept_id: KeptId) -> None:
        self._api.delete(f"/quarantine/{kept_id.path_id}")


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
    outcome = _try(target, connection, patience=patience)
    if as_json:
        tell_json(
            {name: getattr(outcome, name) for name in ("url", "status", "arrived", "seconds")}
        )
    else:
        _tell(outcome, patience)
    if not outcome.arrived:
        raise typer.Exit(COULD_NOT)


def _try(stack: Stack, connection: str, *, patience: float) -> WebhookTestOutcome:
    signer = find_signer(stack, connection)
    test = WebhookTest(
        sender=HttpSender(),
        kept=QuarantinedTests(OrdersApi(stack)),
        clock=lambda: datetime.now(UTC),
    )
    outcome = test.run(
        connection, url=stack.webhook_url(connection), headers=signer.headers, patience=patience
    )
    if outcome.fault is not None:
        raise CannotDo(f"{outcome.fault}.")
    return outcome


def _tell(trial: WebhookTestOutcome, patience: float) -> None:
    tell(f"{trial.url} answered {trial.status}.")
    if trial.arrived:
        tell(
            f"It was accepted, queued and read {trial.seconds} s after it was "
            "sent, and was deleted again."
        )
    elif trial.arrived is None:
        warn(
            _MEANINGS.get(
                trial.status or 0, "It was not accepted: the log of receive_webhook says why."
            )
        )
    else:
        warn(
            f"It was accepted, but not read within {patience:.0f} s: run "
            "`milepost doctor`. If it is read later, it stays in the "
            "quarantine."
        )
