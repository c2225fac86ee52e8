"""Handles a request: authorizes the caller, finds the route, and responds to errors with
problems."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from milepost.activity.entry import Via
from milepost.activity.recorder import NotRecorded
from milepost.api.auth import READING, Caller, allowed_connections, caller_of, check_method
from milepost.api.dependencies import Services
from milepost.api.error_handlers import RETRY_AFTER, respond_with_problems
from milepost.api.list_export import (
    answer_file,
    file_asked,
    format_of,
    page_size,
    refuse_parameters,
)
from milepost.api.listings import listing_at
from milepost.api.openapi import describe, may_answer
from milepost.api.problems import Problem, answer_to
from milepost.api.query_parameters import refuse_unknown_names
from milepost.api.routing import SUBJECTS, routers_of, routes_at, subject_of
from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_json

if TYPE_CHECKING:
    from milepost.api.change_recording import Recording

_JSON: Final = "application/json"
_DESCRIPTION: Final = "openapi.json"
_SCHEMAS: Final = "schemas"
_OF_THE_API: Final = frozenset({_DESCRIPTION, _SCHEMAS})
"""Subjects that describe what Milepost sends and answers; they need no service."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NOT_TO_BE_KEPT: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Headers of every response: it may contain personal data, and its content type is right."""
READS_ONLY: Final = frozenset({"exports"})
"""Subjects whose every method only reads, so that viewers may use it: who may see a list may also
make a file of it."""
_NOTHING: Final = ""
"""The subject of paths that don't exist."""


