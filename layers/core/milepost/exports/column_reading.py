"""Columns of lists; their values come from a row of the API."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Row: TypeAlias = Mapping[str, Any]
"""An entry of a list, as its JSON has it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, the row's field, and the value that it shows."""

    name: str
    field: str
    read: Callable[[Any], Any]

    def value_of(self, row: Row) -> Any:
        """The row's value in this column: a text, number or boolean; None if it is empty."""
        value = row.get(self.field)
        return None if value is None else self.read(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListColumns:
    """The columns of one list, in the order in which they are shown."""

    columns: Sequence[Column]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.columns)

    def choose(self, names: Sequence[str]) -> "ListColumns":
        """The columns with these names, in this order, each once.

        :raises UnknownColumn: for a name that there isn't
        """
        by_name = {one.name: one for one in self.columns}
        if strange := [name for name in names if name not in by_name]:
            raise UnknownColumn(strange[0], self.names)
        return ListColumns(columns=[by_name[name] for name in dict.fromkeys(names)])

    def of_fields(self, fields: Sequence[str]) -> "ListColumns":
        """The columns that show one of these fields, by the order of the fields."""
        chosen = [one for name in fields for one in self.columns if one.field == name]
        return ListColumns(columns=list(dict.fromkeys(chosen)))

    def flat(self, row: Row) -> dict[str, Any]:
        """The row's values by the names of the columns."""
        return {one.name: one.value_of(row) for one in self.columns}

    def cells(self, row: Row) -> list[str]:
        """The row's values as texts; None is an empty text."""
        return [_text(one.value_of(row)) for one in self.columns]


class UnknownColumn(Exception):
    """There is no such column; the text lists the existing columns."""

    def __init__(self, name: str, names: Sequence[str]) -> None:
        super().__init__(f"There is no column {name[:64]!r}; there are: {', '.join(names)}.")


def plain(*names: str) -> list[Column]:
    """Columns that show a field as it is: lists as words with spaces between them."""
    return [Column(name, name, _as_it_is) for name in names]


def inner(name: str, field: str, key: str) -> Column:
    """A column that shows one value within a field."""
    return Column(name, field, lambda value: value.get(key))


def read_by(name: str, field: str, read: Callable[[Any], Any]) -> Column:
    """A column that shows the result of a function of a field."""
    return Column(name, field, read)


def as_json(value: Any) -> str:
    """A value without a plain form, as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_SIMPLE: Final = (str, int, float, bool)


def _as_it_is(value: Any) -> Any:
    if isinstance(value, _SIMPLE):
        return value
    if isinstance(value, list | tuple) and all(isinstance(one, _SIMPLE) for one in value):
        return " ".join(map(str, value))
    return as_json(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
