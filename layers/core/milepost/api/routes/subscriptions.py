"""Subscriptions: who is notified of what, by mail or at an endpoint."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from milepost.api.auth import Caller
from milepost.api.dependencies import Given, Recorded, Services, Who
from milepost.api.idempotency_key import KEY_HEADER, KeyHeader, new_key, reused
from milepost.api.openapi import may_answer
from milepost.api.problems import Conflict, Fault, NotFound, Problem
from milepost.api.subscription_schema import (
    MessageTestView,
    NewSubscriptionView,
    RotatedView,
    Rotation,
    SavedSubscriptionView,
    SubscriptionList,
    SubscriptionView,
    subscription_view,
)
from milepost.common.idempotency import KeyReused, fingerprint, is_repeated
from milepost.common.timestamps import format_instant
from milepost.notifications.chat.addresses import check_webhook
from milepost.notifications.endpoints.addresses import Refused, read_url
from milepost.notifications.notice import CHATS, Channel
from milepost.notifications.service_types import service_type_warning
from milepost.notifications.subscription import FROM_FILE, Subscription
from milepost.notifications.subscription_input import (
    SaidSubscription,
    require_callable,
    subscription_from,
)
from milepost.webhooks.signatures import NoSecret

router = Router()

FROM_API = "api"
SubscriptionPath = Annotated[str, Path(description="A subscription's id.", max_length=100)]
Said = Annotated[SaidSubscription, Body()]


@router.get(
    "/subscriptions",
    summary="Every subscription, including those that have ended",
    tags=["subscriptions"],
    operation_id="show_subscriptions",
    responses=may_answer(200),
)
def list_subscriptions(services: Given) -> SubscriptionList:
    found = sorted(services.operations.subscriptions.all(), key=lambda o: (o.recipient, o.id))
    return SubscriptionList(items=[subscription_view(one) for one in found])


@router.get(
    "/subscriptions/<subscription>",
    summary="One subscription",
    tags=["subscriptions"],
    operation_id="show_subscription",
    responses=may_answer(200, 404),
)
def show_subscription(subscription: SubscriptionPath, services: Given) -> SubscriptionView:
    return subscription_view(_find(subscription, services))


@router.post(
    "/subscriptions",
    summary="Add a subscription",
    tags=["subscriptions"],
    operation_id="add_subscription",
    status_code=201,
    responses=may_answer(201),
)
def add_subscription(
    *, services: Given, caller: Who, change: Recorded, asked: Said, key: KeyHeader = None
) -> Response[NewSubscriptionView]:
    key = key or new_key()
    made = subscription_from(asked, subscription_id=_id_by(caller, key), source=FROM_API)
    change.concerns(subscription=made.id)
    if made.channel in CHATS and asked.webhook is None:
        fault = Fault(where=f"body.{made.channel}", what="Give the address of the webhook.")
        raise Problem(422, "The subscription is not valid.", errors=[fault])
    there = _made_before(made, asked, services, caller=caller, key=key)
    secret = None
    if made.channel is Channel.HTTPS:
        # The secret is stored first, since a notice to an endpoint without one fails.
        secret = services.operations.endpoint_secrets.make(made.id)
    elif asked.webhook is not None:
        services.operations.endpoint_secrets.keep(made.id, asked.webhook)
    if there is None:
        services.operations.subscriptions.put(made)
        change.changed(after=_recorded(made))
    return Response(
        status_code=201,
        content_type="application/json",
        body=NewSubscriptionView(**_saved(there or made, services).model_dump(), secret=secret),
        headers={KEY_HEADER: key},
    )


def _id_by(caller: Caller, key: str) -> str:
    """The subscription's id, from the caller and the key, so that a repeated request creates only
    one."""
    return f"sub-{sha256(f'{caller.subject} {key}'.encode()).hexdigest()[:16]}"


def _made_before(
    made: Subscription,
    asked: SaidSubscription,
    services: Services,
    *,
    caller: Caller,
    key: str,
) -> Subscription | None:
    """The subscription that the same request has already created, as it is now; None for a new one.

    :raises Problem: when the key was used with another request, or this request is impossible
    """
    operation = f"subscription {caller.subject}"
    contents = fingerprint(asked.model_dump(mode="json"))
    there = services.operations.subscriptions.get(made.id)
    try:
        if is_repeated(services.requests, operation, key, contents):
            return there
        _require_same(made, there)
        _require_possible(made, asked, services)
        services.requests.enter(operation, key, contents, at=services.clock())
    except KeyReused as error:
        raise reused(error) from None
    return there


def _require_same(made: Subscription, there: Subscription | None) -> None:
    """Compare with a subscription of an earlier version, which didn't store the request."""
    if there is not None and replace(there, ended=None) != made:
        raise KeyReused


