"""The template in its source form, with intrinsic functions as dictionaries."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]


class _Loader(yaml.SafeLoader):
    pass


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            return {suffix: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {suffix: loader.construct_sequence(node, deep=True)}
        case yaml.MappingNode():
            return {suffix: loader.construct_mapping(node, deep=True)}
    raise AssertionError(node)


_Loader.add_multi_constructor("!", _intrinsic)
TEMPLATE: Mapping[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), _Loader)  # noqa: S506
RESOURCES: Mapping[str, Any] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    return {n: r.get("Properties", {}) for n, r in RESOURCES.items() if r["Type"] == kind}


def chosen(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of the template; for a conditional one, its value if the condition is true."""
    given = value.get("If") or value.get("Fn::If")
    found: Mapping[str, Any] = given[1] if given else value
    return found


FUNCTIONS = of_type("AWS::Serverless::Function")
ROLES = of_type("AWS::IAM::Role")
QUEUES = of_type("AWS::SQS::Queue")
QUEUE = frozenset({"QueueName"})
FUNCTION, TABLE = frozenset({"FunctionName"}), frozenset({"TableName"})
INDEX, NONE = TABLE | {"GlobalSecondaryIndexName"}, frozenset[str]()
DOCUMENTED: Mapping[tuple[str, str], set[frozenset[str]]] = {
    # docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    ("AWS/Lambda", "Invocations"): {FUNCTION, NONE},
    ("AWS/Lambda", "Duration"): {FUNCTION, NONE},
    ("AWS/Lambda", "Throttles"): {FUNCTION, NONE},
    ("AWS/Lambda", "IteratorAge"): {FUNCTION},
    # docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
    # sqs-available-cloudwatch-metrics.html
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {QUEUE},
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): {QUEUE},
    ("AWS/SQS", "NumberOfMessagesSent"): {QUEUE},
    ("AWS/SQS", "NumberOfEmptyReceives"): {QUEUE},
    # docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html
    ("AWS/SES", "Reputation.BounceRate"): {NONE},
    ("AWS/SES", "Reputation.ComplaintRate"): {NONE},
    # docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    ("AWS/DynamoDB", "ReadThrottleEvents"): {TABLE, INDEX},
    ("AWS/DynamoDB", "WriteThrottleEvents"): {TABLE, INDEX},
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): {TABLE, INDEX},
    # docs.aws.amazon.com/AmazonCloudWatch/latest/logs/
    # CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
    ("AWS/Logs", "IncomingBytes"): {frozenset({"LogGroupName"}), NONE},
    # docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
    ("AWS/ApiGateway", "5xx"): {frozenset({"ApiId"}), frozenset({"ApiId", "Stage"})},
    ("AWS/ApiGateway", "Count"): {frozenset({"ApiId"}), frozenset({"ApiId", "Stage"})},
}
"""AWS's own metrics, and by which dimensions it reports each, with where that is written."""
