"""What the payloads of all providers are made of: types that trim, check and never echo."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from milepost.provider import BrokenPage, Json
from milepost.report import BadPayload, Details, Note, format_instant, parse_instant

LONGEST_TEXT: Final = 2_000
"""Characters kept of a remark or reason; a provider's slip must not outgrow a stored item."""
LONGEST_ID: Final = 200


class Shape(BaseModel):
    """A payload. Fields that are not named in it are ignored, as every provider reserves them."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


def _trim(text: str) -> str | None:
    trimmed = text.strip()
    if len(trimmed) > LONGEST_TEXT:
        trimmed = trimmed[: LONGEST_TEXT - 1] + "…"
    return trimmed or None


def _instant(value: Any) -> Any:
    return parse_instant(value) if isinstance(value, str) else value


Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
Text = Annotated[str, AfterValidator(_trim)] | None
"""A text that may be missing: null, empty and blank are all None."""
Instant = Annotated[datetime, BeforeValidator(_instant)]
"""An instant of ISO 8601 with a zone."""

Amount = Annotated[Decimal, Field(max_digits=38, allow_inf_nan=False)]
"""An exact number, of as many digits as DynamoDB keeps."""

AnyShape = TypeVar("AnyShape", bound=Shape)


def read_shape(shape: type[AnyShape], value: Json) -> AnyShape:
    """The payload in its shape.

    :raises BadPayload: says which fields are wrong and how, without their contents
    """
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        named = "; ".join(f"{_place(p['loc'])}: {p['type']}" for p in problems[:5])
        raise BadPayload(f"not the expected {shape.__name__}: {named}") from None


def _place(location: Iterable[int | str]) -> str:
    return ".".join(str(part) for part in location) or "the payload"


def present(**facts: Any) -> Details:
    """Details of what was given: a fact that is None or empty was not."""
    given = {name: value for name, value in facts.items() if value not in (None, "", [], {})}
    details: Details = given  # type: ignore[assignment]
    return details


def present_part(**facts: object) -> dict[str, Any]:
    """A part of the details, such as the customer, with what was given of it."""
    return {name: value for name, value in facts.items() if value not in (None, "")}


class Customer(Shape):
    """A customer as providers write one who name people whole; the others map theirs."""

    name: Text = None
    email: Text = None
    phone: Text = None


class Address(Shape):
    """An address as most providers write it; the others map theirs."""

    street: Text = None
    unit: Text = None
    city: Text = None
    region: Text = None
    postcode: Text = None
    country: Text = None


def customer_details(customer: Customer | None) -> dict[str, Any]:
    """A customer as details hold it."""
    if customer is None:
        return {}
    return present_part(name=customer.name, email=customer.email, phone=customer.phone)


def address_details(address: Address | None) -> dict[str, Any]:
    """An address as details hold it."""
    if address is None:
        return {}
    return present_part(
        street=address.street,
        unit=address.unit,
        postcode=address.postcode,
        city=address.city,
        region=address.region,
        country=address.country,
    )


def orders_on(body: Json, name: str) -> list[Json]:
    """The orders of a page, under this name; one that isn't even an object is quarantined later.

    :raises BrokenPage: when there is no list
    """
    orders = body.get(name)
    if not isinstance(orders, list):
        raise BrokenPage(f"the page has no list of orders ({name})")
    return orders


def object_in(body: Json, *names: str) -> Json:
    """The object that stands below these names.

    :raises BrokenPage: when there is none
    """
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise BrokenPage(f"the answer has no order ({'.'.join(names) or 'at its top'})")
    return found


def words_in(body: Json, *names: str) -> str | None:
    """The text that stands below these names, trimmed; None when there is none."""
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return _trim(found) if isinstance(found, str) else None


def one_segment(id: str) -> str:
    """An id as one segment of a path, whatever it is made of."""
    return quote(id, safe="")


def newest_change(orders: Iterable[Json], name: str) -> datetime | None:
    """The latest time of change of a page; an order without a good one is quarantined later."""
    changes = []
    said = (order.get(name) for order in orders if isinstance(order, dict))
    for text in {one for one in said if isinstance(one, str)}:
        try:
            changes.append(parse_instant(text))
        except BadPayload:
            continue
    return max(changes, default=None)


def bearer(token: str) -> dict[str, str]:
    """The headers of a request with a bearer token."""
    return {"authorization": f"Bearer {token}", "accept": "application/json"}


def instant_text(instant: datetime | None) -> str | None:
    """An instant as details hold it."""
    return format_instant(instant) if instant else None


_NOTE_KINDS: Final = {
    "next steps": "next_steps",
    "timeline": "timeline",
    "customer contact": "customer_contact",
    "account details": "account_details",
    "special instructions": "special_instructions",
}
"""Source: Offergrid's reseller documentation, on what provider notes hold."""
_MOST_NOTES: Final = 20


def read_notes(text: str | None) -> list[Note]:
    """A provider's notes: one a line, its kind before a colon, ``other`` without one."""
    lines = [line.strip() for line in (text or "").splitlines()]
    return [_read_note(line) for line in lines if line][:_MOST_NOTES]


def _read_note(line: str) -> Note:
    label, colon, rest = line.partition(":")
    kind = _NOTE_KINDS.get(label.strip().lower()) if colon else None
    return Note(kind=kind, text=rest.strip()) if kind else Note(kind="other", text=line)