@router.put(
    "/subscriptions/<subscription>",
    summary="Change a subscription, except its recipient",
    tags=["subscriptions"],
    operation_id="change_subscription",
    responses=may_answer(200, 404, 409),
)
def change_subscription(
    subscription: SubscriptionPath, *, services: Given, change: Recorded, asked: Said
) -> SavedSubscriptionView:
    there = _find_ours(subscription, services)
    if not there.is_of(asked.recipient):
        raise Conflict(
            "The recipient of a subscription can't be changed, since it may "
            "have unsubscribed: add another subscription, and delete this one."
        )
    wanted = subscription_from(asked, subscription_id=there.id, source=FROM_API)
    _require_possible(wanted, asked, services)
    if not services.operations.subscriptions.change(wanted, instead_of=there):
        # Deleted meanwhile, or managed by the file now.
        _find_ours(subscription, services)
        raise Conflict(f"{subscription} was changed by somebody else meanwhile: look at it again.")
    change.changed(before=_recorded(there), after=_recorded(wanted))
    return _saved(_find(subscription, services), services)


@router.post(
    "/subscriptions/<subscription>/pause",
    summary="Pause a subscription until it is resumed",
    tags=["subscriptions"],
    operation_id="pause_subscription",
    responses=may_answer(200, 404, 409),
)
def pause_subscription(
    subscription: SubscriptionPath, services: Given, change: Recorded
) -> SubscriptionView:
    found = _find_ours(subscription, services)
    # A subscription that has ended keeps its reason, such as that its recipient unsubscribed.
    reason = f"paused on {services.clock():%Y-%m-%d}"
    services.operations.subscriptions.end(found.id, reason=reason)
    change.changed(before={"is_ended": found.ended is not None}, after={"is_ended": True})
    return subscription_view(_find(subscription, services))


@router.post(
    "/subscriptions/<subscription>/resume",
    summary="Reactivate a subscription that has ended, because its recipient wants it",
    tags=["subscriptions"],
    operation_id="resume_subscription",
    responses=may_answer(200, 404, 409),
)
def resume_subscription(
    subscription: SubscriptionPath, services: Given, change: Recorded
) -> SubscriptionView:
    found = _find(subscription, services)
    if not services.operations.subscriptions.resume(found.id, ended=found.ended):
        _find(subscription, services)
        raise Conflict(f"{found.id} was changed by somebody else meanwhile: look at it again.")
    change.changed(before={"is_ended": found.ended is not None}, after={"is_ended": False})
    return subscription_view(_find(subscription, services))


@router.post(
    "/subscriptions/<subscription>/rotate-secret",
    summary="Rotate an endpoint's secret; the old one also signs for some time",
    tags=["subscriptions"],
    operation_id="rotate_subscription_secret",
    responses=may_answer(200, 404, 409),
)
def rotate_secret(
    subscription: SubscriptionPath,
    *,
    services: Given,
    caller: Who,
    key: KeyHeader = None,
    asked: Annotated[Rotation | None, Body()] = None,
) -> Response[RotatedView]:
    found, key, now = _find(subscription, services), key or new_key(), services.clock()
    keep_for = timedelta(hours=(asked or Rotation()).keep_old_for_hours)
    rotated = None
    if found.channel is Channel.HTTPS:
        rotated = services.operations.endpoint_secrets.rotate(
            found.id, now=now, keep_for=keep_for, request=_id_by(caller, key)
        )
    if rotated is None:
        raise Conflict(f"{found.id} has no secret that signs: only endpoints have.")
    secret, until = rotated
    shown = format_instant(until) if until else None
    return Response(
        status_code=200,
        content_type="application/json",
        body=RotatedView(subscription=found.id, secret=secret, previous_until=shown),
        headers={KEY_HEADER: key},
    )


