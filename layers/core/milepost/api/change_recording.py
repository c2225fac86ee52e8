"""Records every request that changes something in the activity log, where requests are routed.

Every request that isn't ``GET`` is a change (``auth.READING``), so routes that are added later are
recorded automatically. A route may add details that only it knows (``dependencies.Recorded``).
"""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import Route

from milepost.activity.entry import Actor, Entry, Via, hash_of, kept_arguments
from milepost.activity.recorder import Change, Recorder, outcome_of
from milepost.api.auth import READING, Caller
from milepost.api.path_parameters import decoded, group_key, item_key, notice_id
from milepost.api.routing import SUBJECTS, routers_of, routes_at
from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_json
from milepost.notifications.notice import BadNoticeId
from milepost.orders.order import BadOrderId
from milepost.quarantine.replay import BadKeptId, KeptId

OF_THE_COMMAND: Final = "aws:"
"""The start of the ``sub`` of callers who use the command; the user pool's are UUIDs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A change in progress."""

    recorder: Recorder
    entry: Entry
    change: Change

    def end(self, status: int) -> None:
        """Record the status of the response."""
        self.recorder.end(self.entry, self.change, outcome=outcome_of(status), status=status)


def begin_change(
    resolver: APIGatewayHttpResolver,
    request: Mapping[str, Any],
    *,
    caller: Caller,
    recorder: Recorder,
    via: Via,
) -> Recording | None:
    """Record that a request that isn't ``GET`` begins; None if there is no such route.

    :param via: the interface that people use for the change, unless it is the command
    :raises NotRecorded: when it can't be recorded
    """
    http = request["requestContext"]["http"]
    path = request["rawPath"]
    route = next((r for r in routes_at(resolver, path) if r.method == http["method"]), None)
    if route is None:
        return None
    change = Change(arguments=_arguments(request))
    _name_targets(change, route, path)
    entry = recorder.begin(
        change,
        kind=kind_of(route),
        actor=Actor(person=caller.person, subject=caller.subject),
        via=Via.COMMAND if caller.subject.startswith(OF_THE_COMMAND) else via,
        address=http.get("sourceIp"),
    )
    return Recording(recorder=recorder, entry=entry, change=change)


def kind_of(route: Route) -> str:
    """The kind of a route's changes."""
    return str(route.operation_id or route.func.__name__)


def kinds_of_routes() -> frozenset[str]:
    """The kinds of every route. This imports all routes: call it only to report an error."""
    resolver = APIGatewayHttpResolver()
    for subject in SUBJECTS:
        for router in routers_of(subject):
            # A copy: a router reads the request of the resolver that it was last included in.
            resolver.include_router(copy(router))
    routes = (*resolver._static_routes, *resolver._dynamic_routes)
    return frozenset(kind_of(one) for one in routes if one.method not in READING)


def _arguments(request: Mapping[str, Any]) -> dict[str, bool | None]:
    try:
        body = read_json((request.get("body") or "null").encode())
    except (BadPayload, UnicodeError):
        body = None
    given = body if isinstance(body, dict) else {}
    return kept_arguments({**given, **(request.get("queryStringParameters") or {})})


def _name_targets(change: Change, route: Route, path: str) -> None:
    match = route.rule.match(path)
    for name, value in (match.groupdict() if match else {}).items():
        text = decoded(value)
        try:
            _TARGETS.get(name, _digest)(change, name, text)
        except (BadOrderId, BadNoticeId, BadKeptId):
            # It is refused. The text instead of an id may be anything.
            continue


def _itself(change: Change, name: str, text: str) -> None:
    change.concerns(**{name: text[:200]})


def _digest(change: Change, name: str, text: str) -> None:
    """Record a hash: for values that may name a person, such as a customer's id, and all others."""
    change.concerns(**{name: hash_of(text)})


def _connection(change: Change, _name: str, text: str) -> None:
    change.concerns(connection=text[:64])


def _order(change: Change, _name: str, text: str) -> None:
    # Another name, such as a reference, may contain a person's name: the route records the order's
    # id.
    if key := item_key(text):
        change.concerns(connection=key.connection, order=key.path_id)


def _group(change: Change, _name: str, text: str) -> None:
    key = group_key(text)
    change.concerns(connection=key.connection, group=key.path_id.rpartition(":")[0])


def _notice(change: Change, _name: str, text: str) -> None:
    found = notice_id(text)
    change.concerns(connection=found.key.connection, order=found.key.path_id, notice=found.path_id)


def _kept(change: Change, _name: str, text: str) -> None:
    found = KeptId.parse(text)
    change.concerns(connection=found.connection, kept=found.path_id)


_TARGETS: Final[Mapping[str, Callable[[Change, str, str], None]]] = {
    "order_id": _order,
    "group_id": _group,
    "notice": _notice,
    "kept": _kept,
    "connection": _connection,
    **dict.fromkeys(
        ("subscription", "suppression", "action", "queue", "message", "view", "batch", "export"),
        _itself,
    ),
}
"""How path parameters are recorded, by name."""
