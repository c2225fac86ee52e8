"""``milepost subscriptions list``, ``resume`` and ``secret``."""

from typing import Annotated

import typer

from cli.connections.stored import SharedSecret
from cli.faults import COULD_NOT, CannotDo, WrongUse
from cli.options import CsvOption, JsonOption
from cli.output import is_interactive, tell, tell_csv, tell_json, warn
from cli.parts import examples, make_part
from cli.stack import Stack, StackOption, find_stack
from cli.subscriptions.overview import (
    CSV_COLUMNS,
    csv_row,
    show_subscriptions,
    subscription_as_json,
)
from milepost.aws.subscriptions_table import SubscriptionsTable, SuppressionsTable
from milepost.notices import Audience, Channel
from milepost.subscriptions import Subscription

app = make_part("Who is told of what, by mail or at an endpoint.")

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As `milepost subscriptions list` shows it.")
]


@app.command("list", epilog=examples("subscriptions list"))
def list_subscriptions(
    *, stack: StackOption = None, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """Show every subscription: those of the file, and those that people made themselves."""
    target = find_stack(stack)
    found = sorted(_table(target).all(), key=lambda one: (one.recipient, one.id))
    if as_json:
        tell_json([subscription_as_json(one) for one in found])
    elif as_csv:
        tell_csv(CSV_COLUMNS, [csv_row(one) for one in found])
    elif not found:
        tell(f"{target} has no subscriptions yet: apply a file that has some.")
    else:
        show_subscriptions(found)


@app.command("resume", epilog=examples("subscriptions resume person-1"))
def resume_subscription(
    subscription_id: IdArgument,
    *,
    stack: StackOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Let mails go to its address again, unasked.")
    ] = False,
) -> None:
    """Let a subscription live again that ended, and mails go to its address that were stopped.

    Do it when the recipient wants it: somebody who unsubscribed or complained has said no. Without
    a terminal and without --yes, the address stays stopped.
    """
    target = find_stack(stack)
    table = _table(target)
    found = _find(table, subscription_id)
    if found.ended is None:
        tell(f"{subscription_id} has not ended.")
    else:
        table.resume(subscription_id)
        tell(f"{subscription_id} lives again; it had ended: {found.ended}.")
    if found.channel is Channel.EMAIL:
        _lift_suppression(target, found.recipient, yes=yes)


@app.command("secret", epilog=examples("subscriptions secret crm"))
def show_secret(
    subscription_id: IdArgument,
    *,
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what an endpoint's messages are signed with, to give it to who runs the endpoint."""
    target = find_stack(stack)
    found = _find(_table(target), subscription_id)
    if found.channel is not Channel.HTTPS:
        raise WrongUse(
            f"{subscription_id} is told by {found.channel}: only endpoints have secrets."
        )
    secrets = SharedSecret(
        target.client("secretsmanager"), secret_id=target.output("EndpointSecretsArn")
    )
    secret = secrets.read().get(subscription_id)
    if not isinstance(secret, str):
        raise CannotDo(
            f"{subscription_id} has no secret. One of the file gets it by `milepost connections "
            "apply`; for another, put it into the secret of the output EndpointSecretsArn."
        )
    if is_interactive() and not yes and not typer.confirm("Print it here?", err=True):
        raise typer.Exit(COULD_NOT)
    if as_json:
        tell_json({"subscription": subscription_id, "secret": secret})
    else:
        tell(secret)


def _table(stack: Stack) -> SubscriptionsTable:
    return SubscriptionsTable(stack.client("dynamodb"), table_name=stack.output("NoticesTable"))


def _find(table: SubscriptionsTable, subscription_id: str) -> Subscription:
    found = table.get(subscription_id)
    if found is None:
        raise WrongUse(
            f"There is no subscription {subscription_id}: `milepost subscriptions list` shows them."
        )
    return found


def _lift_suppression(stack: Stack, address: str, *, yes: bool) -> None:
    suppressions = SuppressionsTable(
        stack.client("dynamodb"), table_name=stack.output("NoticesTable")
    )
    reason = suppressions.reason(address, audience=Audience.TEAM)
    if reason is None:
        return
    asked = f"No mail goes to {address}: {reason}. Let mails go there again?"
    if yes or (is_interactive() and typer.confirm(asked, err=True)):
        suppressions.lift(address)
        tell(f"Mails go to {address} again.")
    else:
        warn(f"Still no mail goes to {address}: {reason}. With --yes they go there again.")
