"""Operations: dead letters, and payloads that could not be read."""

import json
from typing import Any, Final

from milepost.api.problems import Problem
from milepost.api.routes.dead_letters import list_dead_letters, show_dead_letters
from milepost.api.routes.quarantine import list_quarantine, show_quarantined
from milepost.console.page_context import Visit
from milepost.console.query_values import text_of
from milepost.console.rendering import segment
from milepost.console.responses import Answer
from milepost.console.routing import Pages

pages = Pages()

KEPT_ROWS: Final = 6
"""Each row costs a call to S3, and a page makes at most 8 calls."""
LETTER_ROWS: Final = 10
LONGEST_SHOWN: Final = 60_000
"""Maximum number of characters of a body on a page; the API returns the complete body."""
ABOUT: Final = {
    "inbox": "Webhooks that were authentic and could not be recorded",
    "email": "Mails that could not be sent",
    "endpoint": "Messages to endpoints that could not be delivered",
    "mail_events": "Events of mails, such as bounces, that could not be recorded",
    "batch": "Orders of bulk actions whose action could not be run",
    "announce": "Changes of orders that could not be announced",
    "invocations": "Failed invocations of functions",
}
"""The content of each queue."""


@pages.get("/console/operations")
def show_operations(visit: Visit) -> Answer:
    """The number of messages in each dead-letter queue; on Today, the total."""
    parts = visit.parts(queues=lambda: list_dead_letters(visit.services).items)
    if visit.request.is_part:
        return visit.page("dead_letters_part.html", queues=parts["queues"])
    return visit.page("operations.html", queues=parts["queues"], about=ABOUT)


@pages.get("/console/operations/quarantine")
def show_quarantine(visit: Visit) -> Answer:
    """Payloads that could not be read; on Today, whether there are any."""
    if visit.request.is_part:
        one = visit.parts(first=lambda: list_quarantine(visit.services, limit=1).items)["first"]
        return visit.page("quarantine_part.html", first=one)
    connection = text_of(visit.query, "connection", most=64)
    found = list_quarantine(
        visit.services,
        connection=connection,
        after=visit.query.one("after") or None,
        limit=KEPT_ROWS,
    )
    return visit.page(
        "quarantine.html",
        found=found,
        query=visit.query,
        connection=connection,
        connections=visit.services.connection_ids(),
    )


@pages.post("/console/operations/quarantine/replay")
def reprocess_many(visit: Visit) -> Answer:
    """Reprocess all payloads of a connection."""
    connection = text_of(visit.form, "connection", most=64)
    if connection is None:
        raise Problem(422, "Choose a connection.")
    asked = {"connection": connection, "announce": bool(visit.form.one("announce"))}
    done = visit.changes.make("POST", "/quarantine/replay", body=asked)
    more = "There are more: repeat this." if done["next"] else ""
    return visit.go_to(
        "/console/operations/quarantine",
        done=f"{done['replayed']} payloads of {connection} are being "
        "reprocessed. Those that can be recorded now leave the quarantine "
        f"within a minute.{more}",
    )


@pages.get("/console/operations/quarantine/{kept}")
def show_kept(visit: Visit) -> Answer:
    """One payload with its body; for operators."""
    one = show_quarantined(visit.path["kept"], visit.services, visit.caller)
    text = one.text if one.text is not None else f"(not UTF-8; as base64)\n{one.base64}"
    return visit.page(
        "kept.html",
        one=one,
        text=_readable(text)[:LONGEST_SHOWN],
        is_cut=len(text) > LONGEST_SHOWN,
    )


@pages.post("/console/operations/quarantine/{kept}/replay")
def reprocess(visit: Visit) -> Answer:
    """Reprocess one payload."""
    kept = visit.path["kept"]
    asked = {"announce": bool(visit.form.one("announce"))}
    visit.changes.make("POST", f"/quarantine/{segment(kept)}/replay", body=asked)
    return visit.go_to(
        "/console/operations/quarantine",
        done="It is being reprocessed. Once it is recorded, it leaves the "
        "quarantine; if it can't be read, it stays.",
    )


@pages.post("/console/operations/quarantine/{kept}/discard")
def discard_kept(visit: Visit) -> Answer:
    """Discard one payload permanently."""
    kept = visit.path["kept"]
    visit.changes.make("DELETE", f"/quarantine/{segment(kept)}")
    return visit.go_to("/console/operations/quarantine", done="It is discarded.")


@pages.get("/console/operations/dead-letters/{queue}")
def show_queue(visit: Visit) -> Answer:
    """Messages of a queue; for operators."""
    queue = visit.path["queue"]
    found = show_dead_letters(queue, visit.services, visit.caller, limit=LETTER_ROWS)
    return visit.page(
        "dead_letters.html",
        found=found,
        about=ABOUT.get(queue, ""),
        shown=[(one, _as_text(one.content)[:LONGEST_SHOWN]) for one in found.messages],
    )


@pages.post("/console/operations/dead-letters/{queue}/redrive")
def redrive(visit: Visit) -> Answer:
    """Redrive messages: the selected ones, or all."""
    queue, selected = visit.path["queue"], visit.form.all("message")
    if not selected and not visit.form.one("all"):
        raise Problem(422, "Select messages, or redrive all of them.")
    asked = {"messages": None if visit.form.one("all") else selected}
    done = visit.changes.make("POST", f"/dead-letters/{segment(queue)}/redrive", body=asked)
    stayed = done["failed"]
    failed = f"{len(stayed)} could not be redriven: {stayed[0]['reason']}." if stayed else ""
    return visit.go_to(
        f"/console/operations/dead-letters/{segment(queue)}",
        done=f"{done['moved']} were redriven, {done['left']} are left.{failed}",
    )


@pages.post("/console/operations/dead-letters/{queue}/discard")
def discard_letters(visit: Visit) -> Answer:
    """Discard the selected messages permanently."""
    queue, selected = visit.path["queue"], visit.form.all("message")
    if not selected:
        raise Problem(422, "Select the messages to discard.")
    for message in selected[:LETTER_ROWS]:
        path = f"/dead-letters/{segment(queue)}/messages/{segment(message)}"
        visit.changes.make("DELETE", path)
    return visit.go_to(
        f"/console/operations/dead-letters/{segment(queue)}",
        done=f"{len(selected[:LETTER_ROWS])} discarded.",
    )


def _as_text(content: Any) -> str:
    if isinstance(content, str):
        return _readable(content)
    return json.dumps(content, indent=2, ensure_ascii=False)


def _readable(text: str) -> str:
    """JSON with line breaks; other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
