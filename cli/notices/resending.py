"""``milepost notices resend``: sends a mail or a message to a chat again."""

import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer

from cli.activity.recording import recorded
from cli.command_group import examples
from cli.errors import CannotDo, WrongUse
from cli.options import KeyOption
from cli.output import tell, warn
from cli.stack import StackOption, caller_name, find_stack
from milepost.common.errors import OrdersUnavailable
from milepost.common.idempotency import KeyReused
from milepost.connections.aws.settings import ConnectionSettings
from milepost.notifications.aws.resend import open_resender
from milepost.notifications.notice import BadNoticeId, NoticeId
from milepost.notifications.resend import CannotResend, NeedsForce, ResendRequest
from milepost.providers.registry import REGISTRY

EPILOG = examples(
    "notices resend offergrid-main:ord_1:item_1:accepted:email:1a2b --to new@example.com"
)


def resend_notice(
    notice: Annotated[
        str,
        typer.Argument(
            metavar="NOTICE", help="The notice's id, from `milepost notices list --ids`."
        ),
    ],
    *,
    to: Annotated[
        str | None, typer.Option("--to", help="An address to use instead of the notice's own.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="Your name, for the log. By default your AWS identity."),
    ] = None,
    key: KeyOption = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Send it although it is out of date, switched off, "
            "or its recipient may get no mail.",
        ),
    ] = False,
    stack: StackOption = None,
) -> None:
    """Send a mail or a message to a chat again: a new notice, rendered from the order as it is now.
    Prints its id.

    A notice is refused, with the reason, if it is out of date (the order has another status, the
    appointment was changed or is over), if its kind is off for customers, or if its recipient may
    get none. With --force it is sent, and begins with the order's present status.
    """
    try:
        identity = NoticeId.parse(notice)
    except BadNoticeId as error:
        raise WrongUse(f"{notice}: {error}.") from None
    target = find_stack(stack)
    resender = open_resender(
        dynamodb=target.client("dynamodb"),
        sqs=target.client("sqs"),
        connections=ConnectionSettings(
            target.client("ssm"),
            path=target.output("ConnectionsPath"),
            clock=time.monotonic,
            providers=REGISTRY,
        ),
        orders_table=target.output("OrdersTable"),
        notices_table=target.output("NoticesTable"),
        email_queue_url=target.output("EmailQueueUrl"),
        endpoint_queue_url=target.output("EndpointQueueUrl"),
    )
    request = ResendRequest(
        to=to, by=by or caller_name(target), key=key or uuid4().hex, force=force
    )
    ids = {"connection": identity.key.connection, "order": identity.key.path_id}
    with recorded(target, "resend_notice", notice=identity.path_id, **ids) as change:
        try:
            sent = resender.resend(identity, request, now=datetime.now(UTC))
        except KeyReused as error:
            raise WrongUse(f"Not resent: {error}.") from None
        except NeedsForce as error:
            raise WrongUse(f"Not sent: {error}. To send it anyway, use --force.") from None
        except CannotResend as error:
            raise CannotDo(f"Not resent: {error}.") from None
        except OrdersUnavailable as error:
            raise CannotDo(f"Not sent: {error}. Try again in a minute.") from None
        change.changed(after={"notice": NoticeId.parse(sent.id).path_id})
    warn(f"Goes to {sent.recipient}.")
    tell(sent.id)
