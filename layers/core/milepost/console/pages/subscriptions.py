"""Subscriptions: who is notified of what, and who isn't and why; adding, changing, deleting."""

from collections.abc import Mapping
from typing import Any, Final

from milepost.api.idempotency_key import new_key
from milepost.api.problems import Problem
from milepost.api.routes.subscriptions import list_subscriptions, show_subscription
from milepost.api.subscription_schema import SubscriptionView
from milepost.console.chat_pages import PREVIEWED
from milepost.console.mail_pages import mail_alone
from milepost.console.page_context import Part, Visit
from milepost.console.query_values import member_of, text_of
from milepost.console.rendering import segment
from milepost.console.request import Values
from milepost.console.responses import Answer
from milepost.console.routing import Pages
from milepost.notifications.chat.message import ChatMessage
from milepost.notifications.explanation import why_not
from milepost.notifications.mail.message import Mail
from milepost.notifications.notice import (
    CHATS,
    CUSTOMER_KINDS,
    DEFAULT_KINDS,
    TEAM_KINDS,
    Audience,
    Channel,
)
from milepost.notifications.subscription import FROM_FILE, DigestReason, Mode, Subscription
from milepost.orders.order import Kind

pages = Pages()

LIST: Final = "/console/subscriptions"
_NOT_VALID: Final = 422
DIGEST: Final = "digest"
LANGUAGES: Final = ("en", "de", "da")


@pages.get(LIST)
def show_subscriptions(visit: Visit) -> Answer:
    """Every subscription."""
    words = visit.query.one("find").casefold()
    found = [
        one for one in list_subscriptions(visit.services).items if words in one.recipient.casefold()
    ]
    return visit.page("subscriptions.html", found=found, query=visit.query, from_file=FROM_FILE)


@pages.get(f"{LIST}/new")
def show_form(visit: Visit) -> Answer:
    """The form that adds one."""
    return _form(visit, said=Values())


@pages.post(LIST)
def add(visit: Visit) -> Answer:
    """Add a subscription. Errors are shown above the form, which keeps its values."""
    form = visit.form
    try:
        made = visit.changes.make("POST", "/subscriptions", body=_said(form), key=form.one("key"))
    except Problem as problem:
        if problem.status != _NOT_VALID:
            raise
        faults = [one.what for one in problem.errors] or [problem.detail]
        return _form(visit, said=form, faults=faults)
    if made["secret"]:
        return visit.page("subscription_secret.html", one=made)
    return visit.go_to(LIST, done=_with_warning(f"{made['recipient']} is subscribed.", made))


@pages.get(f"{LIST}/explain")
def explain(visit: Visit) -> Answer:
    """Who is notified of a kind at a connection, and why others are not."""
    query = visit.query
    kind = member_of(Kind, query, "kind")
    connection = text_of(query, "connection", most=64)
    service_type = text_of(query, "service_type")
    judged: list[tuple[Subscription, str | None]] = []
    if kind and connection:
        operations = visit.services.operations
        judged = sorted(
            (
                (one, why_not(one, kind=kind, connection=connection, service_type=service_type))
                for one in operations.subscriptions.all()
            ),
            key=lambda pair: (pair[1] is not None, pair[0].recipient),
        )
    return visit.page(
        "explain.html",
        judged=judged,
        is_asked=bool(kind and connection),
        query=query,
        kinds=sorted(TEAM_KINDS),
        connections=visit.services.connection_ids(),
    )


