"""The costs of a load at AWS, from list prices, the template and measurements; and the naive
stack's costs."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from samcli.yamlhelper import yaml_parse

from bench.children import WORK
from bench.writes import WORDS

MILLION: Final = 1_000_000
SHARE_OF_PROCESSOR: Final = 512 / 1_769
"""Of one processor at 512 MB: AWS gives a whole one at 1,769 MB."""
MS_OF_A_CALL: Final = 5.0
"""What a call to an AWS service takes beside our own processor's time, in one region."""
ACCESS_LOG: Final = 130
"""Bytes of a line of the API's access log."""
MINUTES_A_MONTH: Final = 30 * 24 * 60
HOURS_A_MONTH: Final = 30 * 24
RECEIVES_A_MINUTE: Final = 3
"""Of one poller of an empty queue: a long poll lasts 20 seconds."""
MOST_POLLERS: Final = 5
"""That Lambda keeps for a queue without traffic. Source: Lambda developer guide, "Configuring
scaling behavior for SQS event source mappings"."""
HOURS_OF_FAILURES: Final = 24
"""Hours a month in which something fails, and its metrics are sent: charged by the hour."""
METRICS_OF_A_FAILURE: Final = 4
BYTES_OF_AN_ORDER: Final = 2_300
BYTES_OF_ITS_WORDS: Final = 3_500
"""Of 17 entries and their list: 1,700, and 100 for each item that DynamoDB adds."""
LINES_OF_A_POLL: Final = 800
"""Bytes in the log. Functions run by the clock write nothing when nothing is due."""
ASSUMED: Final[Mapping[str, float]] = {
    "receive_webhook, per event": 1.2,
    "record_report, per event": 2.2,
    "write units per transition, by webhook": 3.5,
    "write units of figures and search per change, 1 at a time": 6.0,
    "write units of figures and search per change, 100 at a time": 2.5,
    WORDS: 36.0,
    "both together": 527.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One month of a team. An order has ``steps``, of which ``told`` are announced."""

    orders: float
    connections: int = 4
    steps: float = 6
    told: float = 3
    inbox_batch: float = 1
    """Messages in a batch of the inbox: one, unless they come faster than they are taken."""
    figures_batch: float = 1
    """Changes that the figures take at a time, of those of half a minute."""
    polls_an_hour: float = 4
    """Of a connection: every 15 minutes, as docs/connections.md has it."""

    @property
    def events(self) -> float:
        return self.orders * self.steps


@dataclass(frozen=True, slots=True)
class Costs:
    """Dollars for a month, by item."""

    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The template's resources that are charged by the month, or by their schedule."""

    alarms: int
    secrets: int
    keys: int
    pollers: int
    starts_a_month: float

    @classmethod
    def of_template(cls, template: Mapping[str, Any]) -> "Standing":
        """Count them. An alarm counts once for each metric that it uses."""
        resources = template["Resources"].values()
        named = [(one["Type"], one.get("Properties", {})) for one in resources]
        alarms = [each for kind, each in named if kind == "AWS::CloudWatch::Alarm"]
        events = [
            (event["Type"], event["Properties"])
            for kind, each in named
            if kind == "AWS::Serverless::Function"
            for event in each.get("Events", {}).values()
        ]
        return cls(
            alarms=sum(
                sum("MetricStat" in one for one in each.get("Metrics", [])) or 1 for each in alarms
            ),
            secrets=sum(kind == "AWS::SecretsManager::Secret" for kind, _ in named),
            keys=sum(kind == "AWS::KMS::Key" for kind, _ in named),
            # A poller hands on one batch at a time, so there are no more of them than of those.
            pollers=sum(
                min(MOST_POLLERS, each["ScalingConfig"]["MaximumConcurrency"])
                for kind, each in events
                if kind == "SQS"
            ),
            starts_a_month=sum(
                MINUTES_A_MONTH / _minutes(each["ScheduleExpression"])
                for kind, each in events
                if kind == "ScheduleV2"
            ),
        )


def _minutes(rate: str) -> int:
    number, _ = rate.removeprefix("rate(").split(" ")
    return int(number)


def read_template() -> Mapping[str, Any]:
    """template.yaml."""
    text = (Path(__file__).parents[1] / "template.yaml").read_text()
    template: Mapping[str, Any] = yaml_parse(text)
    return template


def read_prices() -> dict[str, Any]:
    """bench/prices.toml."""
    return tomllib.loads((Path(__file__).parent / "prices.toml").read_text())


def read_measured(folder: Path = WORK) -> dict[str, float]:
    """Figures that other parts stored, by name; milliseconds of processor time for events."""
    known: dict[str, float] = {}
    for part in ("warm", "writes", "logs"):
        path = folder / f"{part}.json"
        for one in json.loads(path.read_text()) if path.exists() else []:
            name = one["what"]
            # A ratio to a call of boto3 is what that part is for; here the milliseconds count.
            known[name] = float(one["note"].split(" ms")[0]) if part == "warm" else one["measured"]
    return {name: value for name, value in known.items() if name in ASSUMED}


def lambda_price(
    prices: Mapping[str, Any], *, invocations: float, processor_ms: float, calls: float
) -> float:
    """Requests and duration of a function at 512 MB; ``processor_ms`` are of a whole processor."""
    milliseconds = processor_ms / SHARE_OF_PROCESSOR + calls * MS_OF_A_CALL
    gb_seconds = milliseconds / 1_000 * 0.5
    requests = invocations * prices["lambda"]["per_million_requests"] / MILLION
    price: float = requests + gb_seconds * prices["lambda"]["per_gb_second"]
    return price


def price_events(load: Load, prices: Mapping[str, Any], measured: Mapping[str, float]) -> Costs:
    """The costs of a month's webhook events that each change an order, without mails."""
    known = {**ASSUMED, **measured}
    events, told = load.events, load.orders * load.told
    recordings = events / load.inbox_batch
    one = known["write units of figures and search per change, 1 at a time"]
    many = known["write units of figures and search per change, 100 at a time"]
    # What is shared by a batch is written once for it, so what is left is shared by its changes.
    figures = many + (one - many) / load.figures_batch
    functions = (
        lambda_price(
            prices,
            invocations=events,
            processor_ms=events * known["receive_webhook, per event"],
            calls=events,
        )
        + lambda_price(
            prices,
            invocations=recordings,
            processor_ms=events * known["record_report, per event"],
            calls=events + recordings,
        )
        + lambda_price(
            prices,
            invocations=told,
            processor_ms=told * known["record_report, per event"],
            calls=2 * told,
        )
        + lambda_price(
            prices,
            invocations=events / load.figures_batch,
            processor_ms=events * known["record_report, per event"] / 2,
            calls=2 * events / load.figures_batch,
        )
    )
    units, reads = known["write units per transition, by webhook"], 0.5 + 2 / load.figures_batch
    return Costs(
        {
            "API": events * prices["api_gateway"]["http_per_million"] / MILLION,
            "functions": functions,
            "SQS": (events + 2 * recordings) * prices["sqs"]["per_million_requests"] / MILLION,
            "orders": events * units * prices["dynamodb"]["per_million_write_units"] / MILLION,
            "figures": events * figures * prices["dynamodb"]["per_million_write_units"] / MILLION,
            "words": load.orders
            * known[WORDS]
            * prices["dynamodb"]["per_million_write_units"]
            / MILLION,
            "reads": events * reads * prices["dynamodb"]["per_million_read_units"] / MILLION,
            "SNS": told * prices["sns"]["per_million_publishes"] / MILLION,
            "logs": events
            * (known["both together"] + ACCESS_LOG)
            / 1e9
            * prices["cloudwatch"]["per_gb_of_logs"],
        }
    )


def per_million(load: Load, prices: Mapping[str, Any], measured: Mapping[str, float]) -> Costs:
    """The same for a million of the month's events."""
    whole = price_events(load, prices, measured).parts
    return Costs({name: dollars / load.events * MILLION for name, dollars in whole.items()})


def price_event_bus(load: Load, prices: Mapping[str, Any]) -> float:
    """Dollars for the events of a bus, which a stack has only on request."""
    return load.orders * load.told * float(prices["eventbridge"]["per_million_events"]) / MILLION


def price_naive(load: Load, prices: Mapping[str, Any], measured: Mapping[str, float]) -> Costs:
    """The same events with a REST API, an idempotency table, X-Ray and one item for each event.

    One function does it all, as the documentation of its tools suggests; its processor's time is
    taken to be ours of both functions and two more calls.
    """
    known = {**ASSUMED, **measured}
    events = load.events
    processor = known["receive_webhook, per event"] * 3 + known["record_report, per event"]
    writes = 2 + 2 + 2 + 1
    """Idempotency: put and update, each of one unit and one of its answer; the event's item with
    an index; the order's state."""
    return Costs(
        {
            "API": events * prices["api_gateway"]["rest_per_million"] / MILLION,
            "functions": lambda_price(
                prices, invocations=events, processor_ms=events * processor, calls=events * 5
            ),
            "tables": events * writes * prices["dynamodb"]["per_million_write_units"] / MILLION,
            "X-Ray": events * prices["xray"]["per_million_traces"] / MILLION,
            "SNS": load.orders * load.told * prices["sns"]["per_million_publishes"] / MILLION,
            "logs": events * 2_500 / 1e9 * prices["cloudwatch"]["per_gb_of_logs"],
        }
    )


def price_polls(load: Load, prices: Mapping[str, Any]) -> Costs:
    """The costs of a month's polls without changes."""
    polls = load.connections * load.polls_an_hour * HOURS_A_MONTH
    return Costs(
        {
            "functions": lambda_price(
                prices, invocations=polls, processor_ms=polls * 60, calls=polls * 8
            ),
            "pages remembered": polls
            * (prices["s3"]["per_million_puts"] + prices["s3"]["per_million_gets"])
            / MILLION,
            "leases": polls * 2 * prices["dynamodb"]["per_million_write_units"] / MILLION,
            # Credentials are remembered for five minutes.
            "credentials read": polls * prices["secrets_manager"]["per_million_calls"] / MILLION,
            "schedules": polls * prices["scheduler"]["per_million_invocations"] / MILLION,
        }
    )


def price_month(load: Load, prices: Mapping[str, Any]) -> Costs:
    """The fixed costs of a month: idle resources, scheduled functions, and storage.

    Metrics of our own are sent in hours alone in which something fails, and Cognito charges nothing
    for fewer than 10,000 people.
    """
    kept_gb = load.orders * 12 * (BYTES_OF_AN_ORDER + BYTES_OF_ITS_WORDS) / 1e9
    cloudwatch, standing = prices["cloudwatch"], Standing.of_template(read_template())
    starts, receives = standing.starts_a_month, standing.pollers * RECEIVES_A_MINUTE
    return Costs(
        {
            "secrets": standing.secrets * prices["secrets_manager"]["per_secret_month"],
            "keys": standing.keys * prices["kms"]["per_key_month"],
            "alarms": standing.alarms * cloudwatch["per_alarm_month"],
            "empty queues": receives
            * MINUTES_A_MONTH
            * prices["sqs"]["per_million_requests"]
            / MILLION,
            "polls": price_polls(load, prices).total,
            "schedules": lambda_price(
                prices, invocations=starts, processor_ms=starts * 5, calls=starts * 2
            )
            + starts * prices["scheduler"]["per_million_invocations"] / MILLION,
            "logs of polls": load.connections
            * load.polls_an_hour
            * HOURS_A_MONTH
            * LINES_OF_A_POLL
            / 1e9
            * cloudwatch["per_gb_of_logs"],
            # The announcements' topic is encrypted with aws/sns: two calls for an announcement, or
            # for those of five minutes.
            "calls of KMS": 2
            * min(load.orders * load.told, MINUTES_A_MONTH / 5)
            * prices["kms"]["per_million_calls"]
            / MILLION,
            "dead letters counted": MINUTES_A_MONTH
            / 15
            * 7
            * prices["sqs"]["per_million_requests"]
            / MILLION,
            "metrics of failures": METRICS_OF_A_FAILURE
            * HOURS_OF_FAILURES
            / HOURS_A_MONTH
            * cloudwatch["per_metric_month"],
            "a year of orders kept, and their backup": kept_gb
            * (prices["dynamodb"]["per_gb_month"] + prices["dynamodb"]["per_gb_month_of_recovery"]),
        }
    )
