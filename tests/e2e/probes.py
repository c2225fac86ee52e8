"""Requests for one action on one resource each, which change nothing if they are allowed.

What is wrong with each is found only after it was seen whether the caller may. A call is either
refused for want of permission, or it is not: what else it answers doesn't matter.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError

from local.emulator_access import ACCOUNT

_NOTHING: Final = "is-not-there"
_TOO_LONG: Final = "x" * 262_145
_KEY: Final = {"pk": {"S": _NOTHING}, "sk": {"S": _NOTHING}}
_REFUSED: Final = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})


class Asked(NamedTuple):
    """An action, and the ARN of its resource."""

    action: str
    arn: str


def is_refused(clients: Any, asked: Asked) -> bool:
    """Whether the caller is refused. ``clients`` returns a client of a service with the caller's
    permissions.
    """
    service, operation, parameters = _call(asked)
    try:
        getattr(clients(service), operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] in _REFUSED
    return False


def can_be_asked(asked: Asked) -> bool:
    """Whether there is a request for the action."""
    service = asked.action.partition(":")[0]
    if service == "ses":
        return ":identity/" in asked.arn
    return asked.action in _CALLS


def actions_on(arn: str) -> list[str]:
    """The actions that are tried on a resource: every action of any function on this resource
    type.
    """
    service = arn.split(":")[2]
    if service == "dynamodb":
        return _INDEX_ACTIONS if "/index/" in arn else _TABLE_ACTIONS
    if service == "s3":
        return _OBJECT_ACTIONS if "/" in arn else ["s3:ListBucket"]
    return [action for action in _CALLS if action.startswith(f"{service}:")]


def _call(asked: Asked) -> tuple[str, str, dict[str, Any]]:
    service, operation, parameters = _CALLS[asked.action]
    filled = {name: _fill(value, asked.arn) for name, value in parameters.items()}
    if service == "dynamodb" and "/index/" in asked.arn:
        filled["IndexName"] = asked.arn.rpartition("/")[2]
    return service, operation, filled


def _fill(value: Any, arn: str) -> Any:
    if isinstance(value, Mapping):
        return {_fill(name, arn): _fill(one, arn) for name, one in value.items()}
    if isinstance(value, list):
        return [_fill(one, arn) for one in value]
    if not isinstance(value, str) or "{" not in value or value == "{}":
        return value
    last = arn.split(":", 5)[5]
    parts = last.split("/")
    return value.format(
        arn=arn,
        table=parts[1] if len(parts) > 1 else "",
        queue=f"http://127.0.0.1/{ACCOUNT}/{last}",
        bucket=parts[0],
        key="/".join([*parts[1:-1], _NOTHING]),
        path="/" + last.partition("/")[2],
        group=parts[1] if len(parts) > 1 else "",
        function=last.removeprefix("function:"),
        identity=last.partition("/")[2],
    )


_TABLE: Final = {"TableName": "{table}"}
_QUEUE: Final = {"QueueUrl": "{queue}"}
_OBJECT: Final = {"Bucket": "{bucket}", "Key": "{key}"}
_SCHEDULE: Final = {"GroupName": "{group}", "Name": _NOTHING}
_RECEIPT: Final = {"ReceiptHandle": _NOTHING}
_NEVER_CURRENT: Final = {"SecretString": "{}", "VersionStages": ["TRIED"]}
_CALLS: Final[Mapping[str, tuple[str, str, dict[str, Any]]]] = {
    "dynamodb:GetItem": ("dynamodb", "get_item", {**_TABLE, "Key": _KEY}),
    "dynamodb:PutItem": ("dynamodb", "put_item", {**_TABLE, "Item": {}}),
    "dynamodb:UpdateItem": ("dynamodb", "update_item", {**_TABLE, "Key": {}}),
    "dynamodb:DeleteItem": ("dynamodb", "delete_item", {**_TABLE, "Key": {}}),
    "dynamodb:Query": ("dynamodb", "query", _TABLE),
    "dynamodb:Scan": ("dynamodb", "scan", {**_TABLE, "Limit": 1}),
    "dynamodb:BatchGetItem": (
        "dynamodb", "batch_get_item", {"RequestItems": {"{table}": {"Keys": [_KEY]}}},
    ),
    "dynamodb:BatchWriteItem": (
        "dynamodb",
        "batch_write_item",
        {"RequestItems": {"{table}": [{"DeleteRequest": {"Key": {}}}]}},
    ),
    "sqs:SendMessage": ("sqs", "send_message", {**_QUEUE, "MessageBody": ""}),
    "sqs:ReceiveMessage": ("sqs", "receive_message", {**_QUEUE, "MaxNumberOfMessages": 0}),
    "sqs:DeleteMessage": ("sqs", "delete_message", {**_QUEUE, **_RECEIPT}),
    "sqs:ChangeMessageVisibility": (
        "sqs", "change_message_visibility", {**_QUEUE, **_RECEIPT, "VisibilityTimeout": 0},
    ),
    "sqs:GetQueueAttributes": (
        "sqs", "get_queue_attributes", {**_QUEUE, "AttributeNames": ["QueueArn"]},
    ),
    "sns:Publish": ("sns", "publish", {"TopicArn": "{arn}", "Message": _TOO_LONG}),
    "s3:GetObject": ("s3", "get_object", _OBJECT),
    "s3:PutObject": ("s3", "put_object", {**_OBJECT, "Body": b"", "ContentMD5": "wrong"}),
    "s3:DeleteObject": ("s3", "delete_object", _OBJECT),
    "s3:AbortMultipartUpload": ("s3", "abort_multipart_upload", {**_OBJECT, "UploadId": _NOTHING}),
    "s3:ListBucket": ("s3", "list_objects_v2", {"Bucket": "{bucket}", "MaxKeys": 1}),
    "secretsmanager:GetSecretValue": (
        "secretsmanager", "get_secret_value", {"SecretId": "{arn}"},
    ),
    "secretsmanager:PutSecretValue": (
        "secretsmanager", "put_secret_value", {"SecretId": "{arn}", **_NEVER_CURRENT},
    ),
    "cognito-idp:DescribeUserPoolClient": (
        "cognito-idp",
        "describe_user_pool_client",
        {"UserPoolId": "{identity}", "ClientId": _NOTHING},
    ),
    "ssm:GetParameter": ("ssm", "get_parameter", {"Name": "{path}"}),
    "ssm:GetParametersByPath": ("ssm", "get_parameters_by_path", {"Path": "{path}"}),
    "scheduler:CreateSchedule": (
        "scheduler", "create_schedule", {**_SCHEDULE, "ScheduleExpression": "never"},
    ),
    "scheduler:DeleteSchedule": ("scheduler", "delete_schedule", _SCHEDULE),
    "lambda:InvokeFunction": (
        "lambda", "invoke", {"FunctionName": "{function}", "InvocationType": "DryRun"},
    ),
    "ses:SendEmail": (
        "sesv2", "send_email", {"FromEmailAddress": "{identity}", "Destination": {}, "Content": {}},
    ),
}  # fmt: skip
_TABLE_ACTIONS: Final = [action for action in _CALLS if action.startswith("dynamodb:")]
_INDEX_ACTIONS: Final = ["dynamodb:Query"]
_OBJECT_ACTIONS: Final = [
    action for action in _CALLS if action.startswith("s3:") and action != "s3:ListBucket"
]
