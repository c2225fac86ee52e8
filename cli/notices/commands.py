"""``milepost notices list``, ``resend``, ``preview`` and ``release``."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from cli.api import OrdersApi
from cli.asking import who_asks
from cli.connections.stored import open_settings
from cli.faults import COULD_NOT, EXIT_CODES, CannotDo, WrongUse
from cli.notices.previewing import (
    DIGEST,
    MailWanted,
    PreviewKind,
    headers_of,
    preview_digest,
    preview_mail,
)
from cli.notices.references import OrderReference, read_reference
from cli.notices.showing import Entry, entry_as_json, show_entries
from cli.options import JsonOption, KeyOption
from cli.output import tell, tell_json, warn
from cli.parts import make_part
from cli.stack import Stack, StackOption, find_stack
from milepost.aws.notice_messages import NoticeQueue
from milepost.aws.notices_table import NoticesTable
from milepost.aws.orders_table import OrdersReader
from milepost.notices import Audience, BadNoticeId, NoticeId
from milepost.order import OrderKey
from milepost.rendering import DigestReason
from milepost.report import BadPayload, format_instant, parse_instant
from milepost.resending import CannotResend, resend

app = make_part("What was sent of an order, what wasn't and why; sending it again.")


@app.command("list", epilog=EXIT_CODES)
def list_notices(
    order: Annotated[
        str,
        typer.Argument(
            metavar="ORDER", help="Its id, connection/order, .../item; or a customer's email."
        ),
    ],
    *,
    connection: Annotated[
        str | None,
        typer.Option("--connection", help="Whose order it is. Without it, any that has one."),
    ] = None,
    ids: Annotated[bool, typer.Option("--ids", help="Show ids as well, to resend by.")] = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every notice of an order, also those that were not sent, with the reason. Times: UTC.

    With a customer's email instead, those of all their orders.
    """
    if "@" in order and connection is None:
        found = _find_of_customer(find_stack(stack), order)
    else:
        reference = read_reference(order, connection=connection)
        found = _find_entries(find_stack(stack), reference)
    if as_json:
        tell_json([entry_as_json(one) for one in found])
        return
    if not found:
        warn(f"No notice of {order} is in the log: nothing of it was announced in 400 days.")
        raise typer.Exit(COULD_NOT)
    show_entries(found, with_ids=ids)


@app.command("resend", epilog=EXIT_CODES)
def resend_notice(
    notice: Annotated[
        str, typer.Argument(metavar="NOTICE", help="Its id, by `milepost notices list --ids`.")
    ],
    *,
    to: Annotated[
        str | None, typer.Option("--to", help="Another address than the notice's own.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Who asks, for the log. Your AWS identity, if not.")
    ] = None,
    key: KeyOption = None,
    stack: StackOption = None,
) -> None:
    """Send a mail again: a new notice, written from the order as it is now; prints its id.

    An address that mails must not go to stays so: the new notice then says why.
    """
    try:
        identity = NoticeId.parse(notice)
    except BadNoticeId as error:
        raise WrongUse(f"{notice}: {error}.") from None
    target = find_stack(stack)
    dynamodb = target.client("dynamodb")
    try:
        sent = resend(
            identity,
            to=to,
            by=by or who_asks(target),
            key=key or uuid4().hex,
            log=NoticesTable(dynamodb, table_name=target.output("NoticesTable")),
            orders=OrdersReader(dynamodb, table_name=target.output("OrdersTable")),
            emails=NoticeQueue(target.client("sqs"), queue_url=target.output("EmailQueueUrl")),
            now=datetime.now(UTC),
        )
    except CannotResend as error:
        raise CannotDo(f"Not resent: {error}.") from None
    warn(f"Goes to {sent.recipient}.")
    tell(sent.id)


@app.command("preview", epilog=EXIT_CODES)
def preview_notice(
    kind: Annotated[
        PreviewKind, typer.Argument(metavar="KIND", help="Such as rejected; digest for a digest.")
    ],
    *,
    connection: Annotated[str, typer.Option("--connection", help="Whose settings and texts.")],
    language: Annotated[str, typer.Option("--language", help="Such as en, de or da.")] = "en",
    audience: Annotated[Audience, typer.Option("--audience")] = Audience.TEAM,
    reason: Annotated[
        DigestReason, typer.Option("--reason", help="Of a digest: why it comes as one mail.")
    ] = DigestReason.DAILY,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the HTML part there.", dir_okay=False)
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the text beside --html.")] = False,
    stack: StackOption = None,
) -> None:
    """Show the mail of an invented order, as this connection would send it."""
    target = find_stack(stack)
    wanted = MailWanted(connection=connection, language=language, audience=str(audience))
    if kind == DIGEST:
        mail = preview_digest(target, reason, wanted)
    else:
        mail = preview_mail(target, str(kind), wanted)
    for name, value in headers_of(mail):
        tell(f"{name}: {value}")
    if html is not None:
        _write(html, mail.html)
        warn(f"The HTML part is in {html}.")
    if text or html is None:
        tell()
        tell(mail.text.rstrip("\n"))


@app.command("release", epilog=EXIT_CODES)
def release_notices(
    *,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="INSTANT",
            help="Also what would be due by then, such as 2026-03-04T18:00:00Z.",
        ),
    ] = None,
    stack: StackOption = None,
) -> None:
    """Let go now what is held: digests, what waits for quiet hours to end, and retries.

    Without --until only what is due already, as happens each minute by itself.
    """
    asked = {"until": format_instant(_instant(until))} if until is not None else {}
    target = find_stack(stack)
    answer = target.client("lambda").invoke(
        FunctionName=target.output("ReleaseNoticesFunction"), Payload=json.dumps(asked).encode()
    )
    said = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise CannotDo(
            f"The function failed ({said.get('errorType', 'no reason')}): its log group says why. "
            "Nothing is lost: repeat it then."
        )
    tell(f"Released: {said['released']}.")


def _find_of_customer(stack: Stack, email: str) -> list[Entry]:
    api = OrdersApi(stack)
    pages = api.pages("/orders", items="orders", resume_by="cursor", most=None, q=email)
    keys = [OrderKey.parse(one["id"]) for page in pages for one in page["orders"]]
    log = NoticesTable(stack.client("dynamodb"), table_name=stack.output("NoticesTable"))
    # The log keeps the items of one order together.
    groups = {(key.connection, key.order_id): key for key in keys}
    return [entry for key in groups.values() for entry in log.of_order(key)]


def _find_entries(stack: Stack, reference: OrderReference) -> list[Entry]:
    connections = [] if reference.connection else open_settings(stack).all()
    log = NoticesTable(stack.client("dynamodb"), table_name=stack.output("NoticesTable"))
    return [
        entry
        for key in reference.keys(connections)
        for entry in log.of_order(key)
        if reference.item_id in (None, NoticeId.parse(entry["id"]).key.item_id)
    ]


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except BadPayload as error:
        raise WrongUse(f"--until {text}: {error}.") from None


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise CannotDo(f"{path} can't be written: {error.strerror}.") from None
