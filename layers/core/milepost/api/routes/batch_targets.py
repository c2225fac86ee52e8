"""The targets and arguments of a batch, from its request."""

from typing import Any, Final

from milepost.actions.batch import MOST_TARGETS, RESEND, TooManyTargets, require_few_targets
from milepost.api.batch_schema import BatchAsked, NoticeFilter, OrderFilter
from milepost.api.dependencies import Services
from milepost.api.filters import check_connections, check_words, within_body
from milepost.api.problems import Fault, Problem
from milepost.api.routes.order_lists import wanted_orders
from milepost.notifications.notice import BadNoticeId, Channel, NoticeId
from milepost.notifications.notice_list import NoticePlace, WantedNotices
from milepost.orders.order import BadOrderId, OrderKey

_PAGE: Final = 100


def arguments_of(asked: BatchAsked) -> dict[str, Any]:
    said = {
        "reason": asked.reason,
        "text": asked.text,
        "notices": asked.notify,
        "attention": asked.attention,
        "force": asked.force or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def target_ids(asked: BatchAsked, services: Services) -> list[str]:
    """The ids of the present targets: later ones are not part of the batch.

    :raises Problem: 422 when not exactly one way to choose them is used, or there are too many
    """
    ways = ("notices", "notice_filter") if asked.action == RESEND else ("orders", "filter")
    given = [
        name
        for name in ("orders", "filter", "notices", "notice_filter")
        if getattr(asked, name) is not None
    ]
    if len(given) != 1 or given[0] not in ways:
        what = f"either `{ways[0]}` or `{ways[1]}`"
        raise Problem(422, f"Name {what}.", errors=[Fault(where="body", what=what)])
    if asked.orders is not None:
        return [_order(one) for one in asked.orders]
    if asked.notices is not None:
        return [_notice(one) for one in asked.notices]
    if asked.notice_filter is not None:
        return _notices_of(asked.notice_filter, services)
    return _orders_of(asked.filter or OrderFilter(), services)


def _order(text: str) -> str:
    try:
        return OrderKey.parse(text).path_id
    except BadOrderId as error:
        raise _bad_id("orders", text, error) from None


def _notice(text: str) -> str:
    try:
        return NoticeId.parse(text).path_id
    except BadNoticeId as error:
        raise _bad_id("notices", text, error) from None


def _bad_id(where: str, text: str, error: Exception) -> Problem:
    fault = Fault(where=f"body.{where}", what=f"{text[:64]}: {error}")
    return Problem(422, "An id can't be read.", errors=[fault])


def _orders_of(asked: OrderFilter, services: Services) -> list[str]:
    said = {name: getattr(asked, name) for name in OrderFilter.model_fields}
    try:
        wanted = wanted_orders(services, **said)
        found, more = services.finder.matching(wanted, text=asked.q, most=MOST_TARGETS)
        if not found:
            check_words(wanted, services)
    except Problem as problem:
        raise within_body(problem, "body.filter") from None
    _require_few(len(found) + more)
    return [one.key.path_id for one in found]


def _notices_of(asked: NoticeFilter, services: Services) -> list[str]:
    try:
        check_connections(asked.connection, services)
    except Problem as problem:
        raise within_body(problem, "body.notice_filter") from None
    wanted = WantedNotices(
        states=frozenset(asked.state or ()),
        kinds=frozenset(asked.kind or ()),
        connections=frozenset(asked.connection or ()),
        audience=asked.audience,
        channel=Channel.EMAIL,
        recipient=asked.recipient,
        reason=asked.reason,
        since=asked.since,
        until=asked.until,
    )
    found = dict[str, None]()
    after: NoticePlace | None = None
    while True:
        page = services.notice_lists.page(wanted, after=after, limit=_PAGE)
        found |= dict.fromkeys(NoticeId.parse(one["id"]).path_id for one in page.entries)
        _require_few(len(found))
        after = page.last
        if after is None:
            return list(found)


def _require_few(number: int) -> None:
    try:
        require_few_targets(number)
    except TooManyTargets as error:
        what = str(error)
        fault = Fault(where="body", what=what)
        raise Problem(422, f"{what[0].upper()}{what[1:]}.", errors=[fault]) from None
