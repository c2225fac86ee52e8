"""The protocols of the core that each fake implements, and AWS's drivers of them.

mypy checks the protocols. ``STANDS_FOR`` says whose methods a fake may have.
"""

from collections.abc import Mapping
from typing import Final

from milepost.actions.action import Plans
from milepost.activity.recorder import EntryWriter
from milepost.api.dependencies import ActivityLog
from milepost.common.idempotency import Requests
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.connection import Connections
from milepost.notifications import dispatch
from milepost.notifications.claims import Claims
from milepost.notifications.eligibility_facts import CurrentOrders, Subscriptions, Suppressions
from milepost.notifications.mail import sender
from milepost.notifications.resend import Log
from milepost.orders.recording import OrderStore
from milepost.polling.aws.lease import PollsTable
from milepost.polling.lease import Lease
from milepost.polling.remembered_pages import PageHashes
from milepost.polling.touched_orders import Touched
from milepost.queries.saved_views import SavedViews
from tests.fakes.connections import MemoryConnections
from tests.fakes.notifications import (
    MemoryHolds,
    MemoryNotices,
    MemoryOutbox,
    MemorySubscriptions,
    MemorySuppressions,
)
from tests.fakes.orders import MemoryOrders
from tests.fakes.polling import MemoryLease, MemoryPageHashes, MemoryPolls, MemoryTouched
from tests.fakes.requests import MemoryActivity, MemoryPlans, MemoryRequests, MemoryViews

_connections: type[Connections] = MemoryConnections
_delivery_log: type[dispatch.DeliveryLog] = MemoryNotices
_claims: type[Claims] = MemoryNotices
_resent: type[Log] = MemoryNotices
_held: type[dispatch.Holds] = MemoryHolds
_batches: type[sender.Holds] = MemoryHolds
_outbox: type[dispatch.Outbox] = MemoryOutbox
_subscriptions: type[Subscriptions] = MemorySubscriptions
_suppressions: type[Suppressions] = MemorySuppressions
_orders: type[OrderStore] = MemoryOrders
_current_orders: type[CurrentOrders] = MemoryOrders
_lease: type[Lease] = MemoryLease
_hashes: type[PageHashes] = MemoryPageHashes
_touched: type[Touched] = MemoryTouched
_requests: type[Requests] = MemoryRequests
_plans: type[Plans] = MemoryPlans
_entries: type[EntryWriter] = MemoryActivity
_activity: type[ActivityLog] = MemoryActivity
_views: type[SavedViews] = MemoryViews

STANDS_FOR: Final[Mapping[type, tuple[type, ...]]] = {
    MemoryActivity: (EntryWriter, ActivityLog),
    MemoryConnections: (Connections,),
    MemoryHolds: (dispatch.Holds, sender.Holds),
    MemoryLease: (Lease,),
    MemoryNotices: (dispatch.DeliveryLog, Claims, Log),
    MemoryOrders: (OrderStore, CurrentOrders),
    MemoryOutbox: (dispatch.Outbox,),
    MemoryPageHashes: (PageHashes,),
    MemoryPlans: (Plans,),
    # Polls have no protocol: functions use the tables themselves.
    MemoryPolls: (PollsTable, PollRequests),
    MemoryRequests: (Requests,),
    MemorySubscriptions: (Subscriptions,),
    MemorySuppressions: (Suppressions,),
    MemoryTouched: (Touched,),
    MemoryViews: (SavedViews,),
}
