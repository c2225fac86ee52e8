"""The schema of connections.yaml."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    StringConstraints,
    Tag,
    model_validator,
)

from cli.connections.provider_defaults import profile_of, provider_names, scheme_of, statuses_of
from cli.connections.schedules import Schedule, read_schedule
from cli.stack import is_loopback
from milepost.common.causes import CAUSES, LONGEST_PATTERN, MOST_PATTERNS, is_phrase
from milepost.common.status import Status, normal_form
from milepost.connections.connection import SEARCH_FIELDS, TrackingPage
from milepost.connections.setting_values import (
    MOST_REMINDER_HOURS,
    MOST_TRACKING_DAYS,
    is_order_page,
)
from milepost.connections.tracks import TRACKS
from milepost.notifications.mail.rendering.sanitize import one_line
from milepost.notifications.notice import CUSTOMER_KINDS, Audience
from milepost.notifications.subscription_input import (
    AnyKind,
    ConnectionId,
    Email,
    Language,
    SaidQuietHours,
    SaidSubscription,
    Text,
    Zone,
    one_of,
)
from milepost.orders.customer_waits import DEFAULT_WAIT_DAYS
from milepost.orders.order import Kind

OFF: Final = "off"


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if not parts.hostname or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("is not a plain address such as https://api.example.com/v1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must begin with https://, since credentials are sent to it")
    return value.rstrip("/")


def _order_page(value: str) -> str:
    if not is_order_page(value):
        raise ValueError("is not an address such as https://portal.example.com/orders/{order_id}")
    return value


def _poll(value: Any) -> Any:
    # YAML reads off as false.
    return OFF if value is False else value


def _check_poll(value: str) -> str:
    return value if value == OFF else str(read_schedule(value))


def _shown(value: str) -> str:
    if one_line(value) != value:
        raise ValueError("has line breaks, control characters or invisible characters")
    return value


def _shown_lines(value: str) -> str:
    return "\n".join(_shown(line.strip()) for line in value.splitlines() if line.strip())


def _link(value: str) -> str:
    parts = urlsplit(value)
    is_plain = value.isascii() and value.isprintable() and not set(value) & set(" <>\"'")
    if parts.scheme != "https" or not parts.hostname or parts.username or not is_plain:
        raise ValueError("is not a link such as https://survey.example.com/order")
    return value


def _phrase(value: str) -> str:
    if not is_phrase(value):
        raise ValueError(
            f"must be one line of up to {LONGEST_PATTERN} characters, with letters or digits in it"
        )
    return value


def _provider(value: str) -> str:
    # Declared ones are known once the stack was read, so not when this module is imported.
    if value not in provider_names():
        raise ValueError(
            f"is not a provider: there are {', '.join(provider_names())}. "
            "Declare your own in a file (docs/add-a-provider.md), and apply it "
            "first with `milepost providers apply`"
        )
    return value


Address: TypeAlias = Annotated[Text, AfterValidator(_web_address)]
ShownText: TypeAlias = Annotated[Text, AfterValidator(_shown)]
"""A text that is in mails as it is: one line of characters that can be seen."""
ProviderName: TypeAlias = Annotated[str, AfterValidator(_provider)]
Track: TypeAlias = Annotated[str, one_of(*TRACKS)]
WaitName: TypeAlias = Annotated[str, one_of(*DEFAULT_WAIT_DAYS)]
OwnStatus: TypeAlias = Annotated[str, one_of(*sorted(set(Status) - {Status.UNKNOWN}))]
"""The meaning of an account's own raw status."""
CustomerKind: TypeAlias = Annotated[str, one_of(*CUSTOMER_KINDS)]
CauseName: TypeAlias = Annotated[str, one_of(*CAUSES)]
SearchField: TypeAlias = Annotated[str, one_of(*SEARCH_FIELDS)]
Phrase: TypeAlias = Annotated[Text, AfterValidator(_phrase)]
"""A phrase by which a provider names a cause; ``*`` matches anything."""
AudienceName: TypeAlias = Annotated[str, one_of(*Audience)]
Templates: TypeAlias = dict[AnyKind, dict[AudienceName, dict[Language, Text]]]
"""Paths of a connection's own texts, by kind, audience and language."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DeclaredSigning(_Declared):
    """Live signing secrets as references, the current one first."""

    secrets: Annotated[list[Text], Field(min_length=1, max_length=2)]


class DeclaredCommission(_Declared):
    """The commission of a completed order, and when it is due."""

    amount: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=4)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    due_day: Annotated[int, Field(ge=1, le=31)] = 1
    recurring: Literal["none", "monthly"] = "none"
    supplier: Text | None = None
    service: Text | None = None


def _form_of_commission(value: Any) -> str:
    return "[several]" if isinstance(value, list) else "[one]"


Commission: TypeAlias = Annotated[
    Annotated[DeclaredCommission, Tag("[one]")]
    | Annotated[list[DeclaredCommission], Tag("[several]")],
    Discriminator(_form_of_commission),
]
"""Terms for all orders, or a list of terms by supplier and service."""


class DeclaredSender(_Declared):
    """The sender of the mails: company, legal line, contact, and address for replies."""

    company: Annotated[ShownText, Field(max_length=120)]
    legal: Annotated[Text, AfterValidator(_shown_lines), Field(max_length=1_000)] | None = None
    contact: Annotated[ShownText, Field(max_length=200)] | None = None
    reply_to: Email | None = None


class DeclaredFollowUp(_Declared):
    """What a customer is sent after completion: a link, and after how many days."""

    link: Annotated[Text, AfterValidator(_link), Field(max_length=1_000)]
    after_days: Annotated[float, Field(gt=0, le=365)] = 7.0


class DeclaredTracking(_Declared):
    """The tracking page: its colour, and for how many days a link is valid."""

    colour: Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")] = TrackingPage().colour
    days: Annotated[int, Field(ge=1, le=MOST_TRACKING_DAYS)] = TrackingPage().days


class DeclaredConnection(_Declared):
    """One connection as the file has it; what is None takes the provider's default."""

    id: ConnectionId
    provider: ProviderName
    provider_version: Annotated[int, Field(ge=1)] | None = None
    base_url: Address | None = None
    order_page: Annotated[Text, AfterValidator(_order_page), Field(max_length=1_000)] | None = None
    token_url: Address | None = None
    scopes: Text | None = None
    poll: Annotated[str, BeforeValidator(_poll), AfterValidator(_check_poll)] | None = None
    page_size: Annotated[int, Field(ge=1)] | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=10_000)] | None = None
    service_type: Text | None = None
    track: Track | None = None
    tracks: dict[str, Track] | None = None
    statuses: dict[ShownText, OwnStatus] | None = None
    stage_days: dict[ShownText, Annotated[float, Field(gt=0, le=3660)]] | None = None
    stage_days_count: Literal["calendar", "business"] | None = None
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,6}$")] | None = None
    escalate_after_days: Annotated[float, Field(ge=0, le=3660)] | None = None
    wait_days: dict[WaitName, Annotated[float, Field(gt=0, le=3660)]] | None = None
    reminder_hours: list[Annotated[float, Field(gt=0, le=MOST_REMINDER_HOURS)]] | None = None
    follow_up: DeclaredFollowUp | None = None
    time_zone: Zone | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    language: Language | None = None
    history_from: Annotated[date, PlainSerializer(date.isoformat)] | None = None
    contact: Email | None = None
    sender: DeclaredSender | None = None
    customer_notices: list[CustomerKind] | None = None
    tracking: DeclaredTracking | None = None
    notices_per_hour: Annotated[int, Field(ge=1, le=100_000)] | None = None
    webhooks: bool | None = None
    signing: DeclaredSigning | None = None
    credentials: dict[str, Text] = Field(default_factory=dict)
    commission: Commission | None = None
    causes: dict[CauseName, Annotated[list[Phrase], Field(max_length=MOST_PATTERNS)]] | None = None
    search_fields: list[SearchField] | None = None
    options: dict[str, Any] | None = None
    templates: Templates = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_its_provider(self) -> Self:
        profile, scheme = profile_of(self.provider), scheme_of(self.provider)
        if not (self.base_url or profile.base_url):
            raise ValueError(f"{self.provider} needs base_url: it has no public address")
        if profile.needs_token_url and not self.token_url:
            raise ValueError(f"{self.provider} needs token_url, which issues tokens")
        if self.page_size and self.page_size > profile.most_per_page:
            raise ValueError(f"page_size is at most {profile.most_per_page} at {self.provider}")
        if self.webhooks and scheme is None:
            raise ValueError(f"{self.provider} sends no webhooks: leave webhooks out")
        self._check_stages()
        if self.signing and not self.takes_webhooks:
            raise ValueError("has signing secrets but takes no webhooks: leave signing out")
        return self

    @model_validator(mode="after")
    def _keeps_what_its_mails_promise(self) -> Self:
        kinds = set(self.customer_notices or ())
        dates = {Kind.SCHEDULED, Kind.RESCHEDULED} - kinds
        if Kind.DELAYED in kinds and dates:
            raise ValueError(
                "customer_notices has delayed, whose mail promises the new date: add "
                f"{' and '.join(sorted(dates, reverse=True))}"
            )
        if Kind.FOLLOW_UP in kinds and self.follow_up is None:
            raise ValueError("customer_notices has follow_up: add follow_up.link, the link to send")
        if self.follow_up is not None and Kind.FOLLOW_UP not in kinds:
            raise ValueError("has a follow_up that nobody gets: add follow_up to customer_notices")
        return self

    def _check_stages(self) -> None:
        """Check that every stage with a number of days exists: a raw status or a canonical one."""
        words = [*statuses_of(self.provider), *(self.statuses or {})]
        known = {normal_form(word) for word in (*Status, *words)}
        for name in self.stage_days or {}:
            if normal_form(name) not in known:
                there = ", ".join(dict.fromkeys([*words, *Status]))
                raise ValueError(f"stage_days: there is no stage {name!r}; there are {there}")

    @property
    def commission_terms(self) -> list[DeclaredCommission]:
        if isinstance(self.commission, DeclaredCommission):
            return [self.commission]
        return self.commission or []

    @property
    def takes_webhooks(self) -> bool:
        if self.webhooks is None:
            return scheme_of(self.provider) is not None
        return self.webhooks

    @property
    def schedule(self) -> Schedule | None:
        """How often the connection is polled; None for never."""
        written = self.poll or profile_of(self.provider).poll
        return None if written == OFF else read_schedule(written)


class DeclaredSubscription(SaidSubscription):
    """The same as it is said anywhere, with references to an endpoint's secret and to the address
    of a chat's webhook."""

    secret: Text | None = None
    slack: Text | None = Field(default=None, repr=False)
    teams: Text | None = Field(default=None, repr=False)


class DeclaredFile(_Declared):
    """The whole file."""

    sender: DeclaredSender | None = None
    """Of the connections that name none of their own."""
    connections: list[DeclaredConnection]
    subscriptions: list[DeclaredSubscription] = Field(default_factory=list)


SHAPES: Final[Mapping[tuple[str, ...], type[BaseModel]]] = {
    (): DeclaredFile,
    ("connections",): DeclaredConnection,
    ("connections", "signing"): DeclaredSigning,
    ("connections", "commission"): DeclaredCommission,
    ("connections", "follow_up"): DeclaredFollowUp,
    ("connections", "tracking"): DeclaredTracking,
    ("connections", "sender"): DeclaredSender,
    ("sender",): DeclaredSender,
    ("subscriptions",): DeclaredSubscription,
    ("subscriptions", "quiet_hours"): SaidQuietHours,
}
"""Which keys are allowed where, to suggest the one that was meant."""
