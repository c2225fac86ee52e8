"""The mail to the owner of an endpoint that was switched off. Short: one text."""

from datetime import datetime
from html import escape
from urllib.parse import urlsplit

from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.mail.message import Mail


def switched_off_mail(endpoint: Endpoint, *, to: str, failure: str, since: datetime | None) -> Mail:
    """The mail to an endpoint's owner. The URL is shown without its query, which may be secret.

    :param failure: why the last call failed, as text
    :param since: since when every call failed; None if the endpoint responded 410 Gone
    """
    why = (
        f"Every call since {since:%Y-%m-%d %H:%M} UTC has failed; the last one: {failure}."
        if since
        else f"It {failure}, which says that it wants no more messages."
    )
    shown = endpoint.url.partition("?")[0]
    # A chat is shown by the name of its webhook, which begins with the host.
    host = urlsplit(shown if "://" in shown else f"//{shown}").hostname or "an endpoint"
    paragraphs = (
        f"Milepost has switched off the endpoint {shown} of subscription {endpoint.subscription}.",
        why,
        "It is not called any more. What it missed is in the delivery log.",
        "When it works again, `milepost subscriptions resume` starts it again.",
    )
    marked = "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    return Mail(
        to=to,
        subject=f"Switched off: {host}"[:100],
        text="\n\n".join(paragraphs) + "\n",
        html=f'<!doctype html>\n<html lang="en"><body>\n{marked}\n</body></html>\n',
    )
