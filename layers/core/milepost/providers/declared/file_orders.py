"""The parts of a provider's file about the contents of orders: fields, times and events."""

import re
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from milepost.common.status import Status, normal_form
from milepost.providers.declared.file_facts import Facts
from milepost.providers.declared.file_parts import Expression, Part
from milepost.providers.payload_types import LONGEST_WORD

IN_TEXT: Final = "in_text"
CANONICAL: Final = tuple(str(one) for one in Status if one is not Status.UNKNOWN)


def _zone(name: str) -> str:
    if name == IN_TEXT:
        return name
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError(
            "must be in_text, where every time names its zone, or a zone such as Europe/Berlin"
        ) from None
    return name


def _pattern(text: str) -> str:
    if not re.search(r"%[dj]", text) or not re.search(r"%[Yy]", text):
        raise ValueError("must be a pattern such as %d.%m.%Y %H:%M, with day and year")
    if set(re.findall(r"%(.)", text)) - set("aAbBdHIjmMpSfyYzZ%"):
        raise ValueError("has a directive that isn't read: see strftime of Python")
    return text


def _canonical(word: str) -> str:
    if word not in CANONICAL:
        raise ValueError(f"is no status: there are {', '.join(CANONICAL)}")
    return word


def _number_as_word(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Word = Annotated[
    str,
    BeforeValidator(_number_as_word, json_schema_input_type=str | int),
    Field(min_length=1, max_length=LONGEST_WORD),
]
CanonicalStatus = Annotated[
    str, AfterValidator(_canonical), Field(json_schema_extra={"enum": list(CANONICAL)})
]


class Times(Part):
    """How the provider writes times. ISO 8601 and seconds since 1970 are always understood."""

    zone: Annotated[str, AfterValidator(_zone)]
    """The time zone of times that have none; ``in_text`` if every time has its own."""
    patterns: Annotated[
        list[Annotated[str, AfterValidator(_pattern)]], Field(default_factory=list, max_length=5)
    ]
    """Other formats, in the syntax of Python's strptime."""
    not_set: Annotated[list[str], Field(default_factory=list, max_length=20)]
    """Texts that mean that no time is set, such as ``0000-00-00 00:00:00``."""


class Statuses(Part):
    """The meaning of each status word. Orders with an unknown word are recorded, need attention and
    are counted."""

    map: Annotated[dict[Word, CanonicalStatus], Field(min_length=1, max_length=200)]
    """The canonical status of each status word. Case and white space make no difference."""
    ignore: Annotated[list[Word], Field(default_factory=list, max_length=50)]
    """Words for orders that don't exist yet, such as a draft or a basket: they are not recorded."""

    @model_validator(mode="after")
    def _once(self) -> "Statuses":
        words = [normal_form(one) for one in (*self.map, *self.ignore)]
        for word in words:
            if words.count(word) > 1:
                raise ValueError(f"{word} is here twice: case and white space make no difference")
        return self


class ItemFields(Part):
    """The items of an order, if each is tracked by itself. Expressions read one item."""

    each: Expression
    """The list of items in the order."""
    id: Expression
    """The item's id, unique in its order."""
    status: Expression
    """The item's status word."""
    status_since: Expression | None = None
    """When the item entered the status, if the provider gives this apart from the last change."""
    changed_at: Expression | None = None
    """When the item last changed; if missing, the order's ``changed_at``."""
    facts: Facts = Field(default_factory=Facts)
    """Facts of the item. Those of the order are added."""


class OrderFields(Part):
    """An order, as lists and responses contain it."""

    id: Expression
    """The order's id: a text or a number."""
    status: Expression | None = None
    """The status word. Leave it out if each of the ``items`` has one."""
    status_since: Expression | None = None
    """When the order entered the status, if the provider gives this apart from the last change."""
    changed_at: Expression | None = None
    """When anything last changed. If left out, an order is dated by the request that fetched it."""
    facts: Facts = Field(default_factory=Facts)
    """Facts of the order, each by an expression."""
    items: ItemFields | None = None
    """The items of an order, if each is tracked by itself."""
    service_type: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """What is sold, if orders don't say it."""

    @model_validator(mode="after")
    def _status(self) -> "OrderFields":
        if (self.status is None) == (self.items is None):
            raise ValueError("needs either status, or items of which each has one")
        return self


class WholeOrderEvent(Part):
    """A webhook that contains an order, in the same form as the list."""

    kind: Literal["order"]
    order: Expression = "@"
    """Where the order is in the webhook."""
    status: Expression | None = None
    """The status word, if this event has it in another place; read from the whole webhook."""
    is_whole: bool = True
    """Whether it replaces all known facts of the order; else it adds to them."""


class PartEvent(Part):
    """A webhook with some facts of an order, in a form of its own."""

    kind: Literal["part"]
    id: Expression
    """The order's id in the webhook."""
    item: Expression | None = None
    """The item's id in the webhook, for orders whose items are tracked."""
    status: Expression | None = None
    """Leave it out if the event has only facts."""
    changed_at: Expression | None = None
    """If left out, the event is dated by its arrival."""
    facts: Facts = Field(default_factory=Facts)
    """The facts in the webhook, each by an expression that reads the whole webhook."""


class FetchEvent(Part):
    """A webhook that only names an order, which is then fetched at once."""

    kind: Literal["fetch"]
    id: Expression
    """The order's id in the webhook."""


class IgnoredEvent(Part):
    """A webhook that isn't about an order, such as a ping."""

    kind: Literal["ignore"]


EventKind = Annotated[
    WholeOrderEvent | PartEvent | FetchEvent | IgnoredEvent, Field(discriminator="kind")
]
