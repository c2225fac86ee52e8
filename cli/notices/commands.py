"""``milepost notices list``, ``explain``, ``resend``, ``preview`` and ``release``."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.activity.recording import recorded
from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.errors import CannotDo, WrongUse
from cli.notices.chat_preview import ChatWanted, PreviewChannel, preview_chat
from cli.notices.explaining import Explanation, explanation_as_json, show_explanation
from cli.notices.listing import (
    NoticeFilters,
    OptionalOrder,
    read_notices,
    show_notices,
)
from cli.notices.preview import (
    DIGEST,
    MailWanted,
    PreviewKind,
    headers_of,
    preview_digest,
    preview_mail,
)
from cli.notices.resending import EPILOG as RESEND_EPILOG
from cli.notices.resending import resend_notice
from cli.notices.showing import Entry, entry_as_json, show_entries
from cli.options import CsvOption, JsonOption
from cli.orders.lookup import find_orders
from cli.output import tell, tell_csv, tell_json, warn
from cli.stack import Stack, StackOption, find_stack
from milepost.api.notice_schema import notice_view
from milepost.common.errors import BadPayload
from milepost.common.timestamps import format_instant, parse_instant
from milepost.exports.list_columns import NOTICES
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.notice import Audience, Channel, NoticeId
from milepost.notifications.notice_list import is_wanted
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import OrderKey

app = make_part("Notices: what was sent, what was not, and why; send them again.")


@app.command(
    "list",
    epilog=examples(
        "notices list PP-1 --ids",
        "notices list --undelivered --since 7d",
        "notices list --state bounced --connection offergrid-main",
    ),
)
def list_notices(
    order: OptionalOrder = None,
    *,
    filters: NoticeFilters,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=1, help="The maximum number of notices, when no ORDER is given."
        ),
    ] = 50,
    all_: Annotated[bool, typer.Option("--all", help="All notices.")] = False,
    ids: Annotated[bool, typer.Option("--ids", help="Also show ids, for resending.")] = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show notices, including those that were not sent, with the reason. Times are in UTC.

    For an ORDER, all its notices in the order of the announcements; ORDER may also be a customer's
    email. Without ORDER, the notices of all orders, the newest first: a notice that bounced,
    failed, was skipped or suppressed has the time at which that happened, any other the time at
    which it was created.
    """
    target = find_stack(stack)
    wanted = filters.wanted()
    api = OrdersApi(target)
    if order is None:
        listed = read_notices(api, wanted, filters.connection, most=None if all_ else limit)
        if as_json:
            tell_json(listed)
        elif as_csv:
            tell_csv(NOTICES, listed["notices"])
        else:
            show_notices(listed, with_ids=ids)
        return
    keys = [
        OrderKey.parse(one)
        for id in filters.connection or (None,)
        for one in find_orders(api, order, connection=id)
    ]
    found = [one for one in _find_entries(target, keys) if is_wanted(one, wanted)]
    if as_json:
        tell_json([entry_as_json(one) for one in found])
        return
    if as_csv:
        tell_csv(NOTICES, [notice_view(one).model_dump(mode="json") for one in found])
        return
    if not found:
        tell(f"The log has no notice of {order}; it keeps notices for 400 days.")
        return
    show_entries(found, with_ids=ids)


@app.command(
    "explain",
    epilog=examples(
        "notices explain PP-1 --to sales@example.org",
        "notices explain PP-1 --to hooks.slack.com/0a1b2c3d4e5f",
        "notices explain PP-1 --to topic",
    ),
)
def explain_notices(
    order: Annotated[
        str, typer.Argument(metavar="ORDER", help="The order, or a customer's email.")
    ],
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="WHOM",
            help="An address, an endpoint's URL, a chat's name, a subscription's id, topic or bus.",
        ),
    ],
    connection: Annotated[str | None, typer.Option("--connection", help="Whose order.")] = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show why somebody got each notice of an order, or didn't. Times: UTC.

    Of every announcement of the order: what the log says of the notice, or why there is none. Works
    for mails, endpoints, chats, the topic and the event bus.
    """
    target = find_stack(stack)
    keys = [
        OrderKey.parse(one) for one in find_orders(OrdersApi(target), order, connection=connection)
    ]
    explanation = Explanation(target, to, keys)
    if as_json:
        tell_json(explanation_as_json(explanation))
    else:
        show_explanation(explanation)


app.command("resend", epilog=RESEND_EPILOG)(resend_notice)


@app.command(
    "preview", epilog=examples("notices preview accepted --connection offergrid-main --language de")
)
def preview_notice(
    kind: Annotated[
        PreviewKind,
        typer.Argument(metavar="KIND", help="A kind such as rejected, or digest for a digest."),
    ],
    *,
    connection: Annotated[
        str,
        typer.Option("--connection", help="The connection whose settings and templates are used."),
    ],
    language: Annotated[str, typer.Option("--language", help="Such as en, de or da.")] = "en",
    audience: Annotated[Audience, typer.Option("--audience")] = Audience.TEAM,
    reason: Annotated[
        DigestReason, typer.Option("--reason", help="For a digest: why it is one mail.")
    ] = DigestReason.DAILY,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write the HTML part to this file.", dir_okay=False),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Also print the text, with --html.")] = False,
    channel: Annotated[
        PreviewChannel, typer.Option("--channel", help="email, slack or teams.")
    ] = PreviewChannel.EMAIL,
    customer_names: Annotated[
        bool, typer.Option("--customer-names", help="For a chat: include the customer's name.")
    ] = False,
    stack: StackOption = None,
) -> None:
    """Show a mail about a sample order, as this connection would send it.

    With --channel slack or teams, print the JSON of the message to a chat: Slack's Block Kit
    Builder and Microsoft's Adaptive Cards Designer show what it looks like.
    """
    target = find_stack(stack)
    if channel is not PreviewChannel.EMAIL:
        tell_json(
            preview_chat(
                target,
                ChatWanted(
                    channel=Channel(channel),
                    kind=str(kind),
                    reason=reason,
                    connection=connection,
                    language=language,
                    customer_names=customer_names,
                ),
            )
        )
        return
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


@app.command("release", epilog=examples("notices release"))
def release_notices(
    *,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="INSTANT",
            help="Also send notices that are due by then, such as 2026-03-04T18:00:00Z.",
        ),
    ] = None,
    stack: StackOption = None,
) -> None:
    """Send held notices now: digests, notices held by quiet hours, and retries.

    Without --until, only those that are already due; this also happens every minute automatically.
    """
    asked = {"until": format_instant(_instant(until))} if until is not None else {}
    target = find_stack(stack)
    with recorded(target, "release_notices"):
        said = _release(target, asked)
    tell(f"Released: {said['released']}.")


def _release(target: Stack, asked: Mapping[str, str]) -> dict[str, Any]:
    answer = target.client("lambda").invoke(
        FunctionName=target.output("ReleaseNoticesFunction"), Payload=json.dumps(asked).encode()
    )
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise CannotDo(
            f"The function failed ({said.get('errorType', 'no reason')}): its "
            "log group says why. Nothing is lost: fix the cause and repeat the "
            "command."
        )
    return said


def _find_entries(stack: Stack, keys: Sequence[OrderKey]) -> list[Entry]:
    log = NoticesTable(stack.client("dynamodb"), table_name=stack.output("NoticesTable"))
    # The log keeps the items of one order together.
    groups = {(key.connection, key.order_id): key for key in keys}
    return [
        entry
        for key in groups.values()
        for entry in log.of_order(key)
        if NoticeId.parse(entry["id"]).key in keys
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
