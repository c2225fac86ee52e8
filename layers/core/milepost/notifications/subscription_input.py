"""The input format of subscriptions, the same in a file and in the API."""

import re
from datetime import time
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from milepost.common.email_addresses import BadAddress, check_address
from milepost.notifications.chat.addresses import check_webhook, is_webhook_name, webhook_name
from milepost.notifications.endpoints.addresses import Refused, check_addresses, read_url
from milepost.notifications.notice import DEFAULT_KINDS, TEAM_KINDS, Channel
from milepost.notifications.subscription import QUIET_HOURS_EXEMPT, Mode, QuietHours, Subscription
from milepost.orders.order import Kind

_CLOCK: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
"""Hours and minutes alone: an offset or seconds would be dropped without a word."""


def one_of(*known: str) -> AfterValidator:
    """Check that a text is one of these."""

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"{value!r} is none of {', '.join(sorted(known))}")
        return value

    return AfterValidator(check)


def _email(value: str) -> str:
    try:
        return check_address(value)
    except BadAddress as error:
        raise ValueError(f"{value!r} is not an email address. {error}") from None


def _endpoint(value: str) -> str:
    try:
        # It is unknown here for which stack it is, and therefore whether http is allowed.
        read_url(value, allow_private=True)
    except Refused as refusal:
        raise ValueError(f"is no endpoint's URL ({refusal}): write https://host/path") from None
    return value


def _webhook_of(channel: Channel) -> AfterValidator:
    """Check the address of a chat's incoming webhook. No error quotes it: it is a secret."""

    def check(value: str) -> str:
        if is_webhook_name(value):
            # A subscription that is changed is shown without the address, and sent back so.
            return value
        try:
            check_webhook(value, channel=channel, allow_private=True)
        except Refused as refusal:
            raise ValueError(f"is no incoming webhook's address ({refusal})") from None
        return value

    return AfterValidator(check)


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is no time zone: write one as Europe/Berlin") from None
    return value


def _clock(value: Any) -> str:
    # YAML parses 18:30 as a number of minutes.
    is_minutes = isinstance(value, int) and not isinstance(value, bool)
    text = f"{value // 60:02}:{value % 60:02}" if is_minutes else str(value)
    if not _CLOCK.fullmatch(text):
        raise ValueError(f'{value!r} is no time of day: write it as "18:30"')
    return text


