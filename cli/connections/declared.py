"""The shape of connections.yaml, and what may stand in it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from cli.connections.profiles import profile_of, provider_names, scheme_of
from cli.connections.schedules import Schedule, read_schedule
from cli.stack import is_loopback
from milepost.causes import CAUSES, LONGEST_PATTERN, MOST_PATTERNS, is_phrase
from milepost.deadlines import TRACKS
from milepost.notices import DEFAULT_KINDS, Audience
from milepost.rendering.plain import one_line
from milepost.report import Status
from milepost.subscribing import (
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

OFF: Final = "off"


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if not parts.hostname or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("is no plain address such as https://api.example.com/v1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must begin with https://, since credentials travel to it")
    return value.rstrip("/")


def _poll(value: Any) -> Any:
    # YAML reads off as false.
    return OFF if value is False else value


def _check_poll(value: str) -> str:
    return value if value == OFF else str(read_schedule(value))


def _shown(value: str) -> str:
    if one_line(value) != value:
        raise ValueError("has line breaks, control characters or characters that can't be seen")
    return value


def _shown_lines(value: str) -> str:
    return "\n".join(_shown(line.strip()) for line in value.splitlines() if line.strip())


def _phrase(value: str) -> str:
    if not is_phrase(value):
        raise ValueError(
            f"must be one line of up to {LONGEST_PATTERN} characters, with letters or digits in it"
        )
    return value


Address: TypeAlias = Annotated[Text, AfterValidator(_web_address)]
ShownText: TypeAlias = Annotated[Text, AfterValidator(_shown)]
"""A text that stands in mails as it is: one line of characters that can be seen."""
ProviderName: TypeAlias = Annotated[str, one_of(*provider_names())]
Track: TypeAlias = Annotated[str, one_of(*TRACKS)]
StatusName: TypeAlias = Annotated[str, one_of(*Status)]
CustomerKind: TypeAlias = Annotated[str, one_of(*DEFAULT_KINDS)]
CauseName: TypeAlias = Annotated[str, one_of(*CAUSES)]
Phrase: TypeAlias = Annotated[Text, AfterValidator(_phrase)]
"""What a provider says of a cause; ``*`` in it stands for anything."""
AudienceName: TypeAlias = Annotated[str, one_of(*Audience)]
Templates: TypeAlias = dict[AnyKind, dict[AudienceName, dict[Language, Text]]]
"""Paths of a connection's own texts, by kind, audience and language."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DeclaredSigning(_Declared):
    """Live signing secrets as references, the current one first."""

    secrets: Annotated[list[Text], Field(min_length=1, max_length=2)]


class DeclaredCommission(_Declared):
    """What a completed order earns, and when it is due."""

    amount: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=4)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    due_day: Annotated[int, Field(ge=1, le=31)] = 1
    recurring: Literal["none", "monthly"] = "none"


class DeclaredSender(_Declared):
    """Who stands behind the mails: company, legal line, where to ask, where answers go."""

    company: Annotated[ShownText, Field(max_length=120)]
    legal: Annotated[Text, AfterValidator(_shown_lines), Field(max_length=1_000)] | None = None
    contact: Annotated[ShownText, Field(max_length=200)] | None = None
    reply_to: Email | None = None


class DeclaredConnection(_Declared):
    """One connection as the file has it; what is None takes the provider's default."""

    id: ConnectionId
    provider: ProviderName
    base_url: Address | None = None
    token_url: Address | None = None
    scopes: Text | None = None
    poll: Annotated[str, BeforeValidator(_poll), AfterValidator(_check_poll)] | None = None
    page_size: Annotated[int, Field(ge=1)] | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=10_000)] | None = None
    service_type: Text | None = None
    track: Track | None = None
    tracks: dict[str, Track] | None = None
    stage_days: dict[StatusName, Annotated[float, Field(gt=0, le=3660)]] | None = None
    stage_days_count: Literal["calendar", "business"] | None = None
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,6}$")] | None = None
    escalate_after_days: Annotated[float, Field(ge=0, le=3660)] | None = None
    time_zone: Zone | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    language: Language | None = None
    contact: Email | None = None
    sender: DeclaredSender | None = None
    customer_notices: list[CustomerKind] | None = None
    notices_per_hour: Annotated[int, Field(ge=1, le=100_000)] | None = None
    webhooks: bool | None = None
    signing: DeclaredSigning | None = None
    credentials: dict[str, Text] = Field(default_factory=dict)
    commission: DeclaredCommission | None = None
    causes: dict[CauseName, Annotated[list[Phrase], Field(max_length=MOST_PATTERNS)]] | None = None
    options: dict[str, Any] | None = None
    templates: Templates = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_its_provider(self) -> Self:
        profile, scheme = profile_of(self.provider), scheme_of(self.provider)
        if not (self.base_url or profile.base_url):
            raise ValueError(f"{self.provider} needs base_url: it has no public one")
        if profile.needs_token_url and not self.token_url:
            raise ValueError(f"{self.provider} needs token_url, where it gives out tokens")
        if self.page_size and self.page_size > profile.most_per_page:
            raise ValueError(f"page_size is at most {profile.most_per_page} at {self.provider}")
        if self.webhooks and scheme is None:
            raise ValueError(f"{self.provider} sends no webhooks: leave webhooks out")
        if self.signing and not self.takes_webhooks:
            raise ValueError("has signing secrets but takes no webhooks: leave signing out")
        return self

    @property
    def takes_webhooks(self) -> bool:
        if self.webhooks is None:
            return scheme_of(self.provider) is not None
        return self.webhooks

    @property
    def schedule(self) -> Schedule | None:
        """How often it is polled; None for never."""
        written = self.poll or profile_of(self.provider).poll
        return None if written == OFF else read_schedule(written)


class DeclaredSubscription(SaidSubscription):
    """The same as it is said anywhere, with a reference to an endpoint's secret."""

    secret: Text | None = None


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
    ("connections", "sender"): DeclaredSender,
    ("sender",): DeclaredSender,
    ("subscriptions",): DeclaredSubscription,
    ("subscriptions", "quiet_hours"): SaidQuietHours,
}
"""Which keys may stand where, to suggest the one that was meant."""
