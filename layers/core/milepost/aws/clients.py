"""Clients of AWS services: boto3's, typed by boto3-stubs, all from one session (decision 52)."""

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

from boto3.session import Session
from botocore.config import Config

from milepost.aws.botocore_clients import (
    CONFIG,
    FOR_EXPORTS,
    FOR_INVOCATIONS,
    FOR_LINKS,
    FOR_MAIL,
    INTERACTIVE_CONFIG,
    open_connections,
    open_session,
    pass_attributes_through,
)

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

__all__ = [
    "FOR_EXPORTS",
    "FOR_INVOCATIONS",
    "FOR_LINKS",
    "FOR_MAIL",
    "INTERACTIVE_CONFIG",
    "client",
    "open_connections",
]


@cache
def _session() -> Session:
    return Session(botocore_session=open_session())


@overload
def client(
    service: Literal["cognito-idp"], *, config: Config = ...
) -> "CognitoIdentityProviderClient": ...
@overload
def client(service: Literal["dynamodb"], *, config: Config = ...) -> "DynamoDBClient": ...
@overload
def client(service: Literal["events"], *, config: Config = ...) -> "EventBridgeClient": ...
@overload
def client(service: Literal["lambda"], *, config: Config = ...) -> "LambdaClient": ...
@overload
def client(service: Literal["s3"], *, config: Config = ...) -> "S3Client": ...
@overload
def client(
    service: Literal["scheduler"], *, config: Config = ...
) -> "EventBridgeSchedulerClient": ...
@overload
def client(
    service: Literal["secretsmanager"], *, config: Config = ...
) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sesv2"], *, config: Config = ...) -> "SESV2Client": ...
@overload
def client(service: Literal["sns"], *, config: Config = ...) -> "SNSClient": ...
@overload
def client(service: Literal["sqs"], *, config: Config = ...) -> "SQSClient": ...
@overload
def client(service: Literal["ssm"], *, config: Config = ...) -> "SSMClient": ...
def client(service: str, *, config: Config = CONFIG) -> Any:
    """A client such as ``client("sqs")``, with the region and credentials of the environment."""
    if service == "dynamodb":
        pass_attributes_through()
    make: Any = _session().client
    return make(service, config=config)
