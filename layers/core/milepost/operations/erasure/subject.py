"""The data subject: the person who is erased, and whether stored data is known to be theirs.

Only data that is known to be the customer's is deleted. It is known if it names their order, in a
field and at the same connection, or if its own customer is this one: by the email address, else by
the customer number at the connection, else by the phone number, unless the names differ. In data
that can't be read as an order, only long, unambiguous values count. Everything else that names the
customer is left for a person to check. Only hashes are compared, so that a subject can be
remembered without storing what was erased.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from typing import Final

from milepost.common.phone_numbers import phone_forms
from milepost.operations.erasure import encoded_text
from milepost.orders.customer_identifiers import (
    asked_phone,
    deciding_forms,
    email_form,
    id_form,
    id_forms,
    mark,
    name_keys,
    number_forms,
    owner_forms,
    plain_text,
)
from milepost.orders.details import Customer, Details
from milepost.orders.order import Order, OrderKey
from milepost.orders.report import Report
from milepost.orders.search_terms import customer_id_of_email

SHORTEST_DISTINCTIVE: Final = 8
"""Minimum length of an id that identifies data as theirs anywhere in a text: shorter ids also occur
in other people's data."""
SHORTEST_HINT: Final = 3
SHORTEST_VALUE: Final = 2
"""Minimum length of an id, within a text and as a separate value, that a person has to check."""
_IDS: Final = ("reference", "account_number", "meter_number", "malo", "melo", "spn")

Group = tuple[str, str]
"""Connection and id of a provider order."""


class Verdict(IntEnum):
    """Whether data belongs to the subject. If its parts differ, the greatest value applies."""

    OTHERS = 0
    UNSURE = 1
    """It names the customer, and may be somebody else's: for a person to check."""
    THEIRS = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    why: str = ""
    """For the person who checks it: what of the customer is in it."""


