"""Actions: run an action on an order, now or later."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import ConfigDict, Field

from milepost.actions.action import (
    ActionRequest,
    CredentialsRefused,
    KeyReused,
    NoSuchOrder,
    NotAllowed,
    ProviderDown,
    RefusedByProvider,
    UnknownAction,
    UnreadableAnswer,
)
from milepost.actions.perform import perform
from milepost.actions.refresh import ActionContext
from milepost.actions.schedule import call_off
from milepost.activity.recorder import Change
from milepost.api import text_patterns
from milepost.api.auth import Caller
from milepost.api.dependencies import Given, Recorded, Services, Who
from milepost.api.idempotency_key import KEY_HEADER, KeyHeader, new_key
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.path_parameters import OrderPath, order_key
from milepost.api.problems import Conflict, NotFound, Problem
from milepost.common import idempotency
from milepost.common.allowed_years import require_near
from milepost.common.errors import BadPayload
from milepost.common.idempotency import fingerprint, is_repeated
from milepost.common.timestamps import format_instant, parse_instant
from milepost.orders.action_results import ActionDone
from milepost.orders.details import Result
from milepost.orders.recording import LostRace
from milepost.providers.base import BadArgument

router = Router()

_NOTHING_DONE: Final = (NoSuchOrder, UnknownAction, BadArgument, KeyReused, NotAllowed)
"""After these errors, nothing was done and the provider was not called."""

ActionPath = Annotated[
    str,
    Path(
        description="`refresh`, `note` and `acknowledge` for every order; the others by provider.",
        pattern=text_patterns.ACTION,
        max_length=40,
        examples=["cancel"],
    ),
]


class ActionAsked(Shape):
    """The arguments of an action; docs/actions.md lists them for each action."""

    model_config = ConfigDict(extra="forbid")

    at: str | None = Field(
        default=None,
        description="Run the action at this time instead of now: an ISO 8601 "
        "instant with a time zone (fulfill).",
        examples=["2030-03-20T09:00:00Z"],
    )
    reason: str | None = Field(default=None, description="Why, for the provider (cancel).")
    invoice: str | None = Field(
        default=None,
        description="Id or number of the invoice (check_invoice); the unpaid one if absent.",
    )
    text: str | None = Field(default=None, description="What to note (note).")
    notices: Literal["on", "off"] | None = Field(
        default=None,
        description="Whether people are notified of changes (refresh); by default they are.",
    )
    attention: list[str] | None = Field(
        default=None,
        max_length=100,
        description="Ids or codes of what was handled (acknowledge); all if absent.",
    )


class ActionView(Shape):
    """The outcome of an action, as on the order's timeline."""

    action: str
    key: str = Field(description="The idempotency key.")
    person: str
    result: Result
    at: str
    outcome: str | None = Field(description="The provider's response, in its own words.")
    planned_for: str | None
    repeated: bool = Field(description="Whether the action had already been run with this key.")


@router.post(
    "/orders/<order_id>/actions/<action>",
    summary="Run an action on an order, at its provider or in Milepost",
    tags=["orders", "actions"],
    operation_id="perform_action",
    responses=may_answer(200, 404, 409, 502),
)
def perform_action(
    order_id: OrderPath,
    action: ActionPath,
    *,
    services: Given,
    caller: Who,
    change: Recorded,
    key: KeyHeader = None,
    asked: Annotated[ActionAsked | None, Body()] = None,
) -> Response[ActionView]:
    asked = asked or ActionAsked()
    request = _request(order_id, action, services, caller=caller, key=key, asked=asked)
    return _answer(request, perform, services, what="perform", change=change)


@router.delete(
    "/orders/<order_id>/actions/<action>/planned",
    summary="Cancel a planned action",
    tags=["orders", "actions"],
    operation_id="call_off_action",
    responses=may_answer(200, 404, 409),
)
def call_off_action(
    order_id: OrderPath,
    action: ActionPath,
    *,
    services: Given,
    caller: Who,
    change: Recorded,
    key: KeyHeader = None,
) -> Response[ActionView]:
    request = _request(order_id, action, services, caller=caller, key=key, asked=ActionAsked())
    return _answer(request, call_off, services, what="call off", change=change)


