"""What is written to expire says when: of each table, in the item that is sent to DynamoDB."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

import milepost
from milepost.actions.aws.batches import BatchesTable
from milepost.actions.batch import Batch, Target
from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.console.aws.sessions import SessionsTable
from milepost.console.sessions import Attempt, Person, Session
from milepost.exports.aws.table import ExportsTable
from milepost.exports.export import Export, ExportState
from milepost.exports.files import Format
from milepost.notifications.aws.suppression_lists import SuppressionListTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.endpoints.aws.call_log import EndpointRetries
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.notice import Audience
from milepost.notifications.suppression import SuppressionId
from milepost.operations.erasure.aws.table import ErasuresTable
from milepost.operations.erasure.subject import subject_of
from milepost.orders.aws.erased_customers import LateOrders
from tests.builders import KEY, NOON, notice, report, tracked

TABLE = "Table"
ONE = notice()
ELSEWHERE: Final = {
    "activity/aws/log.py": "contracts/activity/test_activity_log.py",
    "polling/aws/touched_orders.py": "contracts/polling/test_touched_orders.py",
    "notifications/aws/idempotency.py": "contracts/notifications/test_idempotency.py",
    "notifications/aws/delivery_log_items.py": "contracts/notifications/test_delivery_log.py",
    "notifications/aws/held_notices.py": "contracts/notifications/test_held_notices.py",
}
"""Modules whose items are looked at by other tests."""
UNTIL_STARTED: Final = {"actions/aws/batches.py"}
"""What is planned expires after a day, unless it is started: ``test_run_batches`` looks at that."""


class Recording:
    """A client that notes what it is to write."""

    def __init__(self) -> None:
        self.expiries: list[int] = []

    def put_item(self, *, Item: Any, **_: Any) -> Any:  # noqa: N803 - as boto3 has it
        self._note(Item.get("expires_at"))
        return {}

    def update_item(self, *, ExpressionAttributeValues: Any = None, **_: Any) -> Any:  # noqa: N803
        values = ExpressionAttributeValues or {}
        self._note(values.get(":expires_at") or values.get(":expires"))
        return {}

    def batch_write_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
        for requests in RequestItems.values():
            for one in requests:
                self._note(one["PutRequest"]["Item"].get("expires_at"))
        return {"UnprocessedItems": {}}

    def get_item(self, **_: Any) -> Any:
        """The state of erasures."""
        return {"Item": to_item({"salt": b"salt".hex(), "active_until": "2999-01-01T00:00:00Z"})}

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
        """A customer of every digest was erased, and is remembered for a day."""
        until = int((NOON + timedelta(days=1)).timestamp())
        erased = to_item({"erasure": "e", "expires_at": until})
        asked = RequestItems[TABLE]["Keys"]
        return {"Responses": {TABLE: [{**key, **erased} for key in asked]}}

    def _note(self, expiry: Any) -> None:
        if expiry is not None:
            self.expiries.append(int(expiry["N"]))


EXPORT = Export(
    id="e",
    list_name="orders",
    file_format=Format.CSV,
    person="Kim",
    subject="sub",
    created_at=NOON,
)
BATCH = Batch(id="b", action="cancel", person="Kim", token="t", created_at=NOON, total=2)
SESSION = Session(
    id="s",
    person=Person(subject="sub", name="Kim", groups=()),
    began_at=NOON,
    renewed_at=NOON + timedelta(hours=1),
    sealed_token="",
)
ATTEMPT = Attempt(
    id="a", state="s", nonce="n", verifier="v", to="/", expires_at=NOON + timedelta(minutes=15)
)


AN_ORDER = tracked(report(Status.ACCEPTED, key=KEY, customer={"email": "kim@example.org"}))


def remember(client: Any) -> None:
    subject = subject_of([AN_ORDER.order], customer_id="0" * 32, salt=b"salt")
    ErasuresTable(client, table_name=TABLE).remember(subject, customer_id="0" * 32, at=NOON)


WRITES: Final[dict[str, tuple[Callable[[Any], Any], timedelta, int]]] = {
    "actions/aws/batches.py": (
        lambda client: BatchesTable(client, table_name=TABLE).put(
            BATCH, [Target(number=number, id=f"one-{number}") for number in range(2)]
        ),
        timedelta(days=30),
        4,
    ),
    "exports/aws/table.py": (
        lambda client: ExportsTable(client, table_name=TABLE).put(EXPORT, request=None),
        timedelta(days=1),
        1,
    ),
    "exports/aws/table.py, ended": (
        lambda client: ExportsTable(client, table_name=TABLE).settle(
            replace(EXPORT, state=ExportState.READY, ended_at=NOON), claim="c"
        ),
        timedelta(days=7),
        1,
    ),
    "notifications/aws/suppressions.py": (
        lambda client: SuppressionsTable(client, table_name=TABLE).lift("kim@example.org", at=NOON),
        timedelta(days=60),
        2,
    ),
    "notifications/aws/suppression_lists.py": (
        lambda client: SuppressionListTable(client, table_name=TABLE).lift(
            SuppressionId("0" * 16, Audience.TEAM), at=NOON
        ),
        timedelta(days=60),
        1,
    ),
    "notifications/mail/aws/sent_mails.py": (
        lambda client: MailsTable(client, table_name=TABLE).keep([ONE], at=NOON),
        timedelta(days=60),
        1,
    ),
    "notifications/mail/aws/sent_mails.py, again": (
        lambda client: MailsTable(client, table_name=TABLE).try_again([ONE], at=NOON),
        timedelta(days=400),
        1,
    ),
    "notifications/endpoints/aws/call_log.py": (
        lambda client: EndpointRetries(client, table_name=TABLE, queue=None).put(  # type: ignore[arg-type]
            ONE, attempt=3, delay=timedelta(days=1), now=NOON - timedelta(days=1)
        ),
        timedelta(days=400),
        1,
    ),
    "operations/erasure/aws/table.py": (remember, timedelta(days=16), 0),
    "orders/aws/erased_customers.py": (
        lambda client: LateOrders(client, table_name=TABLE).note([AN_ORDER]),
        timedelta(days=1),
        0,
    ),
    "console/aws/sessions.py": (
        lambda client: SessionsTable(client, table_name=TABLE).put(SESSION),
        timedelta(hours=12),
        1,
    ),
    "console/aws/sessions.py, sign-in": (
        lambda client: SessionsTable(client, table_name=TABLE).begin(ATTEMPT),
        timedelta(minutes=15),
        1,
    ),
}
"""By module: a write at noon, how long after noon its items expire, and how many there are; 0 for
any number."""


@pytest.mark.parametrize("place", WRITES)
def test_what_is_written_expires_when_it_is_to(place: str) -> None:
    write, after, number = WRITES[place]
    client = Recording()
    write(client)
    also = {timedelta(days=1)} if place in UNTIL_STARTED else set()
    assert set(client.expiries) == {int((NOON + one).timestamp()) for one in {after, *also}}
    assert not number or len(client.expiries) == number


def test_every_module_that_has_something_expire_is_looked_at() -> None:
    package = Path(milepost.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("aws/*.py")
        if re.search(r'"expires_at": |expires_at = :', path.read_text())
    }
    assert found == {place.partition(",")[0] for place in WRITES} | set(ELSEWHERE)
    tests = Path(__file__).parents[2]
    assert all("expires_at" in (tests / one).read_text() for one in ELSEWHERE.values())
