"""Previews of a mail, with a connection's settings and its own templates."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cli.errors import WrongUse
from cli.stack import Stack
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import UnknownConnection
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind
from milepost.providers.registry import REGISTRY

DIGEST: Final = "digest"
PreviewKind = StrEnum(  # type: ignore[misc]  # mypy follows no names that are worked out
    "PreviewKind", [*((kind.name, str(kind)) for kind in Kind), ("DIGEST", DIGEST)]
)
"""Kinds of notices, and digests of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailWanted:
    """The mail to show: its connection, language and audience."""

    connection: str
    language: str
    audience: str


def preview_mail(stack: Stack, kind: str, wanted: MailWanted) -> Mail:
    """The mail about a sample order.

    :raises WrongUse: when there is no such connection, or this audience isn't notified of this kind
    """
    return _preview(
        stack,
        wanted,
        lambda renderer: renderer.preview(
            kind,
            connection=wanted.connection,
            language=wanted.language,
            audience=wanted.audience,
        ),
    )


def preview_digest(stack: Stack, reason: DigestReason, wanted: MailWanted) -> Mail:
    """A digest of sample orders.

    :raises WrongUse: when there is no such connection
    """
    return _preview(
        stack,
        wanted,
        lambda renderer: renderer.preview_digest(
            reason,
            connection=wanted.connection,
            language=wanted.language,
            audience=wanted.audience,
        ),
    )


def headers_of(mail: Mail) -> Iterator[tuple[str, str]]:
    """The headers that a reader sees, as far as the mail itself determines them."""
    yield "Subject", mail.subject
    if mail.from_name:
        yield "From", mail.from_name
    if mail.reply_to:
        yield "Reply-To", mail.reply_to


def _preview(stack: Stack, wanted: MailWanted, render: Callable[[MailRenderer], Mail]) -> Mail:
    settings = ConnectionSettings(
        stack.client("ssm"),
        path=stack.output("ConnectionsPath"),
        clock=time.monotonic,
        providers=REGISTRY,
    )
    texts = OverridesTable(
        stack.client("dynamodb"), table_name=stack.output("NoticesTable"), clock=time.monotonic
    )
    try:
        return render(MailRenderer(settings, texts))
    except UnknownConnection:
        known = ", ".join(sorted(settings.all())) or "none"
        raise WrongUse(f"There is no connection {wanted.connection}; there are: {known}.") from None
    except LookupError as error:
        raise WrongUse(f"{error}.") from None
