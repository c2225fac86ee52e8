"""A mail as a connection would send it, with its settings and texts of its own."""

import time

from cli.faults import WrongUse
from cli.stack import Stack
from milepost.aws.overrides import OverridesTable
from milepost.aws.settings import ConnectionSettings
from milepost.connection import UnknownConnection
from milepost.rendering import MailRenderer
from milepost.sending import Mail


def preview_mail(stack: Stack, kind: str, *, connection: str, language: str, audience: str) -> Mail:
    """The mail of an invented order.

    :raises WrongUse: when there is no such connection, or this audience isn't told of this kind
    """
    settings = ConnectionSettings(
        stack.client("ssm"), path=stack.output("ConnectionsPath"), clock=time.monotonic
    )
    texts = OverridesTable(
        stack.client("dynamodb"), table_name=stack.output("NoticesTable"), clock=time.monotonic
    )
    renderer = MailRenderer(settings, texts)
    try:
        return renderer.preview(kind, connection=connection, language=language, audience=audience)
    except UnknownConnection:
        known = ", ".join(sorted(settings.all())) or "none"
        raise WrongUse(f"There is no connection {connection}; applied are: {known}.") from None
    except LookupError as error:
        raise WrongUse(f"{error}.") from None
