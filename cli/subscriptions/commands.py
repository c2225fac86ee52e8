"""``milepost subscriptions list``, ``resume``, ``send-test``, ``secret`` and ``rotate-secret``."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.activity.recording import recorded
from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.connections.stored_state import SharedSecret
from cli.errors import COULD_NOT, CannotDo, WrongUse
from cli.options import CsvOption, JsonOption
from cli.output import is_interactive, tell, tell_csv, tell_json, warn
from cli.stack import Stack, StackOption, find_stack
from cli.subscriptions.overview import (
    show_subscriptions,
    subscription_as_json,
)
from milepost.aws.shared_secret import Entries
from milepost.common.timestamps import format_instant
from milepost.exports.list_columns import SUBSCRIPTIONS
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.endpoints.secret_rotation import (
    KEEP_PREVIOUS,
    LONGEST_KEPT,
    current_secret,
    previous_until,
    rotate,
)
from milepost.notifications.notice import Audience, Channel
from milepost.notifications.subscription import Subscription
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from milepost.webhooks.signatures import make_signing_secret

app = make_part("Who is notified of what, by mail or at an endpoint.")

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
        tell_csv(SUBSCRIPTIONS, [subscription_as_json(one) for one in found])
    elif not found:
        tell(f"{target} has no subscriptions yet: apply a file with subscriptions.")
    else:
        show_subscriptions(found)


@app.command("resume", epilog=examples("subscriptions resume person-1"))
def resume_subscription(
    subscription_id: IdArgument,
    *,
    stack: StackOption = None,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", help="Also lift the suppression of its address, without asking."
        ),
    ] = False,
) -> None:
    """Reactivate a subscription that has ended, and lift the suppression of its address.

    Do it only if the recipient wants it: somebody who unsubscribed or complained wants no mails.
    Without a terminal and without --yes, the address stays suppressed.
    """
    target = find_stack(stack)
    table = _table(target)
    found = _find(table, subscription_id)
    if found.ended is None:
        tell(f"{subscription_id} has not ended.")
    else:
        with recorded(target, "resume_subscription", subscription=subscription_id):
            if not table.resume(subscription_id, ended=found.ended):
                raise WrongUse(
                    f"{subscription_id} was changed meanwhile: check it with "
                    "`milepost subscriptions list`."
                )
        tell(f"{subscription_id} is active again; it had ended: {found.ended}.")
    if found.channel is Channel.EMAIL:
        _lift_suppression(target, found, yes=yes)


@app.command("send-test", epilog=examples("subscriptions send-test person-1"))
def send_test(
    subscription_id: IdArgument, *, stack: StackOption = None, as_json: JsonOption = False
) -> None:
    """Send a message that says it is a test to the address, endpoint or chat of a subscription.

    It is about no order, is not in the delivery log and is not retried.
    """
    target = find_stack(stack)
    found = _find(_table(target), subscription_id)
    made = OrdersApi(target).post(f"/subscriptions/{quote(subscription_id, safe='')}/send-test")
    if as_json:
        tell_json(made)
    elif made["failure"] is not None:
        warn(f"{found.recipient} did not get it: {made['failure']}.")
    elif found.channel is Channel.EMAIL:
        tell(f"The mail to {found.recipient} is queued, and sent within a minute.")
    else:
        tell(f"{found.recipient} accepted it (HTTP {made['status']}).")
    if made["failure"] is not None:
        raise typer.Exit(COULD_NOT)


@app.command("secret", epilog=examples("subscriptions secret crm"))
def show_secret(
    subscription_id: IdArgument,
    *,
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the secret that signs an endpoint's messages, to give it to whoever runs the
    endpoint."""
    target = find_stack(stack)
    entry = _secrets_of(target, subscription_id).read().get(subscription_id)
    _require_secret(entry, subscription_id)
    if is_interactive() and not yes and not typer.confirm("Print it here?", err=True):
        raise typer.Exit(COULD_NOT)
    _tell_secret(subscription_id, entry, as_json=as_json)


