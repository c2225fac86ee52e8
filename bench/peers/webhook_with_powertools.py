"""A webhook as the documentation of Powertools for AWS Lambda suggests: one function for it all.

Its guides "Event Handler", "Parser", "Idempotency" and "Tracer", and boto3's Table resource.
"""

import base64
import hmac
import os
import time
from datetime import datetime
from http import HTTPStatus

import boto3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import BadRequestError, UnauthorizedError
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent,
)
from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError, parse
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
tracer = Tracer()
app = APIGatewayHttpResolver()
table = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])
deliveries = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
by_delivery = IdempotencyConfig(event_key_jmespath='headers."webhook-id"')
key = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))


class StatusChanged(BaseModel):
    event: str
    orderId: str
    itemId: str
    newStatus: str
    timestamp: datetime
    previousStatus: str | None = None
    providerNotes: str | None = None
    reason: str | None = None
    scheduledFor: datetime | None = None


@app.post("/webhooks/<connection>")
@tracer.capture_method
def receive(connection: str) -> Response:
    headers, body = app.current_event.headers, app.current_event.body or ""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    given = headers["webhook-signature"].removeprefix("v1,")
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    is_late = abs(time.time() - int(headers["webhook-timestamp"])) > 300
    if is_late or not hmac.compare_digest(expected, given):
        raise UnauthorizedError("signature")
    try:
        event = parse(event=body, model=StatusChanged)
    except ValidationError as error:
        raise BadRequestError("body") from error
    table.put_item(
        Item={
            "pk": f"order#{connection}#{event.orderId}",
            "sk": f"item#{event.itemId}#{event.timestamp.isoformat()}",
            **event.model_dump(mode="json", exclude_none=True),
        }
    )
    logger.info("recorded", order_id=event.orderId, status=event.newStatus)
    return Response(
        status_code=HTTPStatus.ACCEPTED,
        content_type=content_types.APPLICATION_JSON,
        body={"message": "accepted"},
    )


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@idempotent(config=by_delivery, persistence_store=deliveries)
def handler(event: dict, context: LambdaContext) -> dict:
    return app.resolve(event, context)