NOTHING: Final = Judgement(Verdict.OTHERS)
THEIRS: Final = Judgement(Verdict.THEIRS)
BESIDE_OTHERS: Final = Judgement(Verdict.UNSURE, "it names them and somebody else as well")
IN_A_TEXT: Final = Judgement(Verdict.UNSURE, "it names them in a text about something else")
SHORT_ID: Final = Judgement(Verdict.UNSURE, ("it contains a short id of theirs, or the same text"))
PART_OF_NUMBER: Final = Judgement(
    Verdict.UNSURE, "it contains the digits of their phone number, and may mean something else"
)
THEIR_NAME: Final = Judgement(Verdict.UNSURE, "it contains a name like theirs")
SAME_CONTACT: Final = Judgement(
    Verdict.UNSURE,
    "its customer has another email address, number or name, but one of their contact data",
)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The person who is erased. ``marks`` are hashes of everything that is known of them; see
    ``mark``.
    """

    salt: bytes = field(repr=False)
    groups: frozenset[Group] = frozenset()
    marks: frozenset[str] = field(default=frozenset(), repr=False)
    deciding: frozenset[str] = field(default=frozenset(), repr=False)
    """The marks that identify the customer of an order."""
    name_lengths: frozenset[int] = frozenset()
    """How many words their names have."""
    until: datetime | None = None
    """Of later data, only that about their orders is theirs: they may have become a customer
    again."""

    def covers(self, at: datetime | None) -> bool:
        """Whether data of this time is judged by the people that it names, and not only by its
        order.
        """
        return at is None or self.until is None or at <= self.until

    def as_of(self, at: datetime | None) -> "Subject":
        """The subject to search for in data from this time."""
        if self.covers(at):
            return self
        return Subject(salt=self.salt, groups=self.groups)

    def together_with(self, other: "Subject") -> "Subject":
        """The subject with everything that is known of either one."""
        return replace(
            self,
            groups=self.groups | other.groups,
            marks=self.marks | other.marks,
            deciding=self.deciding | other.deciding,
            name_lengths=self.name_lengths | other.name_lengths,
        )

    @cached_property
    def _hashes(self) -> dict[str, bool]:
        return {}

    def knows(self, form: str) -> bool:
        """Whether this identifier (``email:...``, see the functions below) is theirs."""
        known = self._hashes.get(form)
        if known is None:
            if len(self._hashes) > 100_000:
                self._hashes.clear()
            known = self._hashes[form] = mark(form, self.salt) in self.marks
        return known

    def knows_any(self, forms: Iterable[str]) -> bool:
        return any(self.knows(form) for form in forms)

    def owns_email(self, address: str) -> bool:
        """Whether mail to this address reaches them, in any spelling."""
        return self.knows(email_form(address))

    def owns_order(self, connection: str, order_id: str) -> bool:
        return (connection, order_id) in self.groups


def subject_of(
    orders: Iterable[Order],
    *,
    customer_id: str,
    salt: bytes,
    unconfirmed: Collection[str] = (),
) -> Subject:
    """The subject: a customer by id, with everything that their orders contain about them.

    :param unconfirmed: ids (``search_terms.customer_id_of_email``) of addresses that their orders
    had before, and that may be somebody else's: they are only hints
    """
    found = list(orders)
    customers = (said.get("customer", {}) for order in found for said in order.said_of_it)
    names = frozenset(name for one in customers for name in name_keys(one))
    deciding, forms, lengths = {id_form(customer_id)}, set[str](), set[int]()
    for order in found:
        key = order.key
        forms |= set(id_forms(key.connection, (key.order_id, key.item_id)))
        for details in order.said_of_it:
            customer = details.get("customer", {})
            is_unsure = customer_id_of_email(customer.get("email", "")) in unconfirmed
            deciding |= set(
                deciding_forms(customer, key.connection, email=not is_unsure, names=names)
            )
            forms |= set(_other_forms(details, key.connection))
            forms |= {f"hint:{plain_text(customer.get('email', ''))}"} if is_unsure else set()
            lengths |= {len(name.split()) for name in names_of(customer)}
    return Subject(
        salt=salt,
        groups=frozenset((order.key.connection, order.key.order_id) for order in found),
        marks=frozenset(mark(form, salt) for form in deciding | forms),
        deciding=frozenset(mark(form, salt) for form in deciding),
        name_lengths=frozenset(lengths),
    )


def is_same_person(one: Customer, other: Customer) -> bool:
    """Whether two customers of one connection count as the same person, whatever their
    addresses."""
    names = name_keys(one), name_keys(other)
    if names[0] and names[1]:
        return not names[0].isdisjoint(names[1])
    if one.get("number") and one.get("number") == other.get("number"):
        return True
    known = phone_forms(one.get("phone", "")).known
    return not known.isdisjoint(phone_forms(other.get("phone", "")).asked)


# ---- To whom an order, a report or a message belongs ---------------------------------------------


def judge_details(details: Details, key: OrderKey, subject: Subject) -> Judgement:
    """Whether an order, or a report of an order, belongs to the subject."""
    if subject.owns_order(key.connection, key.order_id):
        return THEIRS
    if subject.knows_any(owner_forms(details, key)):
        return THEIRS
    customer = details.get("customer", {})
    number, phone = customer.get("number"), customer.get("phone")
    is_near = (number and subject.knows_any(number_forms(key.connection, number))) or (
        phone and subject.knows_any(asked_phone(phone))
    )
    return SAME_CONTACT if is_near else NOTHING


def judge_reports(reports: Iterable[Report], subject: Subject) -> Judgement:
    """Whether a delivery that could be read belongs to the subject."""
    said = [judge_details(one.details, OrderKey.of(one), subject) for one in reports]
    verdicts = {one.verdict for one in said}
    if verdicts == {Verdict.THEIRS}:
        return THEIRS
    if Verdict.THEIRS in verdicts:
        return BESIDE_OTHERS
    return next((one for one in said if one.verdict is Verdict.UNSURE), NOTHING)


def _other_forms(details: Details, connection: str) -> Iterator[str]:
    customer = details.get("customer", {})
    yield from (f"name:{name}" for name in names_of(customer))
    ids = [details.get(name) for name in _IDS]
    serial = details.get("charge_box", {}).get("serial_number")
    invoices = [one.get("number") for one in details.get("invoices", ())]
    said = (*ids, serial, *invoices, customer.get("number"))
    yield from id_forms(connection, [one for one in said if isinstance(one, str)])


def names_of(customer: Customer) -> Iterator[str]:
    """The spellings of names of two words or more, with the last name moved to the front or to the
    end. Single words are left out, since many people share them."""
    for name in (customer.get("name", ""), customer.get("business", "")):
        first, *others = encoded_text.phrase_of(unicodedata.normalize("NFKC", name)).split() or [""]
        if others:
            words = (first, *others), (others[-1], first, *others[:-1]), (*others, first)
            yield from dict.fromkeys(map(" ".join, words))
