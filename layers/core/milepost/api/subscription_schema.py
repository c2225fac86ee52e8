"""The API's schemas of subscriptions."""

from pydantic import ConfigDict, Field

from milepost.api.json_model import Shape
from milepost.notifications.endpoints.secret_rotation import KEEP_PREVIOUS, LONGEST_KEPT
from milepost.notifications.subscription import Subscription


class QuietHoursView(Shape):
    """Quiet hours, in the subscription's time zone."""

    start: str
    end: str
    passing: list[str]


class SubscriptionView(Shape):
    """Who is notified of what. Empty `connections` and `service_types` mean all."""

    id: str
    channel: str = Field(description="`email`, `https`, `slack` or `teams`.")
    recipient: str = Field(
        description="An email address, a URL, or the name of a chat's webhook: its address is a "
        "secret, and is never shown."
    )
    kinds: list[str]
    connections: list[str]
    service_types: list[str]
    language: str
    time_zone: str
    mode: str
    daily_at: str
    quiet_hours: QuietHoursView | None
    owner: str | None
    customer_names: bool = Field(description="Whether messages to a chat name the customer.")
    source: str | None = Field(description="`file` for one that connections.yaml declares.")
    ended: str | None = Field(description="Why it has ended, in words; null while it is active.")


class SavedSubscriptionView(SubscriptionView):
    """The same after it was added or changed."""

    warning: str | None = Field(
        description="What is probably wrong with it, such as a service type that no order is known "
        "to have; null if nothing is."
    )


class NewSubscriptionView(SavedSubscriptionView):
    """The same with the secret by which an endpoint verifies messages; shown only once."""

    secret: str | None


class Rotation(Shape):
    """How to rotate the secret."""

    model_config = ConfigDict(extra="forbid")

    keep_old_for_hours: int = Field(
        default=int(KEEP_PREVIOUS.total_seconds()) // 3600,
        ge=0,
        le=int(LONGEST_KEPT.total_seconds()) // 3600,
        description="For how many hours messages are also signed by the old "
        "secret; 0 ends it immediately.",
    )


class RotatedView(Shape):
    """The new secret; shown only once."""

    subscription: str
    secret: str
    previous_until: str | None = Field(
        description="Until when the old secret also signs, in UTC; null if it doesn't."
    )


class MessageTestView(Shape):
    """What came of a test message. It is about no order, and is not retried."""

    subscription: str
    status: int | None = Field(
        description="The HTTP status of the response; null without one, and for a mail."
    )
    failure: str | None = Field(description="Why it was not taken; null if it was.")


class SubscriptionList(Shape):
    """Every subscription, by recipient."""

    items: list[SubscriptionView]


def subscription_view(one: Subscription) -> SubscriptionView:
    quiet = one.quiet_hours
    return SubscriptionView(
        id=one.id,
        channel=str(one.channel),
        recipient=one.recipient,
        kinds=sorted(one.kinds),
        connections=sorted(one.connections),
        service_types=sorted(one.service_types),
        language=one.language,
        time_zone=one.time_zone,
        mode=str(one.mode),
        daily_at=f"{one.daily_at:%H:%M}",
        quiet_hours=QuietHoursView(
            start=f"{quiet.start:%H:%M}",
            end=f"{quiet.end:%H:%M}",
            passing=sorted(quiet.passing),
        )
        if quiet
        else None,
        owner=one.owner,
        customer_names=one.customer_names,
        source=one.source,
        ended=one.ended,
    )
