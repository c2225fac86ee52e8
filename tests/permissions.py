"""The permissions of each function's role in the template, and the requests of its code.

Both are told as uses: an action, and the resource as the template names it (``OrdersTable``,
``OrdersTable/index/by_status``, ``QuarantineBucket/quarantine/*``).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, wraps
from typing import Any, Final, NamedTuple

from milepost.aws.botocore_clients import open_session
from tests.stack import logical_id, on_loading, template


class Use(NamedTuple):
    """An action on a resource."""

    action: str
    place: str


class Grant(NamedTuple):
    """A permission of a statement."""

    sid: str
    use: Use


@cache
def grants(function: str) -> tuple[Grant, ...]:
    """Everything that the function's role allows."""
    role = logical_id(function).removesuffix("Function") + "Role"
    # A policy that a stack has only under a condition is the second part of an `!If`.
    policies = [
        one[1] if isinstance(one, list) else one
        for one in template()[role]["Properties"]["Policies"]
    ]
    return tuple(
        Grant(statement["Sid"], Use(action, _place(resource)))
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _as_list(statement["Action"])
        for resource in _resources(statement["Resource"])
    )


def is_allowed(function: str, use: Use) -> bool:
    """Whether one of the role's statements allows it."""
    return any(covers(grant.use, use) for grant in grants(function))


def covers(granted: Use, use: Use) -> bool:
    """Whether the permission includes the use."""
    return granted.action == use.action and fnmatchcase(use.place, granted.place)


def uses_of_lambda(function: str) -> Iterator[Use]:
    """The actions of Lambda itself under the function's role: logs, event sources, failed
    events.
    """
    declared = template()[logical_id(function)]["Properties"]
    group = declared["LoggingConfig"]["LogGroup"]
    yield from (Use(f"logs:{one}", group) for one in ("CreateLogStream", "PutLogEvents"))
    yield from _left_behind(declared["EventInvokeConfig"])
    for source in declared.get("Events", {}).values():
        properties = source["Properties"]
        if source["Type"] == "SQS":
            queue = _place(properties["Queue"])
            for one in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                yield Use(f"sqs:{one}", queue)
        if source["Type"] == "DynamoDB":
            stream = _place(properties["Stream"])
            for one in ("GetRecords", "GetShardIterator", "DescribeStream"):
                yield Use(f"dynamodb:{one}", stream)
            yield Use("dynamodb:ListStreams", "*")
            yield from _left_behind(properties)


def started_by_schedules() -> list[str]:
    """The functions that EventBridge Scheduler starts, whose events may be left in a queue."""
    own = [
        name
        for name, resource in template().items()
        if any(
            source["Type"] == "ScheduleV2"
            for source in resource.get("Properties", {}).get("Events", {}).values()
        )
    ]
    return [*own, "PollOrdersFunction", "PerformActionFunction"]


def _left_behind(properties: Mapping[str, Any]) -> Iterator[Use]:
    destination = properties["DestinationConfig"]["OnFailure"]
    place = _place(destination["Destination"])
    if destination["Type"] == "S3":
        yield Use("s3:PutObject", f"{place}/aws/lambda/*")
        yield Use("s3:ListBucket", place)
    else:
        yield Use("sqs:SendMessage", place)


def _resources(value: Any) -> Iterator[str]:
    for one in _as_list(value):
        # A text whose variables are given with it is a list of both.
        yield one[0] if isinstance(one, list) else one


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_PLACES: Final = (
    (re.compile(r"arn:.*:ses:.*:identity/.*"), "identity"),
    (re.compile(r"arn:.*:ses:.*:configuration-set/.*"), "configuration-set"),
    (re.compile(r"arn:.*:ssm:.*:parameter/.*/(connections|console|public-url)"), r"parameter/\1"),
    (re.compile(r"arn:.*:schedule/\$\{(\w+)\}(/\*)"), r"\1\2"),
    (re.compile(r"\$\{(\w+)\.Arn\}(/.*)"), r"\1\2"),
    (re.compile(r"arn:.*:function:\$\{AWS::StackName\}-make-exports"), "MakeExportsFunction"),
    (re.compile(r"(\w+)(?:\.Arn)?"), r"\1"),
)


def _place(resource: str) -> str:
    for pattern, place in _PLACES:
        if match := pattern.fullmatch(resource):
            return match.expand(place)
    return resource


_OTHER_NAMES: Final = {
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "lambda:Invoke": "lambda:InvokeFunction",
}
"""Operations whose action is called otherwise, by AWS's Service Authorization Reference."""


