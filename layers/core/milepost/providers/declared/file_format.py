"""The whole file of a declared provider: version 1 of the format.

People write the file as YAML; it is stored as JSON with the same contents. ``json_schema`` is for
editors (docs/schemas/provider.v1.json).
"""

import json
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from milepost.connections.default_settings import REQUESTS_PER_MINUTE
from milepost.providers.declared.file_orders import (
    CanonicalStatus,
    EventKind,
    FetchEvent,
    OrderFields,
    Statuses,
    Times,
    Word,
)
from milepost.providers.declared.file_parts import (
    Expression,
    Headers,
    Pages,
    PageSize,
    Parameter,
    Part,
    Path,
    PlainPath,
    Query,
    SchemeName,
    Signature,
    Since,
    only_places,
)
from milepost.providers.declared.file_sign_in import OAuthSignIn, SignIn, credentials_of
from milepost.webhooks.signature_schemes import SignatureScheme

FORMAT: Final = 1
SCHEMA_ID: Final = "https://milepost.dev/schemas/provider.v1.json"
_IDS: Final = frozenset({"order_id", "item_id"})


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_plain = parts.port != 0 and not (
            parts.username or parts.password or parts.fragment or parts.query
        )
    except ValueError:
        raise ValueError("must be an address such as https://api.example.com/v1") from None
    if parts.scheme != "https" or not parts.hostname or not is_plain or not text.isprintable():
        raise ValueError("must be a plain https address such as https://api.example.com/v1")
    return text


Address = Annotated[str, AfterValidator(_address), Field(max_length=300)]


class OrderList(Part):
    """The list of orders that is polled."""

    path: Path
    """The path of the list, below base_url."""
    query: Query = Field(default_factory=dict)
    """Query parameters of every page."""
    items: PlainPath
    """The place of the list of orders in the response."""
    pages: Pages
    """How the list is divided into pages."""
    since: Since | None = None
    """Leave it out if the provider can't filter by change: each poll then reads the whole list."""
    page_size: PageSize | None = None
    """The parameter that sets how many orders a page has."""
    is_whole: bool = True
    """Whether a listed order replaces all known facts of the order; else it adds to them."""
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] = REQUESTS_PER_MINUTE
    """How many requests a minute the provider allows."""
    poll: Annotated[str, Field(max_length=40)] = "15 minutes"
    """How often to poll, unless a connection sets another interval."""


class OneOrder(Part):
    """How to fetch one order: for a refresh, and for webhooks that only name it."""

    path: Path
    """The path of one order, below base_url, with ``{order_id}``."""
    order: PlainPath = "@"
    """The place of the order in the response."""

    @model_validator(mode="after")
    def _places(self) -> "OneOrder":
        only_places(self.path, frozenset({"order_id"}))
        if "{order_id}" not in self.path:
            raise ValueError("path must have {order_id}")
        return self


class Lifecycle(Part):
    """Differences from the usual lifecycle of an order."""

    continues: dict[Word, list[CanonicalStatus]] = Field(default_factory=dict)
    """For status words that end an order: the statuses to which it may continue anyway."""
    recovers: dict[Word, list[CanonicalStatus]] = Field(default_factory=dict)
    """For status words of a decision: the statuses to which the provider may take it back."""
    stage_days: dict[Word, Annotated[float, Field(gt=0, le=366)]] = Field(default_factory=dict)
    """How many days a status may last, by status word or by canonical status."""
    waits: dict[CanonicalStatus, Literal["contact", "payment", "signature"]] = Field(
        default_factory=dict
    )
    """By canonical status: what an open order waits for from its customer."""


class Webhooks(Part):
    """Webhooks: their signatures and their contents."""

    signature: Annotated[
        Annotated[SchemeName, Tag("name")] | Annotated[Signature, Tag("parameters")],
        Discriminator(lambda said: "name" if isinstance(said, str) else "parameters"),
    ]
    """How webhooks are signed: a name such as ``standard-webhooks``, or the parameters."""
    event: Expression | None = None
    """The place of the event's kind; leave it out if there is only one kind."""
    made_at: Expression | None = None
    """When the event was created; if missing, its arrival counts."""
    kinds: Annotated[dict[Word, EventKind], Field(min_length=1, max_length=100)]
    """By kind; without ``event``, the only kind is called ``any``."""

    @model_validator(mode="after")
    def _kinds(self) -> "Webhooks":
        if self.event is None and set(self.kinds) != {"any"}:
            raise ValueError("without event there is one kind, called any")
        return self

    def scheme(self) -> str | SignatureScheme:
        one = self.signature
        return one if isinstance(one, str) else one.scheme()


