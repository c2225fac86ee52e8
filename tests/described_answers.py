"""Checks every response of the API in any test against the API's description."""

from collections.abc import Mapping
from typing import Any

from milepost.api.app import Api
from milepost.api.listings import listing_at
from milepost.api.openapi import ALWAYS, problems_of_names
from milepost.api.routing import routes_at

_answer = Api.answer


class NotDescribed(AssertionError):
    """The API responded with a status that its OpenAPI document doesn't have for the route."""


def hold_answers_against_description() -> None:
    """From now on, a response with an undescribed status raises an error."""
    Api.answer = _described_answer  # type: ignore[method-assign]


_interrupted: list[bool] = []
"""Whether another request was answered meanwhile, for each request that is being answered."""


def _described_answer(api: Api, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    _interrupted[-1:] = [True] * len(_interrupted[-1:])
    _interrupted.append(False)
    try:
        answer = _answer(api, event, context)
    finally:
        was_interrupted = _interrupted.pop()
    # Powertools forgets the route's success status then. A function answers one at a time.
    if was_interrupted:
        return answer
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    described = _statuses(api, method, path)
    if described and answer["statusCode"] not in described:
        raise NotDescribed(f"{method} {path} answered {answer['statusCode']}: {answer.get('body')}")
    return answer


def _statuses(api: Api, method: str, path: str) -> frozenset[int]:
    """The statuses of the route; none if there is no such route."""
    found = [one for one in routes_at(api._resolver_at(path), path) if method in one.method]
    if not found:
        return frozenset()
    template = found[0].openapi_path
    of_files = (413,) if method == "GET" and listing_at(template) is not None else ()
    own = found[0].responses or {}
    return frozenset({*own, *ALWAYS, *problems_of_names(template), *of_files})
