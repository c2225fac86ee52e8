"""Recording every request that changes something, at the place where requests are routed.

Whatever is not ``GET`` is a change (``auth.READING``), so a route that is added later is recorded
without saying so. A route may add what it alone knows (``dependencies.Recorded``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import Route

from milepost.activity.entry import Actor, Entry, Via, hash_of, kept_arguments
from milepost.activity.recorder import Change, Recorder, outcome_of
from milepost.api.auth import Caller
from milepost.api.path_parameters import decoded, group_key, item_key, notice_id
from milepost.api.routing import routes_at
from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_json
from milepost.notifications.notice import BadNoticeId
from milepost.orders.order import BadOrderId
from milepost.quarantine.replay import BadKeptId, KeptId

OF_THE_COMMAND: Final = "aws:"
"""What the ``sub`` of a caller by the command begins with; one of the user pool's is a UUID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A change that is being made."""

    recorder: Recorder
    entry: Entry
    change: Change

    def end(self, status: int) -> None:
        """Note how it was answered."""
        self.recorder.end(self.entry, self.change, outcome=outcome_of(status), status=status)


def begin_change(
    resolver: APIGatewayHttpResolver,
    request: Mapping[str, Any],
    *,
    caller: Caller,
    recorder: Recorder,
    via: Via,
) -> Recording | None:
    """Note that a request that isn't ``GET`` begins; None where there is no such route.

    :param via: by what people make changes, unless it is the command
    :raises NotRecorded: when it can't be noted
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
            # It is refused. What was typed instead of an id may be anything.
            continue


def _itself(change: Change, name: str, text: str) -> None:
    change.concerns(**{name: text[:200]})


def _digest(change: Change, name: str, text: str) -> None:
    """For what may name a person, as the id of a customer does, and what isn't listed below."""
    change.concerns(**{name: hash_of(text)})


def _connection(change: Change, _name: str, text: str) -> None:
    change.concerns(connection=text[:64])


def _order(change: Change, _name: str, text: str) -> None:
    # Another name, such as a reference, may be a person's: the route says which order it means.
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
"""How the parameters of paths are kept, by name."""
