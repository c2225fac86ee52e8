"""A schedule's tick: poll one connection, every page, and record what changed."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client
from milepost.aws.digests import DigestsBucket
from milepost.aws.erased_customers import ErasedCustomers
from milepost.aws.orders_table import OrdersTable
from milepost.aws.polls_table import PollsTable
from milepost.aws.quarantine import Quarantine
from milepost.aws.settings import ApiCredentials, ConnectionSettings
from milepost.connection import Connection
from milepost.fetching import ProviderHttp, ProviderPool
from milepost.payload import write_json
from milepost.poll_state import LookAgain
from milepost.polling import LeaseHeld, Outcome, Poll, PollResult, Record, Sinks
from milepost.provider import Json, Provider
from milepost.providers import adapter
from milepost.recording import Outcome as RecordOutcome
from milepost.recording import record
from milepost.report import Report, parse_instant

logger = Logger()
metrics = Metrics(namespace="Milepost")

SPARE_MILLISECONDS: Final = 100_000
"""Time that one page more may take: a request that hangs, and a page full of changes."""

dynamodb = client("dynamodb")
s3 = client("s3")
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic
)
credentials = ApiCredentials(
    client("secretsmanager"),
    secret_id=os.environ["API_CREDENTIALS_ARN"],
    clock=time.monotonic,
)
polls = PollsTable(dynamodb, table_name=os.environ["POLLS_TABLE"])
digests = DigestsBucket(s3, bucket=os.environ["DIGESTS_BUCKET"])
erased_customers = ErasedCustomers(
    dynamodb, table_name=os.environ["ERASURES_TABLE"], orders_table=os.environ["ORDERS_TABLE"]
)
quarantine = Quarantine(lambda: s3, bucket=os.environ["QUARANTINE_BUCKET"])
pool = ProviderPool(maxsize=2)


@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Poll the connection that the schedule's input names: ``{"connection": "<id>"}``.

    With ``since`` (an instant) everything changed since then is read once more, and announced only
    if ``announce`` is true.
    """
    connection = connections.get(event["connection"])
    result = poll(connection, context, again=look_again(event))
    if result.outcome is Outcome.FAILED:
        # A key that was replaced a moment ago is read anew, instead of refused for minutes.
        credentials.forget()
    count_failure(connection, failed=result.outcome is Outcome.FAILED)
    logger.info("polled", connection=connection.id, **asdict(result))
    return {"connection": connection.id, **asdict(result)}


def count_failure(connection: Connection, *, failed: bool) -> None:
    """For the alarm over all connections, and by itself for each."""
    metrics.add_metric(name="PollFailures", unit=MetricUnit.Count, value=int(failed))
    with single_metric(
        name="PollFailures", unit=MetricUnit.Count, value=int(failed), namespace="Milepost"
    ) as metric:
        metric.add_dimension(name="connection", value=connection.id)


def look_again(event: Mapping[str, Any]) -> LookAgain | None:
    """What the event asks for beyond the news."""
    if "since" not in event:
        return None
    return LookAgain(since=parse_instant(event["since"]), announce=event.get("announce", False))


def poll(
    connection: Connection, context: LambdaContext, *, again: LookAgain | None = None
) -> PollResult:
    """Poll under the connection's lease; another poll of it at work is no failure."""
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    try:
        lease = polls.lease(connection.id, now=now(), duration=left + timedelta(seconds=5))
        return Poll(
            connection=connection,
            provider=(provider := adapter(connection.provider)),
            credentials=credentials.get(connection.id),
            http=ProviderHttp(
                pool, allowed=filter(None, (connection.base_url, connection.token_url))
            ),
            digests=digests,
            sinks=Sinks(record=recorder(connection, provider), quarantine=put_aside(connection)),
            clock=now,
            again=again,
            has_time=lambda: context.get_remaining_time_in_millis() > SPARE_MILLISECONDS,
        ).run(lease)
    except LeaseHeld as held:
        return PollResult(Outcome.LEASED, error=str(held))


def recorder(connection: Connection, provider: Provider) -> Record:
    """Takes a report into its order and says whether that changed it."""
    orders = OrdersTable(dynamodb, table_name=os.environ["ORDERS_TABLE"], connection=connection)
    changed = {RecordOutcome.TRANSITION, RecordOutcome.RECORDED}

    def take_in(report: Report, /, *, announce: bool) -> bool:
        recorded = record(
            report,
            orders=orders,
            rules=provider.rules,
            now=now(),
            announce=announce,
            erasures=erased_customers,
        )
        return recorded.outcome in changed

    return take_in


def put_aside(connection: Connection) -> Callable[[Json, str], None]:
    """Keeps an order that can't be read, without what may never be stored."""

    def keep(order: Json, reason: str) -> None:
        key = quarantine.keep(
            write_json(without_secrets(order)).encode(),
            connection_id=connection.id,
            source="poll",
            reason=reason,
            at=now(),
        )
        metrics.add_metric(name="Quarantined", unit=MetricUnit.Count, value=1)
        logger.warning("quarantined", connection=connection.id, reason=reason, key=key)

    return keep


def without_secrets(value: Any) -> Any:
    """The value without passwords and bank accounts, at any depth."""
    if isinstance(value, Mapping):
        return {k: without_secrets(v) for k, v in value.items() if not _is_secret(k)}
    if isinstance(value, list):
        return [without_secrets(one) for one in value]
    return value


def _is_secret(name: str) -> bool:
    """By a field's name, whatever way it is written: a password, a bank account, a code."""
    plain = name.lower().replace("_", "").replace("-", "")
    return plain == "code" or any(word in plain for word in _SECRETS)


_SECRETS: Final = ("password", "passwort", "iban", "bankaccount", "secret", "token")


def now() -> datetime:
    return datetime.now(UTC)