@pages.get(f"{LIST}/preview")
def preview(visit: Visit) -> Answer:
    """The mail or message of each kind in each language, of an invented order."""
    query = visit.query
    connections = visit.services.connection_ids()
    connection = text_of(query, "connection", most=64) or next(iter(connections), None)
    channel = member_of(Channel, query, "channel") or Channel.EMAIL
    is_chat = channel in CHATS
    # Customers get mails alone.
    audience = (not is_chat and member_of(Audience, query, "audience")) or Audience.TEAM
    kinds = sorted(TEAM_KINDS if audience is Audience.TEAM else CUSTOMER_KINDS)
    kind = query.one("kind") if query.one("kind") in (*kinds, DIGEST) else str(kinds[0])
    language = query.one("language") if query.one("language") in LANGUAGES else LANGUAGES[0]
    how = {"connection": connection or "", "language": language, "audience": str(audience)}
    sample = _chat_sample if is_chat else _sample
    found = visit.parts(it=lambda: sample(visit, kind, how))["it"] if connection else Part()
    if query.one("html") and found.value and not is_chat:
        return mail_alone(found.value)
    return visit.page(
        "preview.html",
        found=found,
        is_chat=is_chat,
        query=Values(
            [
                ("kind", kind),
                ("channel", channel if is_chat else Channel.EMAIL),
                ("names", query.one("names")),
                *how.items(),
            ]
        ),
        channels=PREVIEWED,
        kinds=[*kinds, DIGEST],
        audiences=list(Audience),
        connections=connections,
        languages=LANGUAGES,
    )


@pages.get(f"{LIST}/{{subscription}}")
def show_one(visit: Visit) -> Answer:
    """One subscription, and what can be done with it."""
    one = show_subscription(visit.path["subscription"], visit.services)
    suppressed = visit.parts(
        of_it=lambda: (
            [
                found
                for found in visit.services.operations.suppressions.of_address(one.recipient)
                if found.id.audience in (None, Audience.TEAM)
            ]
            if one.channel == "email"
            else []
        )
    )["of_it"]
    return visit.page(
        "subscription.html",
        one=one,
        suppressed=suppressed,
        is_ours=one.source != FROM_FILE,
        key=new_key(),
    )


@pages.get(f"{LIST}/{{subscription}}/change")
def show_change(visit: Visit) -> Answer:
    """The form that changes one."""
    one = show_subscription(visit.path["subscription"], visit.services)
    return _form(visit, said=_as_form(one), of=one.id)


@pages.post(f"{LIST}/{{subscription}}/change")
def change(visit: Visit) -> Answer:
    """Change a subscription, except its recipient."""
    one = show_subscription(visit.path["subscription"], visit.services)
    form = visit.form.replaced("recipient", one.recipient).replaced("channel", one.channel)
    try:
        made = visit.changes.make("PUT", _path(visit), body=_said(form))
    except Problem as problem:
        if problem.status != _NOT_VALID:
            raise
        faults = [one.what for one in problem.errors] or [problem.detail]
        return _form(visit, said=form, faults=faults, of=one.id)
    return _back_to(made, visit, done=_with_warning("The subscription was changed.", made))


@pages.post(f"{LIST}/{{subscription}}/rotate-secret")
def rotate_secret(visit: Visit) -> Answer:
    """Rotate an endpoint's secret; the new one is shown once."""
    made = visit.changes.make("POST", f"{_path(visit)}/rotate-secret", key=visit.form.one("key"))
    one = show_subscription(visit.path["subscription"], visit.services)
    return visit.page("subscription_secret.html", one=one.model_dump() | made)


@pages.post(f"{LIST}/{{subscription}}/send-test")
def send_test(visit: Visit) -> Answer:
    """Send a test message to an address, an endpoint or a chat, and show the answer."""
    one = show_subscription(visit.path["subscription"], visit.services)
    made = visit.changes.make("POST", f"{_path(visit)}/send-test")
    return visit.page("subscription_test.html", one=one, made=made)


@pages.post(f"{LIST}/{{subscription}}/pause")
def pause(visit: Visit) -> Answer:
    """Pause a subscription until somebody reactivates it."""
    one = visit.changes.make("POST", f"{_path(visit)}/pause")
    return _back_to(one, visit, done=f"{one['recipient']} gets nothing until it is reactivated.")


