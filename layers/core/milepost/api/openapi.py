"""The API's description: OpenAPI 3.1, with every response of each route."""

from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from milepost.api.listings import BOM, COLUMNS, Listing, listing_at
from milepost.api.problems import CONTENT_TYPE, ProblemDetails
from milepost.exports.files import Format

TITLE: Final = "Milepost"
VERSION: Final = "1"
_ABOUT: Final = (
    "The status of every order, and the actions that it allows. Reading needs "
    "the group viewer or operator; every other method needs operator. Amounts "
    "are strings, so that they are exact. In a path, percent-encode an id "
    "once, like any other text. A query parameter that a route does not list "
    "is refused with 422."
)
_SCHEME: Final = "people"
_OUR_PROBLEM: Final = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
_GATEWAYS_MESSAGE: Final = {
    "application/json": {
        "schema": {"type": "object", "properties": {"message": {"type": ["string", "null"]}}}
    }
}
_MEANINGS: Final[Mapping[int, str]] = {
    400: "The request can't be read",
    401: "No token, or an invalid one",
    403: "The caller's group doesn't allow it",
    404: "Not found",
    409: "Not possible in the present state",
    413: "Too large",
    415: "The body is not JSON",
    422: "The request is not valid: `errors` says where and what",
    429: "Too many requests: try again later",
    500: "Internal error; it is logged and raises an alarm",
    502: "The provider refuses the credentials, or its response can't be read",
    503: "A dependency is unavailable: try again later",
}
ALWAYS: Final = (400, 401, 403, 415, 422, 429, 500, 503)
"""Problems of every route."""


def may_answer(success: int, *problems: int) -> dict[int, OpenAPIResponse]:
    """A route's ``responses``: its success, and the problems that are specific to it."""
    described: dict[int, OpenAPIResponse] = {success: {"description": "Done as asked"}}
    return described | {status: _problem(status) for status in problems}


def describe(api: APIGatewayHttpResolver) -> dict[str, Any]:
    """The OpenAPI document of all mounted routes."""
    # Importing the OpenAPI models takes as long as importing all of our code, and few requests need
    # it.
    from aws_lambda_powertools.event_handler.openapi.models import (  # noqa: PLC0415 - see above
        HTTPBearer,
    )

    schema = api.get_openapi_schema(
        title=TITLE,
        version=VERSION,
        description=_ABOUT,
        security_schemes={_SCHEME: HTTPBearer(bearerFormat="JWT")},
        security=[{_SCHEME: []}],
    )
    document: dict[str, Any] = schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            _complete(operation, path)
        if "get" in methods and (listing := listing_at(path)) is not None:
            _add_files(methods["get"], listing)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for ours_instead in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(ours_instead, None)
    own = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= own.pop("$defs", {}) | {"ProblemDetails": own}
    return document


def _complete(operation: dict[str, Any], path: str) -> None:
    answers = operation["responses"]
    for status in (*ALWAYS, *problems_of_names(path)):
        answers[str(status)] = _problem(status)
    if "204" in answers:
        # Powertools gives every response a body, also this one.
        answers["204"].pop("content", None)
    operation["responses"] = dict(sorted(answers.items()))


def _add_files(operation: dict[str, Any], listing: Listing) -> None:
    """Add the file formats of a list."""
    names = ", ".join(f"`{name}`" for name in listing.columns.names)
    parameters: dict[str, tuple[dict[str, Any], str]] = {
        BOM: (
            {"type": "boolean"},
            "Begin CSV with a byte order mark, so that spreadsheets recognize UTF-8.",
        ),
        COLUMNS: (
            {"type": "string", "minLength": 1, "maxLength": 2000},
            f"For a file: only these columns, separated by commas. There are {names}.",
        ),
    }
    operation.setdefault("parameters", []).extend(
        {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
        for name, (schema, text) in parameters.items()
    )
    answers = operation["responses"]
    answers["200"]["content"] |= {str(one): {"schema": {"type": "string"}} for one in Format}
    answers["413"] = _problem(413)
    operation["responses"] = dict(sorted(answers.items()))


def problems_of_names(path: str) -> tuple[int, ...]:
    """Problems of a path with a name: it may be unknown, or mean several orders."""
    if "{order_id}" in path:
        return (404, 409)
    return (404,) if "{" in path else ()


def _problem(status: int) -> OpenAPIResponse:
    content: dict[str, Any] = dict(_OUR_PROBLEM)
    if status in (401, 404, 429, 500, 503):
        # API Gateway may return these by itself, in its own format.
        content |= _GATEWAYS_MESSAGE
    return {"description": _MEANINGS[status], "content": content}
