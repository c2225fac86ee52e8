"""Notices of every order, resending, and suppressed addresses."""

from collections.abc import Mapping
from typing import Final

from milepost.api.notice_schema import notice_view
from milepost.api.path_parameters import notice_id
from milepost.api.problems import NotFound
from milepost.api.routes.notice_lists import list_notices
from milepost.api.routes.suppressions import list_suppressions
from milepost.console.page_context import Visit
from milepost.console.query_values import day_of, end_of, member_of, members_of, start_of, text_of
from milepost.console.rendering import segment
from milepost.console.resend_form import look_again, show_resend
from milepost.console.responses import Answer
from milepost.console.routing import Pages
from milepost.notifications.notice import Audience, Channel, State
from milepost.orders.order import Kind

pages = Pages()

ROWS: Final = 50
VIEWS: Final = (
    ("Not delivered", "state=failed&state=bounced&state=suppressed&state=skipped"),
    ("Failed", "state=failed"),
    ("Bounced", "state=bounced"),
    ("Suppressed", "state=suppressed"),
    ("Skipped", "state=skipped"),
    ("All", ""),
)
"""A named set of filters."""
TONES: Final[Mapping[str, tuple[str, str]]] = {
    State.QUEUED: ("grey", "○"),
    State.SENT: ("grey", "◑"),
    State.DELIVERED: ("good", "✓"),
    State.BOUNCED: ("bad", "↩"),
    State.COMPLAINED: ("bad", "!"),
    State.SUPPRESSED: ("warn", "⊘"),
    State.SKIPPED: ("warn", "–"),
    State.FAILED: ("bad", "✕"),
}
"""The style and the symbol of each state."""
_FILTERS: Final = (
    "state",
    "reason",
    "audience",
    "kind",
    "channel",
    "connection",
    "recipient",
    "from",
    "to",
)


@pages.get("/console/notices")
def show_notices(visit: Visit) -> Answer:
    """A page of the list."""
    query = visit.query
    found = list_notices(
        visit.services,
        state=members_of(State, query, "state") or None,
        reason=text_of(query, "reason"),
        audience=member_of(Audience, query, "audience"),
        kind=members_of(Kind, query, "kind") or None,
        channel=member_of(Channel, query, "channel"),
        connection=query.all("connection") or None,
        recipient=text_of(query, "recipient", most=2000),
        since=start_of(day_of(query, "from")),
        until=end_of(day_of(query, "to")),
        limit=ROWS,
        cursor=query.one("cursor") or None,
    )
    return visit.page(
        "notices.html",
        found=found,
        query=query,
        view=query.without("cursor").text,
        views=VIEWS,
        tones=TONES,
        is_filtered=any(query.all(name) for name in _FILTERS),
        connections=visit.services.connection_ids(),
        states=list(State),
        kinds=list(Kind),
        channels=list(Channel),
        audiences=list(Audience),
    )


@pages.get("/console/notices/suppressions")
def show_suppressions(visit: Visit) -> Answer:
    """Suppressed addresses."""
    found = list_suppressions(
        visit.services,
        address=text_of(visit.query, "address", most=254),
        limit=ROWS,
        cursor=visit.query.one("cursor") or None,
    )
    return visit.page("suppressions.html", found=found, query=visit.query, views=VIEWS)


@pages.post("/console/notices/suppressions/{suppression}/lift")
def lift(visit: Visit) -> Answer:
    """Lift the suppression of an address."""
    suppression = visit.path["suppression"]
    visit.changes.make("DELETE", f"/suppressions/{segment(suppression)}")
    return visit.go_to(
        "/console/notices/suppressions",
        done="The suppression is lifted: new mails are sent to this address. "
        "To send a suppressed notice, resend it.",
    )


@pages.get("/console/notices/{notice}")
def show_notice(visit: Visit) -> Answer:
    """One notice, and for operators the form that sends it again."""
    identity = notice_id(visit.path["notice"])
    entry = visit.services.notices.find(identity)
    if entry is None:
        raise NotFound(f"There is no notice {identity.path_id}.")
    return visit.page("notice.html", one=notice_view(entry), tones=TONES)


@pages.get("/console/notices/{notice}/resend")
def look_before_resending(visit: Visit) -> Answer:
    """The mail as it would be sent now."""
    return show_resend(visit, visit.path["notice"], address=_resend_address(visit))


@pages.post("/console/notices/{notice}/resend")
def resend(visit: Visit) -> Answer:
    """Send a mail again, rendered from the order as it is now."""
    if again := look_again(visit, address=_resend_address(visit)):
        return again
    identity, form = notice_id(visit.path["notice"]), visit.form
    to = text_of(form, "to", most=254)
    visit.changes.make(
        "POST",
        f"/notices/{segment(identity.path_id)}/resend",
        body={"to": to, "force": bool(form.one("force"))},
        key=form.one("key"),
    )
    return visit.go_to(
        f"/console/orders/{segment(identity.key.path_id)}",
        done=f"The mail is queued again{f' to {to}' if to else ''}.",
    )


def _resend_address(visit: Visit) -> str:
    return f"/console/notices/{segment(visit.path['notice'])}/resend"
