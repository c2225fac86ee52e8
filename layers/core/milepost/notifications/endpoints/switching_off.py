"""Switching off: an endpoint that is gone, or has failed for days, is not called any more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from milepost.common.timestamps import whole_milliseconds
from milepost.notifications.claims import CLAIM
from milepost.notifications.endpoints.addresses import Endpoint
from milepost.notifications.endpoints.retry_policy import Failure, is_to_switch_off


class Endpoints(Protocol):
    def get(self, subscription_id: str) -> Endpoint | None: ...

    def failed(
        self, endpoint: Endpoint, *, at: datetime, not_before: datetime | None = None
    ) -> datetime | None:
        """Record a failure of the endpoint's URL.

        :param not_before: until when it has asked not to be called; None keeps its earlier request
        :returns: since when it has been failing; None if its subscription has ended or has another
            URL now
        """
        ...

    def worked(self, endpoint: Endpoint) -> None:
        """Record that the endpoint's URL works and may be called, even if another call has failed
        since it was read; but not if it has another URL by now, or has worked and failed again
        since."""
        ...

    def claim_switching_off(
        self, endpoint: Endpoint, *, failing_since: datetime, at: datetime, until: datetime
    ) -> str | None:
        """The claim's token; None if another worker holds one, or the endpoint has worked."""
        ...

    def switch_off(self, endpoint: Endpoint, *, reason: str, claim: str) -> bool:
        """Switch the endpoint off; False if it has worked, or a person has resumed it, since the
        claim."""
        ...


class Owners(Protocol):
    def notify_switched_off(
        self, endpoint: Endpoint, *, failure: str, since: datetime | None
    ) -> None:
        """Notify the endpoint's owner, if it has one; an error means that the owner was not
        notified.

        :param since: since when every call failed; None if the endpoint responded 410 Gone
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchingOff:
    """Records failures of endpoints, and ends their subscriptions when it is time."""

    endpoints: Endpoints
    owners: Owners

    def after(self, endpoint: Endpoint, failure: Failure, *, now: datetime) -> str | None:
        """End the subscription if the endpoint has failed for too long or is gone, after notifying
        its owner; returns the reason if this call ended it."""
        not_before = whole_milliseconds(now + failure.pause) if failure.pause else None
        since = self.endpoints.failed(endpoint, at=whole_milliseconds(now), not_before=not_before)
        if since is None:
            return None
        if not failure.is_gone and not is_to_switch_off(failing_since=since, now=now):
            return None
        claim = self.endpoints.claim_switching_off(
            endpoint, failing_since=since, at=now, until=now + CLAIM
        )
        if claim is None:
            return None
        self.owners.notify_switched_off(
            endpoint, failure=failure.reason, since=None if failure.is_gone else since
        )
        days = (now - since).days
        why = "because it is gone" if failure.is_gone else f"after failing for {days} days"
        reason = f"switched off on {now:%Y-%m-%d} {why}"
        return reason if self.endpoints.switch_off(endpoint, reason=reason, claim=claim) else None