class Action(Part):
    """An action that the provider runs on an order on request."""

    statuses: Annotated[list[CanonicalStatus], Field(min_length=1)]
    """The statuses in which the action may be run."""
    words: list[Word] | None = None
    """The status words in which the provider allows it; if left out, all of ``statuses``."""
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    """The method of the request."""
    path: Path
    """The path, below base_url, with ``{order_id}`` and ``{item_id}``."""
    body: dict[Parameter, Any] | None = None
    """The JSON body, with ``{order_id}``, ``{item_id}`` and arguments such as ``{reason}``."""
    arguments: list[Literal["reason"]] = Field(default_factory=list)
    """What the person who runs it has to give."""
    outcome: Expression | None = None
    """The outcome in the response, as text; ``done`` without it."""
    is_final: bool = False
    """Whether it can't be undone, so that a person has to confirm it."""

    @model_validator(mode="after")
    def _places(self) -> "Action":
        only_places(self.path, _IDS)
        for text in _texts(self.body):
            only_places(text, _IDS | set(self.arguments))
        return self


class Declaration(Part):
    """A declared provider. ``version`` is the version of this format."""

    version: Literal[1]
    """The version of this format."""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
    """The name by which connections refer to it."""
    label: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """The name for people."""
    documentation: Annotated[str, Field(max_length=300)] | None = None
    """Where the provider documents its API."""
    base_url: Address | None = None
    """Leave it out if each account has its own: connections then set it."""
    sign_in: SignIn
    """How requests are signed in."""
    headers: Headers = Field(default_factory=dict)
    """Headers of every request, such as a version of the API."""
    list: OrderList
    """Where orders are listed, for polls."""
    one_order: OneOrder
    """How one order is fetched."""
    order: OrderFields
    """Where an order has its fields."""
    times: Times
    """How times are written."""
    amounts: Literal["units", "hundredths"] = "units"
    """Whether an amount of 1650 is 1650.00 or, as of cents, 16.50."""
    statuses: Statuses
    """What the status words mean."""
    lifecycle: Lifecycle = Field(default_factory=Lifecycle)
    """How the lifecycle differs from the usual one."""
    webhooks: Webhooks | None = None
    """Webhooks: their signatures and their contents. Leave it out if there are none."""
    actions: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")], Action], Field(max_length=20)
    ] = Field(default_factory=dict)
    """Actions that can be run at the provider, by name."""
    problem: Expression | None = None
    """The place of the message in an error response."""

    @model_validator(mode="after")
    def _together(self) -> "Declaration":
        if isinstance(self.sign_in, OAuthSignIn) and self.sign_in.token_url:
            _address(self.sign_in.token_url)
        known = {one.casefold() for one in (*self.statuses.map, *self.statuses.ignore)}
        for word in (*self.lifecycle.continues, *self.lifecycle.recovers):
            if word.casefold() not in known:
                raise ValueError(f"lifecycle names {word}, which is no word of statuses")
        for name in self.actions:
            if name in ("refresh", "note", "acknowledge"):
                raise ValueError(f"the action {name} is there for every provider: leave it out")
        return self

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of the credentials that a connection needs."""
        return credentials_of(self.sign_in)

    @property
    def fetches_by_webhook(self) -> bool:
        return self.webhooks is not None and any(
            isinstance(one, FetchEvent) for one in self.webhooks.kinds.values()
        )

    def as_json(self) -> str:
        """The declaration in its stored form."""
        return json.dumps(
            self.model_dump(mode="json", exclude_defaults=True),
            separators=(",", ":"),
            ensure_ascii=False,
        )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    schema = Declaration.model_json_schema()
    for part in schema["$defs"].values():
        kind = part["properties"].get("kind", {})
        if "const" in kind:
            # An editor shows at the word that chooses a kind what that kind is.
            kind["description"] = part["description"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
    }


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
