"""The HTTP API's routes, which the emulator doesn't create from the template.

ministack 1.5.33 creates the API and its stage, but ignores the OpenAPI body in which SAM
declares routes, integrations and JWT authorizers. They are made here from that very body.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from local.deployment import Deployment
from local.emulator_access import ACCOUNT, Access

_API: Final = "AWS::ApiGatewayV2::Api"
_OPEN: Final = "NONE"
"""What SAM writes for a route that is open although the API has a default authorizer."""
_METHODS: Final = {
    "get": "GET",
    "put": "PUT",
    "post": "POST",
    "head": "HEAD",
    "patch": "PATCH",
    "delete": "DELETE",
    "options": "OPTIONS",
    "x-amazon-apigateway-any-method": "ANY",
}


def create_routes(access: Access, deployment: Deployment) -> str:
    """Create every route of the template's API; returns the API's URL, without a slash at its
    end.
    """
    name, api_id = deployment.find_only(_API)
    body = deployment.template["Resources"][name]["Properties"].get("Body") or {}
    gateway = access.client("apigatewayv2")
    resolve = Resolver(deployment, region=access.region)
    if not gateway.get_routes(ApiId=api_id)["Items"]:
        _Routes(gateway, api_id, resolve).create(body)
    return f"{access.endpoint_url}/_aws/execute-api/{api_id}/$default"


class _Routes:
    def __init__(self, gateway: Any, api_id: str, resolve: "Resolver") -> None:
        self._gateway, self._api_id, self._resolve = gateway, api_id, resolve
        self._integrations: dict[str, str] = {}

    def create(self, body: Mapping[str, Any]) -> None:
        schemes = body.get("components", {}).get("securitySchemes", {})
        authorizers = {name: self._create_authorizer(name, s) for name, s in schemes.items()}
        for path, methods in body.get("paths", {}).items():
            for method, operation in methods.items():
                if method in _METHODS:
                    key = "$default" if path == "/$default" else f"{_METHODS[method]} {path}"
                    self._create_route(key, operation, authorizers)

    def _create_authorizer(self, name: str, scheme: Mapping[str, Any]) -> str:
        declared = self._resolve(scheme["x-amazon-apigateway-authorizer"])
        jwt = declared["jwtConfiguration"]
        created = self._gateway.create_authorizer(
            ApiId=self._api_id,
            Name=name,
            AuthorizerType="JWT",
            IdentitySource=[declared.get("identitySource", "$request.header.Authorization")],
            JwtConfiguration={"Issuer": jwt["issuer"], "Audience": jwt["audience"]},
        )
        return str(created["AuthorizerId"])

    def _create_route(
        self, key: str, operation: Mapping[str, Any], authorizers: Mapping[str, str]
    ) -> None:
        integration = self._resolve(operation["x-amazon-apigateway-integration"])
        route: dict[str, Any] = {
            "ApiId": self._api_id,
            "RouteKey": key,
            "Target": f"integrations/{self._find_integration(integration)}",
        }
        for requirement in operation.get("security", []):
            for name, scopes in requirement.items():
                if name == _OPEN:
                    continue
                route |= {"AuthorizationType": "JWT", "AuthorizerId": authorizers[name]}
                route |= {"AuthorizationScopes": scopes} if scopes else {}
        self._gateway.create_route(**route)

    def _find_integration(self, declared: Mapping[str, Any]) -> str:
        found = re.search(r"functions/(arn:[^/]+)/invocations", declared["uri"])
        function = found.group(1) if found else declared["uri"]
        if function not in self._integrations:
            created = self._gateway.create_integration(
                ApiId=self._api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=function,
                PayloadFormatVersion=declared.get("payloadFormatVersion", "2.0"),
            )
            self._integrations[function] = created["IntegrationId"]
        return self._integrations[function]


class Resolver:
    """Replaces CloudFormation's intrinsic functions in a part of the template with their values."""

    def __init__(self, deployment: Deployment, *, region: str) -> None:
        self._deployment = deployment
        self._pseudo = {
            "AWS::Region": region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._region = region

    def __call__(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref":
                return self._find(argument)
            if function == "Fn::GetAtt":
                return self._find(argument if isinstance(argument, str) else ".".join(argument))
            if function == "Fn::Sub":
                return self._substitute(argument)
        return {key: self(item) for key, item in value.items()}

    def _substitute(self, argument: str | list[Any]) -> str:
        text, names = (argument, {}) if isinstance(argument, str) else argument
        given = {name: self(value) for name, value in names.items()}
        found = re.sub(r"\$\{([^!}]+)\}", lambda m: str(given.get(m[1]) or self._find(m[1])), text)
        return found.replace("${!", "${")

    def _find(self, name: str) -> str:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._deployment.parameters:
            return self._deployment.parameters[name]
        logical_id, _, attribute = name.partition(".")
        physical = self._deployment.find_id(logical_id)
        if attribute == "Arn" and self._deployment.types[logical_id] == "AWS::Lambda::Function":
            return f"arn:aws:lambda:{self._region}:{ACCOUNT}:function:{physical}"
        return physical