@app.command("rotate-secret", epilog=examples("subscriptions rotate-secret file-90de1b7a3654fa2c"))
def rotate_secret(
    subscription_id: IdArgument,
    *,
    keep_old_for: Annotated[
        int,
        typer.Option(
            "--keep-old-for",
            metavar="HOURS",
            min=0,
            max=int(LONGEST_KEPT.total_seconds()) // 3600,
            help="For how many hours messages are also signed by the old "
            "secret; 0 ends it immediately.",
        ),
    ] = int(KEEP_PREVIOUS.total_seconds()) // 3600,
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Create a new secret for an endpoint and print it, to give it to whoever runs the endpoint.

    For a day, or as long as --keep-old-for says, every message has two signatures, by the new
    secret and by the old one, so that the endpoint can switch in that time. Use 0 if others may
    know the old secret.
    """
    target = find_stack(stack)
    secrets, now = _secrets_of(target, subscription_id), datetime.now(UTC)
    _require_secret(secrets.read().get(subscription_id), subscription_id)
    asked = f"Create a new secret for {subscription_id}, and print it here?"
    if keep_old_for == 0:
        confirm(f"{asked} Nothing is signed with the old secret any more.", yes=yes)
    elif is_interactive() and not yes and not typer.confirm(asked, err=True):
        raise typer.Exit(COULD_NOT)

    def turn(entries: Entries) -> None:
        # Deleted meanwhile, the endpoint gets no secret again.
        _require_secret(entry := entries.get(subscription_id), subscription_id)
        entries[subscription_id] = rotate(
            entry,
            new=make_signing_secret(STANDARD_WEBHOOKS),
            now=now,
            keep_for=timedelta(hours=keep_old_for),
        )

    with recorded(target, "rotate_subscription_secret", subscription=subscription_id):
        entry = secrets.change(turn)[subscription_id]
    _tell_secret(subscription_id, entry, as_json=as_json)
    warn("Messages are signed with it within 5 minutes.")
    warn(
        "If connections.yaml names this endpoint's secret, change it there "
        "before you apply the file."
    )


def _secrets_of(stack: Stack, subscription_id: str) -> SharedSecret:
    """Where the secret of this endpoint is stored.

    :raises WrongUse: when it is no endpoint
    """
    found = _find(_table(stack), subscription_id)
    if found.channel is not Channel.HTTPS:
        raise WrongUse(
            f"{subscription_id} is notified by {found.channel}: only endpoints have secrets."
        )
    return SharedSecret(
        stack.client("secretsmanager"), secret_id=stack.output("EndpointSecretsArn")
    )


def _require_secret(entry: Any, subscription_id: str) -> None:
    if current_secret(entry) is None:
        raise CannotDo(
            f"{subscription_id} has no secret. For a subscription of the file, "
            "run `milepost connections apply`; for another, add it to the "
            "secret of the output EndpointSecretsArn."
        )


def _tell_secret(subscription_id: str, entry: Any, *, as_json: bool) -> None:
    secret, until = current_secret(entry), previous_until(entry, now=datetime.now(UTC))
    if as_json:
        shown = format_instant(until) if until else None
        tell_json({"subscription": subscription_id, "secret": secret, "previous_until": shown})
        return
    tell(str(secret))
    if until:
        warn(f"The previous secret also signs until {until:%Y-%m-%d %H:%M} UTC.")


def _table(stack: Stack) -> SubscriptionsTable:
    return SubscriptionsTable(stack.client("dynamodb"), table_name=stack.output("NoticesTable"))


def _find(table: SubscriptionsTable, subscription_id: str) -> Subscription:
    found = table.get(subscription_id)
    if found is None:
        raise WrongUse(
            f"There is no subscription {subscription_id}: `milepost subscriptions list` shows them."
        )
    return found


def _lift_suppression(stack: Stack, subscription: Subscription, *, yes: bool) -> None:
    address = subscription.recipient
    suppressions = SuppressionsTable(
        stack.client("dynamodb"), table_name=stack.output("NoticesTable")
    )
    reason = suppressions.reason(address, audience=Audience.TEAM)
    if reason is None:
        return
    asked = f"{address} is suppressed: {reason}. Send mails to it again?"
    if yes or (is_interactive() and typer.confirm(asked, err=True)):
        with recorded(stack, "lift_suppression", subscription=subscription.id):
            suppressions.lift(address, at=datetime.now(UTC))
        tell(f"{address} gets mails again.")
    else:
        warn(f"{address} is still suppressed: {reason}. Use --yes to send mails to it again.")