@router.post(
    "/subscriptions/<subscription>/send-test",
    summary="Send a test message to the address, endpoint or chat of a subscription",
    tags=["subscriptions"],
    operation_id="send_test_message",
    responses=may_answer(200, 404, 409),
)
def send_test_message(subscription: SubscriptionPath, services: Given) -> MessageTestView:
    found = _find(subscription, services)
    try:
        outcome = services.operations.message_tests.run(found, now=services.clock())
    except NoSecret:
        raise Conflict(f"{found.id} has no signing secret, or no address of its webhook.") from None
    return MessageTestView(subscription=found.id, status=outcome.status, failure=outcome.failure)


@router.delete(
    "/subscriptions/<subscription>",
    summary="Delete a subscription",
    tags=["subscriptions"],
    operation_id="delete_subscription",
    status_code=204,
    responses=may_answer(204, 404, 409),
)
def delete_subscription(
    subscription: SubscriptionPath, services: Given, change: Recorded
) -> Response[str]:
    found = _find_ours(subscription, services)
    change.changed(before=_recorded(found))
    if found.channel is not Channel.EMAIL:
        # Ended first and deleted last: if this is interrupted, it can be deleted again.
        reason = f"deleted on {services.clock():%Y-%m-%d}"
        services.operations.subscriptions.end(found.id, reason=reason)
        services.operations.endpoint_secrets.drop(found.id)
    services.operations.subscriptions.delete(found.id)
    return Response(status_code=204, body="")


def _saved(one: Subscription, services: Services) -> SavedSubscriptionView:
    warning = service_type_warning(
        one,
        services.connections.all(),
        figures=services.figures,
        today=services.clock().date(),
    )
    return SavedSubscriptionView(**subscription_view(one).model_dump(), warning=warning)


def _recorded(one: Subscription) -> dict[str, Any]:
    """What the activity log stores of a subscription: everything except its recipient."""
    return subscription_view(one).model_dump(
        mode="json", exclude={"id", "recipient", "owner", "ended"}
    )


def _find(subscription_id: str, services: Services) -> Subscription:
    found = services.operations.subscriptions.get(subscription_id)
    if found is None:
        raise NotFound(f"There is no subscription {subscription_id}; /subscriptions lists them.")
    return found


def _find_ours(subscription_id: str, services: Services) -> Subscription:
    found = _find(subscription_id, services)
    if found.source == FROM_FILE:
        raise Conflict(
            "connections.yaml declares this subscription: change it there, then apply the file."
        )
    return found


def _require_possible(wanted: Subscription, asked: SaidSubscription, services: Services) -> None:
    """Check what can't be checked by the request alone."""
    known = services.connection_ids()
    there_are = f"there are: {', '.join(known) or 'none'}"
    faults = [
        Fault(where="body.connections", what=f"There is no connection {name}; {there_are}.")
        for name in sorted(wanted.connections.difference(known))
    ]
    if services.narrowed_to is not None and not wanted.connections:
        what = (
            f"Name connections: your group is limited to {there_are.removeprefix('there are: ')}."
        )
        faults.append(Fault(where="body.connections", what=what))
    if asked.webhook is not None:
        try:
            allow_private = services.operations.allow_private_endpoints
            check_webhook(asked.webhook, channel=wanted.channel, allow_private=allow_private)
        except Refused as refusal:
            what = f"It would never be called: {refusal}."
            faults.append(Fault(where=f"body.{wanted.channel}", what=what))
    if wanted.channel is Channel.HTTPS:
        try:
            if services.operations.allow_private_endpoints:
                read_url(wanted.recipient, allow_private=True)
            else:
                require_callable(wanted.recipient)
        except Refused as refusal:
            faults.append(
                Fault(where="body.url", what=f"The endpoint would never be called: {refusal}.")
            )
    if faults:
        raise Problem(422, "The subscription is not possible as requested.", errors=faults)