Text: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Email: TypeAlias = Annotated[Text, AfterValidator(_email)]
Endpoint: TypeAlias = Annotated[Text, AfterValidator(_endpoint)]
SlackWebhook: TypeAlias = Annotated[Text, _webhook_of(Channel.SLACK)]
TeamsWebhook: TypeAlias = Annotated[Text, _webhook_of(Channel.TEAMS)]
Zone: TypeAlias = Annotated[Text, AfterValidator(_time_zone)]
Clock: TypeAlias = Annotated[str, BeforeValidator(_clock)]
Language: TypeAlias = Annotated[Text, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
ConnectionId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
AnyKind: TypeAlias = Annotated[str, one_of(*Kind)]
SubscribedKind: TypeAlias = Annotated[str, one_of(*TEAM_KINDS)]
PassingKind: TypeAlias = Annotated[str, one_of(*QUIET_HOURS_EXEMPT)]


class _Said(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )


class SaidQuietHours(_Said):
    """When a subscriber gets no mail, except for exempt kinds."""

    start: Clock
    end: Clock
    passing: list[PassingKind] | None = None

    @model_validator(mode="after")
    def _last(self) -> Self:
        if self.start == self.end:
            raise ValueError(
                f"begin and end at {self.start}, which may mean never or always: "
                "leave quiet_hours out, or name two times"
            )
        return self


class SaidSubscription(_Said):
    """Who is notified of what: by email, at an HTTPS endpoint, or in a chat of Slack or Microsoft
    Teams, by the address of its incoming webhook. That address is a secret and is never shown.

    An empty list, or null, means the same as leaving the setting out: the default kinds, every
    connection, every service type.
    """

    email: Email | None = None
    url: Endpoint | None = None
    # No traceback or log that shows the object may show an address.
    slack: SlackWebhook | None = Field(default=None, repr=False)
    teams: TeamsWebhook | None = Field(default=None, repr=False)
    customer_names: bool | None = None
    owner: Email | None = None
    kinds: list[SubscribedKind] | None = None
    connections: list[ConnectionId] | None = None
    service_types: list[Text] | None = None
    language: Language | None = None
    time_zone: Zone | None = None
    mode: Literal["at_once", "hourly", "daily"] | None = None
    daily_at: Clock | None = None
    quiet_hours: SaidQuietHours | None = None

    @model_validator(mode="after")
    def _fits_its_channel(self) -> Self:
        if sum(one is not None for one in (self.email, self.url, self.slack, self.teams)) != 1:
            raise ValueError("needs one of email, the url of an endpoint, slack and teams")
        said = {name for name in self.model_fields_set if getattr(self, name) is not None}
        others = [name for name in self._of_the_other_channel() if name in said]
        if others:
            raise ValueError(f"{', '.join(others)} is not for {_ARE[self.channel]}: leave it out")
        if self.channel is not Channel.EMAIL and self.owner is None:
            what = "endpoint" if self.url else "chat"
            raise ValueError(f"needs owner: the address to tell when the {what} is switched off")
        return self

    def _of_the_other_channel(self) -> tuple[str, ...]:
        match self.channel:
            case Channel.EMAIL:
                return ("secret", "owner", "customer_names")
            case Channel.HTTPS:
                texts = ("language", "time_zone", "mode", "daily_at", "quiet_hours")
                return (*texts, "customer_names")
            case _:
                return ("secret",)

    @property
    def channel(self) -> Channel:
        if self.slack:
            return Channel.SLACK
        if self.teams:
            return Channel.TEAMS
        return Channel.HTTPS if self.url else Channel.EMAIL

    @property
    def webhook(self) -> str | None:
        """The address of a chat's incoming webhook, which is a secret; None if only its name is
        given."""
        said = self.slack or self.teams
        return None if said is None or is_webhook_name(said) else said

    @property
    def gathering(self) -> Mode:
        return Mode(self.mode or Mode.AT_ONCE)

    @property
    def recipient(self) -> str:
        """The recipient as it is stored and shown; of a chat, the name of its webhook."""
        if self.webhook:
            return webhook_name(self.webhook)
        return self.email or self.url or self.slack or self.teams or ""


_ARE: Final = {
    Channel.EMAIL: "mails",
    Channel.HTTPS: "an endpoint",
    Channel.SLACK: "Slack",
    Channel.TEAMS: "Teams",
}


def subscription_from(said: SaidSubscription, *, subscription_id: str, source: str) -> Subscription:
    """The subscription, with all defaults. A webhook's address is not part of it."""
    usual = Subscription(id=subscription_id, recipient=said.recipient)
    quiet = said.quiet_hours
    return Subscription(
        id=subscription_id,
        channel=said.channel,
        recipient=said.recipient,
        kinds=frozenset(said.kinds or DEFAULT_KINDS),
        connections=frozenset(said.connections or ()),
        service_types=frozenset(said.service_types or ()),
        language=said.language or usual.language,
        time_zone=said.time_zone or usual.time_zone,
        mode=said.gathering,
        daily_at=time.fromisoformat(said.daily_at) if said.daily_at else usual.daily_at,
        quiet_hours=QuietHours(
            start=time.fromisoformat(quiet.start),
            end=time.fromisoformat(quiet.end),
            passing=frozenset(quiet.passing or ()),
        )
        if quiet
        else None,
        owner=said.owner,
        customer_names=said.customer_names or False,
        source=source,
    )


def require_callable(url: str) -> None:
    """Check, by its URL alone, that an endpoint has a public address.

    Host names are not resolved here: the sender resolves and checks them at each call.

    :raises Refused: when it would never be called
    """
    host = read_url(url, allow_private=False).host
    try:
        address = str(ip_address(host))
    except ValueError:
        if host == "localhost" or host.endswith(".localhost"):
            raise Refused("refused: loopback address") from None
        return
    check_addresses([address], allow_private=False)