def uses_of_call(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Use]:
    """The permissions that an AWS API call needs. An unknown call fails here: add it."""
    action = f"{service}:{operation}"
    action = _OTHER_NAMES.get(action, action)
    match operation:
        case "BatchGetItem" | "BatchWriteItem":
            yield from (Use(action, table) for table in parameters["RequestItems"])
        case "TransactWriteItems":
            for item in parameters["TransactItems"]:
                for kind, one in item.items():
                    yield Use(f"dynamodb:{kind}Item", one["TableName"])
        case "PutEvents":
            yield from (Use(action, entry["EventBusName"]) for entry in parameters["Entries"])
        case "SendEmail":
            yield Use(action, "identity")
            if "ConfigurationSetName" in parameters:
                yield Use(action, "configuration-set")
        case "CreateSchedule" | "DeleteSchedule":
            yield Use(action, f"{parameters['GroupName']}/{parameters['Name']}")
            if target := parameters.get("Target"):
                yield Use("iam:PassRole", _logical(target["RoleArn"]))
        case "DescribeUserPoolClient":
            yield Use(action, _only("AWS::Cognito::UserPool"))
        case _:
            yield Use(action, _called(parameters))


def _called(parameters: Mapping[str, Any]) -> str:
    match parameters:
        case {"TableName": table, "IndexName": index}:
            return f"{table}/index/{index}"
        case {"TableName": name} | {"QueueUrl": name} | {"TopicArn": name}:
            return _logical(name)
        case {"SecretId": name} | {"FunctionName": name}:
            return _logical(name)
        case {"Bucket": bucket, "Key": key}:
            return f"{_bucket(bucket)}/{key}"
        case {"Bucket": bucket}:
            return _bucket(bucket)
        case {"Path": str(path)} | {"Name": str(path)}:
            return "parameter/" + path.rpartition("/")[2]
    raise AssertionError(f"Which resource is that? {parameters}")


def _logical(name: str) -> str:
    """The logical id of a resource, from its name in tests.stack, within an ARN or a URL."""
    last = re.split("[:/]", name.removesuffix(".Arn"))[-1]
    return last.partition("-")[0]


def _only(kind: str) -> str:
    """The logical id of the only resource of this type, whose name AWS generates."""
    [name] = [name for name, resource in template().items() if resource["Type"] == kind]
    return name


def _bucket(name: str) -> str:
    return next((one for one in template() if one.lower() == name), name)


@dataclass
class Watch:
    """Records the requests of functions' code, while it runs and while it starts.

    A call that is made outside of a handler counts for the function that was loaded last.
    """

    asked: set[tuple[str, Use]] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    """How often each operation was called."""
    _running: list[str] = field(default_factory=list)
    _loaded: str = ""
    _session: Any = None

    def install(self) -> None:
        """Listen to all clients that the product creates; the tests create theirs in another
        way.
        """
        self._session = session = open_session()
        session.register("provide-client-params.*.*", self._note)
        session.register("after-call.s3.GetObject", self._note_missing)
        on_loading.append(self._wrap)

    @property
    def listens(self) -> bool:
        """Whether the product still creates its clients from the session that is recorded."""
        return self._session is open_session()

    def _note(self, *, params: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
        self.calls[model.name] += 1
        if model.auth_type == "none":
            # What isn't signed needs no permission.
            return
        service = model.service_model.signing_name
        for use in uses_of_call(service, model.name, params):
            self._add(use)
        if "Bucket" in params:
            context["bucket"] = params["Bucket"]

    def _note_missing(self, *, parsed: Any, context: Mapping[str, Any], **_: Any) -> None:
        # S3 says that an object is missing only to those who may list; to others, that it refuses.
        if parsed.get("Error", {}).get("Code") == "NoSuchKey":
            self._add(Use("s3:ListBucket", _bucket(context["bucket"])))

    def _add(self, use: Use) -> None:
        if function := self._running[-1] if self._running else self._loaded:
            self.asked.add((function, use))

    def _wrap(self, function: str, handler: Callable[..., Any] | None) -> Any:
        self._loaded = function
        if handler is None:
            return None

        @wraps(handler)
        def running(*arguments: Any) -> Any:
            with self._as(function):
                return handler(*arguments)

        return running

    @contextmanager
    def _as(self, function: str) -> Iterator[None]:
        self._running.append(function)
        try:
            yield
        finally:
            self._running.pop()


def unused(function: str, used: Iterable[Use]) -> list[Grant]:
    """Permissions that neither the code nor Lambda itself needs."""
    needed = [*used, *uses_of_lambda(function)]
    return [
        grant for grant in grants(function) if not any(covers(grant.use, one) for one in needed)
    ]
