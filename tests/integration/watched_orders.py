"""Orders for watch_deadlines, and the announcements of its runs."""

from datetime import datetime, timedelta
from types import ModuleType

from milepost.common.timestamps import format_instant
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Kind, OrderKey
from tests.builders import OFFERGRID
from tests.stack import Context, Stack, aws, event

DAY = timedelta(days=1)
SALES = Subscription(id="sales", recipient="sales@example.org", kinds=frozenset(Kind))
NOTHING = dict.fromkeys(
    (
        *("marked", "escalated", "reminded", "delayed", "followed_up", "commissions_overdue"),
        *("notified", "moved", "failed", "left"),
    ),
    0,
)


def key(number: int) -> OrderKey:
    return OrderKey(OFFERGRID.id, f"ord-{number}", f"item-{number}")


def run(app: ModuleType, now: datetime, context: Context | None = None) -> dict[str, int]:
    """The counts of a run at this time."""
    answer = app.handler({"now": format_instant(now)}, context or Context())
    return {name: count for name, count in answer.items() if count}


def told(stack: Stack, channel: str = "email") -> list[tuple[str, str]]:
    """Kind and recipient of every notice of the log."""
    return sorted(
        (item["kind"], item["recipient"])
        for item in stack.items("NoticesTable")
        if item["sk"].startswith("notice#")
        and item["channel"] == channel
        and item["state"] != "skipped"
    )


def announce(stack: Stack, *numbers: int) -> None:
    """Run announce with the stream's next batch, which has the latest write of each order."""
    app = stack.load("announce")
    batch = event("announce", "accepted")
    (record_of_one,) = batch["Records"]
    for number in numbers:
        image = aws("dynamodb").get_item(
            TableName=stack.resources["OrdersTable"],
            Key={
                "pk": {"S": f"order#{OFFERGRID.id}#ord-{number}"},
                "sk": {"S": f"item#item-{number}"},
            },
        )["Item"]
        change = {**record_of_one["dynamodb"], "NewImage": image}
        one = {"Records": [{**record_of_one, "dynamodb": change}]}
        assert app.handler(one, Context()) == {"batchItemFailures": []}
