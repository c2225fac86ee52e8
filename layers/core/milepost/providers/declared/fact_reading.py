"""Reads the facts of an order from a payload, by the expressions of a file."""

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from milepost.orders.details import Details
from milepost.providers.declared.expressions import Read, Unfit, compile_expression
from milepost.providers.declared.file_facts import EmailFields, Facts, InvoiceFields
from milepost.providers.declared.file_parts import Part
from milepost.providers.declared.values import Convert, TimeReader, converter
from milepost.providers.payload_types import MOST_PARTS, MOST_UNREAD

_Reader: TypeAlias = tuple[str, Read, Convert]
_NO_EXPRESSION: Final = frozenset({"service_type"})
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})


class FactReader:
    """Reads the facts that a file names. Unreadable facts are left out, and their names are
    noted."""

    def __init__(self, facts: Facts, times: TimeReader) -> None:
        self._plain: list[_Reader] = []
        self._parts: list[tuple[str, list[_Reader]]] = []
        self._lists: list[tuple[str, Read, list[_Reader]]] = []
        for name, said in facts:
            if said is None:
                continue
            if isinstance(said, str):
                self._plain.append((name, compile_expression(said), converter(name, times)))
            elif isinstance(said, InvoiceFields | EmailFields):
                readers = list(_readers(name, said, times))
                self._lists.append((name, compile_expression(said.each), readers))
            else:
                self._parts.append((name, list(_readers(name, said, times))))

    def read(self, payload: Any, unread: list[str]) -> Details:
        """The facts of a payload. Names of unreadable facts are added to ``unread``."""
        found: dict[str, Any] = {}
        for name, read, convert in self._plain:
            try:
                value = read(payload)
                if value is None:
                    continue
                value = convert(value)
            except (Unfit, ValueError, ArithmeticError):
                unread.append(name)
                continue
            if value not in _NOTHING:
                found[name] = value
        for name, readers in self._parts:
            if part := _read_part(name, readers, payload, unread):
                found[name] = part
        for name, read, readers in self._lists:
            if several := _read_list(name, read, readers, payload, unread):
                found[name] = several
        details: Details = found  # type: ignore[assignment]  # each name is a key of it
        return details


def _readers(name: str, fields: Part, times: TimeReader) -> Iterator[_Reader]:
    for key, said in fields:
        if key != "each" and isinstance(said, str):
            yield key, compile_expression(said), converter(f"{name}.{key}", times)


def _read_part(
    name: str, readers: list[_Reader], payload: Any, unread: list[str]
) -> dict[str, Any]:
    part: dict[str, Any] = {}
    for key, read, convert in readers:
        try:
            value = read(payload)
            if value is None:
                continue
            value = convert(value)
        except (Unfit, ValueError, ArithmeticError):
            unread.append(f"{name}.{key}")
            continue
        if value is not None and value != "":
            part[key] = value
    return part


def _read_list(
    name: str, read: Read, readers: list[_Reader], payload: Any, unread: list[str]
) -> list[dict[str, Any]]:
    try:
        several = read(payload)
    except Unfit:
        several = False
    if several is None:
        return []
    if not isinstance(several, list):
        unread.append(name)
        return []
    if len(several) > MOST_PARTS:
        unread.append(name)
    found = [_read_part(name, readers, one, unread) for one in several[:MOST_PARTS]]
    return [one for one in found if one]


def names_of(unread: list[str]) -> list[str]:
    """The names of unreadable facts, in their stored form and at most their maximum number."""
    return list(dict.fromkeys(unread))[:MOST_UNREAD]


def expressions_in(part: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each expression in a part of the file, with the name of the field that it reads."""
    for key, said in part:
        place = f"{name}.{key}" if name else key
        if isinstance(said, Part):
            yield from expressions_in(said, place)
        elif isinstance(said, str) and place not in _NO_EXPRESSION:
            yield place, said