def _request(
    order_id: str,
    action: str,
    services: Services,
    *,
    caller: Caller,
    key: str | None,
    asked: ActionAsked,
) -> ActionRequest:
    # Invalid arguments are refused before anything is read.
    planned_for = _instant(asked.at)
    return ActionRequest(
        order=order_key(order_id, services),
        action=action,
        key=key or new_key(),
        person=caller.person,
        arguments=asked.model_dump(exclude_none=True, exclude={"at"}),
        planned_for=planned_for,
    )


def _instant(text: str | None) -> datetime | None:
    try:
        return require_near(parse_instant(text)) if text else None
    except BadPayload as error:
        raise Problem(422, f"`at` is {error}.") from None
    except ValueError as error:
        raise Problem(422, f"`at`: {error}.") from None


def _answer(
    request: ActionRequest,
    act: Callable[..., ActionDone],
    services: Services,
    *,
    what: str,
    change: Change,
) -> Response[ActionView]:
    change.concerns(connection=request.order.connection, order=request.order.path_id)
    contents = fingerprint(
        {
            "what": f"{what} {request.action}",
            "arguments": dict(request.arguments),
            "at": format_instant(request.planned_for) if request.planned_for else None,
        }
    )
    operation = f"action on {request.order}"
    with _telling(request, services):
        is_repeated(services.requests, operation, request.key, contents)
        tools: ActionContext = services.acting.for_order(request.order)
        try:
            done = act(request, tools=tools)
        except _NOTHING_DONE:
            # The request may be corrected and repeated with the same key.
            raise
        except Exception:
            services.requests.enter(operation, request.key, contents, at=services.clock())
            raise
        services.requests.enter(operation, request.key, contents, at=services.clock())
    change.changed(after={"result": str(done.result), "repeated": done.repeated})
    return Response(
        status_code=200,
        content_type="application/json",
        body=action_view(done),
        headers={KEY_HEADER: request.key},
    )


@contextmanager
def _telling(request: ActionRequest, services: Services) -> Iterator[None]:
    """Turn errors into problems; each contains the idempotency key for a retry."""
    named = {KEY_HEADER: request.key}
    try:
        yield
    except (NoSuchOrder, UnknownAction) as error:
        raise NotFound(_sentence(error)) from None
    except (BadArgument, KeyReused, idempotency.KeyReused) as error:
        raise Problem(422, _sentence(error)) from None
    except NotAllowed as no:
        raise Conflict(_sentence(no), allowed=no.allowed) from None
    except RefusedByProvider as no:
        raise Conflict(f"The provider answered {no.done.answered}: {no.words}") from None
    except CredentialsRefused as refused:
        services.acting.forget_credentials()
        raise Problem(502, _sentence(refused), headers=named) from None
    except UnreadableAnswer as error:
        raise Problem(502, _sentence(error), headers=named) from None
    except ProviderDown as down:
        raise Problem(503, _sentence(down), headers=named | _wait(down)) from None
    except LostRace:
        busy = "The order is being changed at the moment: repeat the request with the same key."
        raise Problem(503, busy, headers=named | {"retry-after": "1"}) from None


def _wait(down: ProviderDown) -> dict[str, str]:
    seconds = down.retry_after.total_seconds() if down.retry_after is not None else 30
    return {"retry-after": f"{seconds:.0f}"}


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def action_view(done: ActionDone) -> ActionView:
    """An action as the API shows it."""
    shown: dict[str, Any] = {
        "action": done.action,
        "key": done.key,
        "person": done.person,
        "result": done.result,
        "at": format_instant(done.at),
        "outcome": done.outcome,
        "planned_for": format_instant(done.planned_for) if done.planned_for else None,
        "repeated": done.repeated,
    }
    return ActionView(**shown)
