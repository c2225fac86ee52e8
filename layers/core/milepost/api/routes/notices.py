"""Notices: resend a notice."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import ConfigDict, Field

from milepost.api.dependencies import Given, Who
from milepost.api.idempotency_key import KEY_HEADER, KeyHeader, new_key, reused
from milepost.api.json_model import Shape
from milepost.api.notice_schema import NoticeView, notice_view
from milepost.api.openapi import may_answer
from milepost.api.path_parameters import NoticePath, notice_id
from milepost.api.problems import Conflict, Fault, NotFound, Problem
from milepost.common.email_addresses import BadAddress, check_address
from milepost.common.idempotency import KeyReused
from milepost.notifications.notice import NoticeId
from milepost.notifications.resend import CannotResend, NeedsForce, ResendRequest

router = Router()


class Resend(Shape):
    """How to send it again."""

    model_config = ConfigDict(extra="forbid")

    to: str | None = Field(
        default=None, max_length=254, description="An address to use instead of the notice's own."
    )
    force: bool = Field(
        default=False,
        description="Send it although it is out of date, of a kind that is off "
        "for customers, or its recipient may get no mail. The mail "
        "then begins with the order's present status.",
    )


@router.post(
    "/notices/<notice>/resend",
    summary="Send a mail again, rendered from the order as it is now",
    tags=["notices"],
    operation_id="resend_notice",
    status_code=202,
    responses=may_answer(202, 404, 409),
)
def resend_notice(
    notice: NoticePath,
    *,
    services: Given,
    caller: Who,
    key: KeyHeader = None,
    asked: Annotated[Resend | None, Body()] = None,
) -> Response[NoticeView]:
    identity, key, asked = notice_id(notice), key or new_key(), asked or Resend()
    if asked.to is not None:
        _require_address(asked.to)
    if services.notices.find(identity) is None:
        raise NotFound(f"There is no notice {identity.path_id}.")
    request = ResendRequest(to=asked.to, by=caller.person, key=key, force=asked.force)
    try:
        sent = services.resender.resend(identity, request, now=services.clock())
    except KeyReused as error:
        raise reused(error) from None
    except NeedsForce as error:
        raise Conflict(
            f'Not sent: {error}. To send it anyway, repeat the request with "force": true.'
        ) from None
    except CannotResend as error:
        raise Conflict(f"Not resent: {error}.") from None
    entry = services.notices.find(NoticeId.parse(sent.id))
    if entry is None:
        raise NotFound(f"There is no notice {sent.id}.")
    return Response(
        status_code=202,
        content_type="application/json",
        body=notice_view(entry),
        headers={KEY_HEADER: key},
    )


def _require_address(to: str) -> None:
    try:
        check_address(to.strip())
    except BadAddress as error:
        fault = Fault(where="body.to", what=f"{to!r} is not an email address. {error}")
        raise Problem(422, "The notice can't be sent to this address.", errors=[fault]) from None