@pages.post(f"{LIST}/{{subscription}}/reactivate")
def reactivate(visit: Visit) -> Answer:
    """Reactivate a subscription."""
    one = visit.changes.make("POST", f"{_path(visit)}/resume")
    return _back_to(one, visit, done=f"{one['recipient']} is notified again.")


@pages.post(f"{LIST}/{{subscription}}/delete")
def delete(visit: Visit) -> Answer:
    """Delete a subscription permanently."""
    visit.changes.make("DELETE", _path(visit))
    return visit.go_to(LIST, done="The subscription was deleted.")


def _with_warning(done: str, made: Mapping[str, Any]) -> str:
    return f"{done} {made['warning']}" if made["warning"] else done


def _path(visit: Visit) -> str:
    return f"/subscriptions/{segment(visit.path['subscription'])}"


def _back_to(one: Mapping[str, Any], visit: Visit, *, done: str) -> Answer:
    return visit.go_to(f"{LIST}/{segment(one['id'])}", done=done)


def _said(form: Values) -> Mapping[str, Any]:
    channel = form.one("channel")
    is_endpoint, is_chat = channel == Channel.HTTPS, channel in CHATS
    name = channel if is_chat else "url" if is_endpoint else "email"
    said: dict[str, Any] = {
        name: form.one("recipient"),
        "kinds": form.all("kind"),
        "connections": form.all("connection"),
        "service_types": [one for one in map(str.strip, form.one("services").split(",")) if one],
    }
    if is_chat:
        said["customer_names"] = bool(form.one("customer_names"))
    texts = () if is_endpoint else ("language", "time_zone", "mode", "daily_at")
    owner = ("owner",) if is_endpoint or is_chat else ()
    said |= {name: form.one(name) or None for name in (*texts, *owner)}
    if not is_endpoint and (form.one("quiet_from") or form.one("quiet_to")):
        hours = {"start": form.one("quiet_from"), "end": form.one("quiet_to")}
        said["quiet_hours"] = hours | {"passing": form.all("passing") or None}
    return said


def _as_form(one: SubscriptionView) -> Values:
    quiet = one.quiet_hours
    pairs = [
        ("channel", one.channel),
        ("recipient", one.recipient),
        *(("kind", kind) for kind in one.kinds),
        *(("connection", name) for name in one.connections),
        ("services", ", ".join(one.service_types)),
        ("language", one.language),
        ("time_zone", one.time_zone),
        ("mode", one.mode),
        ("daily_at", one.daily_at),
        ("owner", one.owner or ""),
        ("customer_names", "yes" if one.customer_names else ""),
        ("quiet_from", quiet.start if quiet else ""),
        ("quiet_to", quiet.end if quiet else ""),
        *(("passing", kind) for kind in (quiet.passing if quiet else ())),
    ]
    return Values(pairs)


def _sample(visit: Visit, kind: str, how: Mapping[str, str]) -> Mail:
    if kind == DIGEST:
        return visit.mails.preview_digest(DigestReason.DAILY, **how)
    return visit.mails.preview(kind, **how)


def _chat_sample(visit: Visit, kind: str, how: Mapping[str, str]) -> ChatMessage:
    asked = {name: value for name, value in how.items() if name != "audience"}
    with_name = bool(visit.query.one("names"))
    if kind == DIGEST:
        return visit.chats.preview_digest(DigestReason.DAILY, **asked, with_name=with_name)
    return visit.chats.preview(kind, **asked, with_name=with_name)


def _form(
    visit: Visit, *, said: Values, faults: list[str] | None = None, of: str | None = None
) -> Answer:
    visit.check_operator()
    return visit.page(
        "new_subscription.html",
        status=422 if faults else 200,
        said=said,
        faults=faults or [],
        key=new_key(),
        of=of,
        kinds=sorted(TEAM_KINDS),
        usual=said.all("kind") or sorted(DEFAULT_KINDS),
        connections=visit.services.connection_ids(),
        languages=LANGUAGES,
        modes=list(Mode),
    )
