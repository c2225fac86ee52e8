"""Operations of the guides' commands that ministack 1.5.33 lacks.

- API Gateway, ``DeleteRouteSettings``: ministack deletes the whole stage instead. Source: Amazon
  API Gateway version 2 API reference, under this name.
- SES, ``PutEmailIdentityMailFromAttributes``. Source: SES API v2 reference, under this name.
"""

import importlib
import json
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

_ROUTE_SETTINGS: Final = re.compile("/v2/apis/([^/]+)/stages/([^/]+)/routesettings/(.+)")
_MAIL_FROM: Final = re.compile("/v2/email/identities/([^/]+)/mail-from")


def correct_ministack() -> None:
    """Handle both operations before ministack routes them to another one."""
    gateway: Any = importlib.import_module("ministack.services.apigateway")
    mail: Any = importlib.import_module("ministack.services.ses_v2")
    _answer(gateway, _ROUTE_SETTINGS, "DELETE", _delete_route_settings)
    _answer(mail, _MAIL_FROM, "PUT", _put_mail_from)


def _answer(service: Any, wanted: re.Pattern[str], wanted_method: str, handler: Any) -> None:
    handle = service.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        found = wanted.fullmatch(path)
        if not found or method != wanted_method:
            return await handle(method, path, headers, body, query_params)
        return handler(service, *map(unquote, found.groups()), body=body)

    service.handle_request = handle_request


def _delete_route_settings(service: Any, api: str, stage: str, route: str, *, body: bytes) -> Any:
    del body
    if remove_route_settings(service._stages.get(api, {}).get(stage), route):
        return 204, {}, b""
    message = f"Unable to find Route by key {route} within the provided RouteSettings"
    return service._apigw_error("NotFoundException", message, 404)


def remove_route_settings(stage: MutableMapping[str, Any] | None, route: str) -> bool:
    """Delete the stage's settings for this route; returns whether it had any."""
    settings = (stage or {}).get("routeSettings") or {}
    return settings.pop(route, None) is not None


def _put_mail_from(service: Any, identity: str, *, body: bytes) -> Any:
    if identity not in service._identities:
        return service._json_err("NotFoundException", f"Identity {identity} not found", 404)
    service._identities[identity]["MailFromAttributes"] = mail_from(json.loads(body or b"{}"))
    return service.json_response({})


def mail_from(request: Mapping[str, Any]) -> dict[str, str]:
    """The identity's settings after the request; pending until its DNS records are found."""
    behaviour = request.get("BehaviorOnMxFailure") or "USE_DEFAULT_VALUE"
    if not request.get("MailFromDomain"):
        return {"BehaviorOnMxFailure": behaviour}
    return {
        "MailFromDomain": request["MailFromDomain"],
        "MailFromDomainStatus": "PENDING",
        "BehaviorOnMxFailure": behaviour,
    }
