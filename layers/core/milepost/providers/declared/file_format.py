"""A provider's file, as a whole. Version 1 of the format.

The file is YAML that people write; it is stored as the JSON of the same. ``json_schema`` is what
editors are given (docs/schemas/provider.v1.json).
"""

import json
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from milepost.providers.declared.file_facts import (
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
    OAuthSignIn,
    Pages,
    PageSize,
    Parameter,
    Part,
    Path,
    PlainPath,
    Query,
    SchemeName,
    Signature,
    SignIn,
    Since,
    credentials_of,
    only_places,
)
from milepost.webhooks.schemes import SignatureScheme

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
    query: Query = Field(default_factory=dict)
    items: PlainPath
    """Where an answer has its list of orders."""
    pages: Pages
    since: Since | None = None
    """Left out where the provider can't list by change: each poll then reads the whole list."""
    page_size: PageSize | None = None
    is_whole: bool = True
    """Whether a listed order replaces what was known of it; else it adds to it."""
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    poll: Annotated[str, Field(max_length=40)] = "15 minutes"
    """How often to poll, unless a connection says otherwise."""


class OneOrder(Part):
    """How one order is fetched: for a refresh, and for webhooks that only name it."""

    path: Path
    order: PlainPath = "@"
    """Where the answer has the order."""

    @model_validator(mode="after")
    def _places(self) -> "OneOrder":
        only_places(self.path, frozenset({"order_id"}))
        if "{order_id}" not in self.path:
            raise ValueError("path must have {order_id}")
        return self


class Lifecycle(Part):
    """What differs from the usual life of an order."""

    continues: dict[Word, list[CanonicalStatus]] = Field(default_factory=dict)
    """By status word that ends an order: where it may go on to anyway."""
    recovers: dict[Word, list[CanonicalStatus]] = Field(default_factory=dict)
    """By status word: what a decision may be taken back for."""
    stage_days: dict[Word, Annotated[float, Field(gt=0, le=366)]] = Field(default_factory=dict)
    """How many days a status may last, by its word or by our name of it."""
    waits: dict[CanonicalStatus, Literal["contact", "payment", "signature"]] = Field(
        default_factory=dict
    )
    """By our name of a status: what an open order waits for from its customer."""


class Webhooks(Part):
    """Webhooks: how they are signed, and what they say."""

    signature: Annotated[
        Annotated[SchemeName, Tag("name")] | Annotated[Signature, Tag("parameters")],
        Discriminator(lambda said: "name" if isinstance(said, str) else "parameters"),
    ]
    event: Expression | None = None
    """Where the event's kind stands; left out where there is one kind."""
    made_at: Expression | None = None
    """When the event was made; by its arrival where it isn't said."""
    kinds: Annotated[dict[Word, EventKind], Field(min_length=1, max_length=100)]
    """By kind; without ``event`` the only one is called ``any``."""

    @model_validator(mode="after")
    def _kinds(self) -> "Webhooks":
        if self.event is None and set(self.kinds) != {"any"}:
            raise ValueError("without event there is one kind, called any")
        return self

    def scheme(self) -> str | SignatureScheme:
        one = self.signature
        return one if isinstance(one, str) else one.scheme()


class Action(Part):
    """One thing that the provider does with an order when it is asked to."""

    statuses: Annotated[list[CanonicalStatus], Field(min_length=1)]
    words: list[Word] | None = None
    """The status words in which it does it; left out: in all of ``statuses``."""
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Path
    body: dict[Parameter, Any] | None = None
    """Sent as JSON, with ``{order_id}``, ``{item_id}`` and arguments such as ``{reason}``."""
    arguments: list[Literal["reason"]] = Field(default_factory=list)
    outcome: Expression | None = None
    """What the answer says, in words; ``done`` without it."""
    is_final: bool = False
    """Whether nothing takes it back, so that a person is asked before it is done."""

    @model_validator(mode="after")
    def _places(self) -> "Action":
        only_places(self.path, _IDS)
        for text in _texts(self.body):
            only_places(text, _IDS | set(self.arguments))
        return self


class Declaration(Part):
    """A provider, declared. ``version`` is that of this format."""

    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
    """What connections call it."""
    label: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    documentation: Annotated[str, Field(max_length=300)] | None = None
    """Where the provider documents what is said here."""
    base_url: Address | None = None
    """Left out where each account has its own: a connection then says it."""
    sign_in: SignIn
    headers: Headers = Field(default_factory=dict)
    """What every request carries, such as a version of the API."""
    list: OrderList
    one_order: OneOrder
    order: OrderFields
    times: Times
    statuses: Statuses
    lifecycle: Lifecycle = Field(default_factory=Lifecycle)
    webhooks: Webhooks | None = None
    actions: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")], Action], Field(max_length=20)
    ] = Field(default_factory=dict)
    problem: Expression | None = None
    """Where an error says in words what is wrong."""

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
        """As it is stored."""
        return json.dumps(
            self.model_dump(mode="json", exclude_defaults=True),
            separators=(",", ":"),
            ensure_ascii=False,
        )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **Declaration.model_json_schema(),
    }


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
