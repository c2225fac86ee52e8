"""The form before a mail is resent: its contents, its recipient, and reasons against it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from milepost.api.idempotency_key import new_key
from milepost.api.path_parameters import notice_id
from milepost.api.problems import Problem
from milepost.common.email_addresses import BadAddress, check_address
from milepost.console.mail_pages import mail_alone
from milepost.console.page_context import Visit
from milepost.console.rendering import segment
from milepost.console.request import Values
from milepost.console.responses import Answer
from milepost.notifications.chat.disclosing_judge import disclosed_to_chat
from milepost.notifications.chat.message import ChatMessage
from milepost.notifications.mail.message import Mail
from milepost.notifications.notice import CHATS, Channel, Notice, NoticeId
from milepost.notifications.resend import CannotResend, NeedsForce, ResendRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The mail that would be sent. ``never`` and ``needs_force`` are reasons against it."""

    notice: Notice | None = None
    mail: Mail | None = None
    message: ChatMessage | None = None
    """The message to a chat, in place of a mail."""
    never: str | None = None
    needs_force: str | None = None


def show_resend(visit: Visit, notice: str, *, address: str) -> Answer:
    """The page on which a person checks the mail and confirms it.

    :param notice: the notice's id, as it is in paths
    :param address: where the form goes
    """
    visit.check_operator()
    identity = notice_id(notice)
    draft = draft_of(visit, identity, visit.query)
    if visit.query.one("html") and draft.mail:
        return mail_alone(draft.mail)
    return visit.page(
        "resend.html",
        draft=draft,
        address=address,
        order_address=f"/console/orders/{segment(identity.key.path_id)}",
        query=visit.query,
        is_chat=identity.channel in CHATS,
        to=visit.query.one("to"),
        force=bool(visit.query.one("force")),
        shown=_shown(visit.query),
        new_key=new_key,
    )


def look_again(visit: Visit, *, address: str) -> Answer | None:
    """Redirect to the page if it has not shown the mail that the form asks for; otherwise None.

    A person may enter another address and confirm at once: the button still names the former one.

    :param address: the page's
    """
    form = visit.form
    is_preview = bool(form.one("preview"))
    if not is_preview and form.one("shown") in ("", _shown(form)):
        return None
    query = urlencode({name: form.one(name) for name in ("to", "force") if form.one(name)})
    done = None if is_preview else "Nothing is sent yet: check the mail, and confirm it."
    return visit.go_to(f"{address}?{query}" if query else address, done=done)


def draft_of(visit: Visit, identity: NoticeId, query: Values) -> Draft:
    """The mail as it would be sent now.

    :param query: with ``to`` (another address) and ``force``
    :raises Problem: 422 when ``to`` is not an address
    """
    resender, now = visit.services.resender, visit.services.clock()
    asked = ResendRequest(
        to=_address(query.one("to")),
        by=visit.caller.person,
        key="preview",
        force=bool(query.one("force")),
    )
    try:
        judged = resender.draft(identity, asked, now=now)
    except CannotResend as no:
        return Draft(never=str(no))
    never = needs_force = None
    try:
        resender.check(identity, asked, now=now)
    except NeedsForce as no:
        needs_force = str(no)
    except CannotResend as no:
        never = str(no)
    mail = message = None
    if judged.facts.tracked is not None and judged.facts.connection is not None:
        zone = judged.voice.time_zone
        if identity.channel is Channel.EMAIL:
            mail = visit.mails.render(judged.in_voice, judged.tracked, time_zone=zone)
        elif identity.channel in CHATS:
            shown = disclosed_to_chat(judged)
            message = visit.chats.render(shown.in_voice, shown.tracked, time_zone=zone)
    return Draft(
        notice=judged.notice, mail=mail, message=message, never=never, needs_force=needs_force
    )


def _shown(values: Values) -> str:
    """A digest of what the page shows, for a field of the form. It is never empty."""
    return f"{values.one('force') or '0'}:{values.one('to')}"


def _address(text: str) -> str | None:
    try:
        return check_address(text) if text else None
    except BadAddress as error:
        raise Problem(422, f"{text!r} is not an email address. {error}") from None
