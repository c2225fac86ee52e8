"""Webhooks of a connection: send a test, and rotate the secret that signs them."""

from hashlib import sha256
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import ConfigDict, Field

from milepost.api.dependencies import Given, Who
from milepost.api.idempotency_key import KEY_HEADER, KeyHeader, new_key
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.problems import Conflict
from milepost.api.routes.connections import ConnectionPath, find_connection
from milepost.webhooks.secret_rotation import CannotRotate, NoSigningSecret
from milepost.webhooks.signatures import NoSecret

router = Router()

MOST_PATIENCE: Final = 10
"""Seconds: the test itself may take as long again, and an HTTP API answers within 30 seconds."""


class SendTest(Shape):
    """How to test."""

    model_config = ConfigDict(extra="forbid")

    patience: int = Field(
        default=MOST_PATIENCE,
        ge=0,
        le=MOST_PATIENCE,
        description="Seconds to wait for its arrival.",
    )


class WebhookTestView(Shape):
    """What came of a test webhook. It changes no order and notifies nobody."""

    connection: str
    url: str = Field(description="Where it was sent.")
    status: int | None = Field(description="The HTTP status of the response; null without one.")
    arrived: bool | None = Field(
        description="Whether it was read and deleted again; null if it was not accepted."
    )
    seconds: float | None = Field(description="From sending it until it had been read.")
    fault: str | None = Field(description="Why there was no response.")


class RotatedSigningSecretView(Shape):
    """The new signing secret; shown only once."""

    connection: str
    secret: str
    previous_is_valid: bool = Field(
        description="Whether webhooks that the previous secret signs are accepted as well."
    )


@router.post(
    "/connections/<connection>/send-test",
    summary="Send a signed test webhook to this connection, and check whether it arrives",
    tags=["connections"],
    operation_id="send_test_webhook",
    responses=may_answer(200, 404, 409),
)
def send_test_webhook(
    connection: ConnectionPath,
    services: Given,
    asked: Annotated[SendTest | None, Body()] = None,
) -> WebhookTestView:
    found = find_connection(connection, services)
    try:
        outcome = services.operations.webhook_tests.run(
            found.id, patience=(asked or SendTest()).patience
        )
    except NoSigningSecret as why:
        raise Conflict(f"{why}: no webhook can be sent to it.") from None
    except NoSecret:
        raise Conflict(
            f"The signing secret of {found.id} can't sign: either it is the provider's public key, "
            "or it is not valid for its scheme."
        ) from None
    return WebhookTestView(
        connection=found.id,
        url=outcome.url,
        status=outcome.status,
        arrived=outcome.arrived,
        seconds=outcome.seconds,
        fault=outcome.fault,
    )


@router.post(
    "/connections/<connection>/rotate-secret",
    summary="Make a new signing secret; the previous one stays valid until the rotation ends",
    tags=["connections"],
    operation_id="rotate_signing_secret",
    responses=may_answer(200, 404, 409),
)
def rotate_signing_secret(
    connection: ConnectionPath, *, services: Given, caller: Who, key: KeyHeader = None
) -> Response[RotatedSigningSecretView]:
    found, key = find_connection(connection, services), key or new_key()
    # One request of one caller, as the secret's entry keeps it.
    request = sha256(f"{caller.subject} {found.id} {key}".encode()).hexdigest()[:16]
    try:
        made = services.operations.signing_secrets.rotate(
            found.id, now=services.clock(), request=request
        )
    except CannotRotate as why:
        raise Conflict(f"{why}.") from None
    return Response(
        status_code=200,
        content_type="application/json",
        body=RotatedSigningSecretView(
            connection=found.id, secret=made.secret, previous_is_valid=made.previous_is_valid
        ),
        headers={KEY_HEADER: key},
    )


@router.post(
    "/connections/<connection>/finish-rotation",
    summary="End the rotation: webhooks that the previous signing secret signs are refused",
    tags=["connections"],
    operation_id="finish_signing_secret_rotation",
    status_code=204,
    responses=may_answer(204, 404, 409),
)
def finish_signing_secret_rotation(connection: ConnectionPath, services: Given) -> Response[str]:
    found = find_connection(connection, services)
    try:
        services.operations.signing_secrets.finish(found.id, now=services.clock())
    except CannotRotate as why:
        raise Conflict(f"{why}.") from None
    return Response(status_code=204, body="")
