"""Notices: sending one again."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import ConfigDict, Field

from milepost.api.describing import may_answer
from milepost.api.given import Given, Who
from milepost.api.notice_views import NoticeView, notice_view
from milepost.api.paths import NoticePath, notice_id
from milepost.api.problems import Conflict, NotFound, Problem
from milepost.api.repeating import KEY_HEADER, KeyHeader, new_key
from milepost.api.shapes import Shape
from milepost.email_addresses import is_email
from milepost.notices import NoticeId
from milepost.resending import CannotResend, resend

router = Router()


class Resend(Shape):
    """How to send it again."""

    model_config = ConfigDict(extra="forbid")

    to: str | None = Field(
        default=None, max_length=254, description="Another address than the notice's own."
    )


@router.post(
    "/notices/<notice>/resend",
    summary="Send a mail again, written from the order as it is now",
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
    identity, key = notice_id(notice), key or new_key()
    to = asked.to if asked else None
    if to is not None and not is_email(to):
        raise Problem(422, "The address in `to` is none that mail could be sent to.")
    if services.notices.find(identity) is None:
        raise NotFound(f"There is no notice {identity.path_id}.")
    try:
        sent = resend(
            identity,
            to=to,
            by=caller.person,
            key=key,
            log=services.notices,
            orders=services.orders,
            emails=services.emails,
            now=services.clock(),
        )
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
