"""One action on many orders: the dry run, its confirmation, and the progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from milepost.actions.batch import RESEND, Batch, BatchState, NoSuchBatch, Target, TargetState
from milepost.actions.batch_plan import counts_of
from milepost.api.idempotency_key import new_key
from milepost.api.problems import NotFound
from milepost.api.routes.batches import list_batches
from milepost.console.batch_form import batch_body, offered_actions
from milepost.console.labels import label
from milepost.console.order_actions import EXPLAINED
from milepost.console.page_context import Visit
from milepost.console.query_values import member_of
from milepost.console.rendering import segment
from milepost.console.responses import Answer
from milepost.console.routing import Pages
from milepost.orders.order import OrderKey
from milepost.queries.order_list import Listed

pages = Pages()

ROWS: Final = 100
TONES: Final = {
    TargetState.WAITING: ("grey", "○"),
    TargetState.DONE: ("good", "✓"),
    TargetState.REFUSED: ("warn", "⊘"),
    TargetState.FAILED: ("bad", "!"),
}
"""The style and the symbol of each state."""
_KEPT: Final = ("action", "which", "order", "filters")
"""Fields of the list's form that the next form passes on."""
_FIRST_SHOWN: Final = (
    TargetState.FAILED,
    TargetState.REFUSED,
    TargetState.WAITING,
    TargetState.DONE,
)


@dataclass(frozen=True, slots=True)
class Row:
    """An order or a notice of a batch: its address, its name, and its customer."""

    target: Target
    address: str
    name: str
    customer: str | None = None


@pages.post("/console/batches")
def plan(visit: Visit) -> Answer:
    """Ask for the action's arguments, then plan it: nothing is done yet."""
    form, connections = visit.form, visit.services.connections.all().values()
    chosen = next((o for o in offered_actions(connections) if o.name == form.one("action")), None)
    body = batch_body(form)
    if chosen and chosen.takes and not form.one("asked"):
        kept = [pair for pair in form.pairs if pair[0] in ("action", "which", "order", "filters")]
        return visit.page(
            "batch_form.html", action=chosen, kept=kept, number=len(form.all("order"))
        )
    planned = visit.changes.make("POST", "/batches", body=body)
    return visit.go_to(_address(planned["id"]))


@pages.get("/console/batches")
def show_all(visit: Visit) -> Answer:
    """Every batch of the last days, the latest first."""
    found = list_batches(visit.services, limit=50, cursor=visit.query.one("cursor") or None)
    return visit.page("batches.html", found=found, query=visit.query)


@pages.get("/console/batches/{batch}")
def show(visit: Visit) -> Answer:
    """A dry run with its confirmation, or the progress of the batch."""
    batch, targets = _read(visit)
    wanted = member_of(TargetState, visit.query, "state")
    sorted_targets = sorted(targets, key=lambda one: (_FIRST_SHOWN.index(one.state), one.number))
    listed = [one for one in sorted_targets if wanted in (None, one.state)]
    start = int(visit.query.one("from")) if visit.query.one("from").isdecimal() else 0
    rows = _rows(visit, batch, listed[start : start + ROWS])
    return visit.page(
        "batch_progress.html" if visit.request.is_part else "batch.html",
        batch=batch,
        title=label(batch.action),
        explained=EXPLAINED.get(batch.action, ""),
        counts=counts_of(targets),
        rows=rows,
        more=start + ROWS if len(listed) > start + ROWS else None,
        wanted=wanted,
        tones=TONES,
        address=_address(batch.id),
        is_live=batch.state is BatchState.RUNNING,
        is_planned=batch.state is BatchState.PLANNED,
        query=visit.query,
        key=new_key(),
    )


@pages.post("/console/batches/{batch}/start")
def start(visit: Visit) -> Answer:
    """Start the planned batch."""
    batch = visit.path["batch"]
    body = {"token": visit.form.one("token")}
    visit.changes.make("POST", f"/batches/{segment(batch)}/start", body=body)
    return visit.go_to(_address(batch), done="Started. This page shows the progress.")


@pages.post("/console/batches/{batch}/stop")
def stop(visit: Visit) -> Answer:
    """Stop the batch before its next order."""
    batch = visit.path["batch"]
    visit.changes.make("POST", f"/batches/{segment(batch)}/stop")
    return visit.go_to(_address(batch), done="Stopped. What had started is completed.")


def _read(visit: Visit) -> tuple[Batch, Sequence[Target]]:
    planner, batch = visit.services.batches, visit.path["batch"]
    try:
        return planner.find(batch), planner.targets(batch)
    except NoSuchBatch:
        raise NotFound(
            f"There is no batch {batch}, or it belongs to other connections. "
            "Batches are kept for 30 days."
        ) from None


def _rows(visit: Visit, batch: Batch, targets: Sequence[Target]) -> list[Row]:
    if batch.action == RESEND:
        return [Row(one, f"/console/notices/{segment(one.id)}", one.id) for one in targets]
    keys = [OrderKey.parse(one.id) for one in targets]
    part = visit.parts(known=lambda: visit.services.lists.look_up(keys))["known"]
    known: dict[str, Listed] = {one.key.path_id: one for one in part.value or []}
    return [_row(one, known.get(one.id)) for one in targets]


def _row(target: Target, order: Listed | None) -> Row:
    address = f"/console/orders/{segment(target.id)}"
    if order is None:
        return Row(target, address, target.id)
    return Row(target, address, order.reference or order.key.order_id, order.customer_name)


def _address(batch: str) -> str:
    return f"/console/batches/{segment(batch)}"