def nothing_is_down(_error: Exception) -> bool:
    """For services that are always available."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The API on top of these services.

    ``resolver_of`` creates the resolver of a subject, once; ``failed`` is called after an internal
    error.
    """

    resolver_of: Callable[[str], APIGatewayHttpResolver]
    services: Services
    log: Logger
    failed: Callable[[], None]
    via: Via = Via.API
    """The interface through which changes are made, for the activity log."""

    def answer(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """The response to one request of an HTTP API (payload format 2.0)."""
        request = _plain(event)
        method = request["requestContext"]["http"]["method"]
        resolver = self._resolver_at(request["rawPath"])
        subject = None
        recording = None
        try:
            _require_printable(request)
            caller = caller_of(request)
            subject = caller.subject
            role_method = "GET" if subject_of(request["rawPath"]) in READS_ONLY else method
            check_method(caller, role_method)
            refuse_unknown_names(
                resolver,
                method=method,
                path=request["rawPath"],
                query=request.get("queryStringParameters") or {},
            )
            request = _with_text_body(request)
            recording = self._recording(resolver, request, caller)
            resolver.context.update(
                services=self.services_for(caller, role_method),
                caller=caller,
                change=recording and recording.change,
                api=self,
            )
            answered = self._resolved(resolver, request, context)
        except Problem as problem:
            resolver.context.clear()
            answered = _as_response(problem)
        status = answered["statusCode"]
        if recording is not None:
            recording.end(status)
        if status == 500:
            self.failed()
        self.log.info(
            "answered",
            method=method,
            route=_route_of(resolver, request["rawPath"]),
            status=status,
            request=request["requestContext"].get("requestId"),
            caller=subject,
        )
        return answered | {"headers": {**(answered.get("headers") or {}), **NOT_TO_BE_KEPT}}

    def _resolved(
        self, resolver: APIGatewayHttpResolver, request: Mapping[str, Any], context: Any
    ) -> dict[str, Any]:
        """The route's response; for a list, as the requested file.

        :raises Problem: when the file can't be made
        """
        is_get = request["requestContext"]["http"]["method"] == "GET"
        listing = listing_at(_route_of(resolver, request["rawPath"])) if is_get else None
        if listing is None:
            return resolver.resolve(dict(request), context)
        query = request.get("queryStringParameters") or {}
        file_format = format_of(request["headers"].get("accept"))
        if file_format is None:
            refuse_parameters(query)
            return resolver.resolve(dict(request), context)
        shared = dict(resolver.context)
        services = shared["services"]
        shared["services"] = replace(services, rows_in_page=page_size(listing, query))

        def ask(parameters: Mapping[str, str]) -> dict[str, Any]:
            resolver.context.update(shared)
            return resolver.resolve(_with_query(request, parameters), context)

        asked = file_asked(listing, file_format, query)
        return answer_file(asked, ask, query=query, path=request["rawPath"])

    def _recording(
        self, resolver: APIGatewayHttpResolver, request: Mapping[str, Any], caller: Caller
    ) -> "Recording | None":
        """Record that a change begins; None for a request that only reads.

        :raises Problem: 503 when it can't be recorded
        """
        if request["requestContext"]["http"]["method"] in READING:
            return None
        # Most requests only read: their cold start doesn't need these imports.
        from milepost.api.change_recording import begin_change  # noqa: PLC0415 - see above

        try:
            return begin_change(
                resolver,
                request,
                caller=caller,
                recorder=self.services.open_recorder(self._lost),
                via=self.via,
            )
        except NotRecorded as error:
            why = type(error.__cause__).__name__
            # Without the message, which may quote the request.
            self.log.error("not_recorded", error=why)  # noqa: TRY400
            raise Problem(
                503,
                "The change can't be recorded now, so it was not made. Try again in a while.",
                headers=RETRY_AFTER,
            ) from None

    def services_for(self, caller: Caller, method: str) -> Services:
        """The services, limited to what the caller may see; every route uses these."""
        allowed = allowed_connections(caller, method)
        if allowed is None:
            return self.services
        # Few roles are limited to connections: other cold starts don't need this import.
        from milepost.api.narrowed_roles import narrowed  # noqa: PLC0415 - see above

        return narrowed(self.services, allowed)

    def _lost(self, error: Exception) -> None:
        """An entry of the activity log stays incomplete: raises the alarm for internal errors."""
        self.log.error("activity_not_completed", error=type(error).__name__)
        self.failed()

    def _resolver_at(self, path: str) -> APIGatewayHttpResolver:
        subject = subject_of(path)
        is_known = subject in SUBJECTS or subject in _OF_THE_API
        return self.resolver_of(subject if is_known else _NOTHING)


def build_api(
    services: Services,
    *,
    log: Logger,
    is_outage: Callable[[Exception], bool] = nothing_is_down,
    failed: Callable[[], None] = lambda: None,
    via: Via = Via.API,
) -> Api:
    """The API; each subject is mounted at its first request.

    :param is_outage: says whether an error means that a dependency is unavailable (503), or an
        internal error (500)
    """

    @cache
    def resolver_of(subject: str) -> APIGatewayHttpResolver:
        resolver = APIGatewayHttpResolver(
            enable_validation=True,
            response_validation_error_http_code=500,
            json_body_deserializer=_read_body,
        )
        for one in SUBJECTS if subject == _DESCRIPTION else (subject,):
            for router in routers_of(one):
                resolver.include_router(router)
        if subject == _DESCRIPTION:
            _describe_itself(resolver)
        if subject in _OF_THE_API:
            _publish_schema(resolver)
        respond_with_problems(resolver, log=log, is_outage=is_outage)
        return resolver

    return Api(resolver_of=resolver_of, services=services, log=log, failed=failed, via=via)


def _describe_itself(resolver: APIGatewayHttpResolver) -> None:
    @resolver.get(
        f"/{_DESCRIPTION}",
        summary="This description",
        tags=["api"],
        operation_id="describe_api",
        responses=may_answer(200),
    )
    def describe_api() -> dict[str, Any]:
        return describe(resolver)


def _publish_schema(resolver: APIGatewayHttpResolver) -> None:
    @resolver.get(
        f"/{_SCHEMAS}/announcement.v1.json",
        summary="The JSON Schema of announcements, alone and as CloudEvents",
        tags=["api"],
        operation_id="describe_announcements",
        responses=may_answer(200),
    )
    def describe_announcements() -> dict[str, Any]:
        # Few requests need it.
        from milepost.notifications.announcement_schema import (  # noqa: PLC0415 - see above
            json_schema,
        )

        return json_schema()


def _plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with its optional parts, which an event written by hand may leave out."""
    context = {"stage": "$default"} | dict(event["requestContext"])
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    request = {"version": "2.0", "routeKey": "$default", "rawQueryString": ""}
    return request | dict(event) | {"requestContext": context, "headers": headers}


def _require_printable(request: Mapping[str, Any]) -> None:
    """:raises Problem: 400 when the path or a parameter contains a control character"""
    parameters = request.get("queryStringParameters") or {}
    texts = [request["rawPath"], *parameters, *map(str, parameters.values())]
    if any(_CONTROL.search(text) for text in texts):
        raise Problem(400, "The address has a control character in it: leave it out.")


def _with_query(request: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """The request with other query parameters."""
    return {
        **request,
        "queryStringParameters": dict(query),
        "rawQueryString": urlencode(query),
    }


def _with_text_body(request: dict[str, Any]) -> dict[str, Any]:
    """The request with its body as text.

    :raises Problem: 415 when its content type isn't JSON, 400 when it isn't text
    """
    content_type = str(request["headers"].get("content-type") or _JSON)
    if request.get("body") and content_type.partition(";")[0].strip().lower() != _JSON:
        raise Problem(415, "Send the body as application/json.")
    if not request.get("isBase64Encoded"):
        return request
    try:
        text = base64.b64decode(request.get("body") or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Problem(400, "The body is not UTF-8.") from None
    return request | {"body": text, "isBase64Encoded": False}


def _read_body(text: str) -> Any:
    try:
        return read_json(text.encode())
    except BadPayload as error:
        raise _not_json(str(error)) from None
    except UnicodeError:
        raise _not_json("not UTF-8") from None


def _not_json(reason: str) -> json.JSONDecodeError:
    return json.JSONDecodeError(reason, "", 0)


def _route_of(resolver: APIGatewayHttpResolver, path: str) -> str | None:
    """The route's template, without the ids of the path."""
    found = routes_at(resolver, path)
    return found[0].openapi_path if found else None


def _as_response(problem: Problem) -> dict[str, Any]:
    answer = answer_to(problem)
    return {
        "statusCode": problem.status,
        "headers": {name: str(value) for name, value in answer.headers.items()},
        "body": answer.body,
        "isBase64Encoded": False,
    }
