"""Parses a provider's file and reports all errors at once, each with its line and what to do."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from cli.connections.yaml_positions import BadYaml, Positions, read_yaml
from cli.errors import InvalidFile, Problem
from milepost.providers.declared.file_format import Declaration

_MOST_BYTES: Final = 256 * 1024
_WORDS: Final = {
    "missing": "is missing: add it",
    "string_type": "must be text: put the value in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be keys with values",
    "model_type": "must be keys with values",
    "model_attributes_type": "must be keys with values",
    "list_type": "must be a list: begin each entry with a dash",
    "string_too_short": "is empty: fill it in, or leave it out",
    "union_tag_not_found": "needs kind",
}
_NOT_WRITTEN: Final = frozenset({"[key]", "name", "parameters"})


def read_provider(path: Path) -> Declaration:
    """The provider that a file declares.

    :raises InvalidFile: with all that is wrong in it
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidFile(
                path, [Problem(where="", what="is too large to be a provider's file")]
            )
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InvalidFile(path, [Problem(where="", what=f"can't be read: {reason}")]) from None
    try:
        return read_declaration(text)
    except InvalidText as error:
        raise InvalidFile(path, error.problems) from None


class InvalidText(ValueError):
    """A text that isn't a valid provider's file, with all of its errors."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(one.what for one in problems))
        self.problems = problems


def read_declaration(text: str) -> Declaration:
    """The provider that a text declares.

    :raises InvalidText: with all that is wrong in it, each with its line
    """
    try:
        content, positions = read_yaml(text)
    except BadYaml as error:
        raise InvalidText([Problem(where="", what=str(error), line=error.line)]) from None
    except RecursionError:
        raise InvalidText([Problem(where="", what="is nested too deeply", line=1)]) from None
    try:
        return Declaration.model_validate(content)
    except ValidationError as error:
        raise InvalidText(list(_problems(error, content, positions))) from None
    except RecursionError:
        raise InvalidText([Problem(where="", what="is nested too deeply", line=1)]) from None


def _problems(error: ValidationError, content: Any, positions: Positions) -> Iterator[Problem]:
    for one in error.errors(include_url=False):
        place = tuple(_place(one["loc"], content))
        yield Problem(
            where=".".join(map(str, place)),
            what=_in_words(one["type"], one["msg"], place, one["loc"]),
            line=positions.line_of(_as_written(place)) or 1,
        )


def _as_written(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The position with numeric keys as text, as in the file's positions."""
    if place[:2] == ("statuses", "map"):
        return tuple(str(one) for one in place)
    return place


def _place(loc: tuple[int | str, ...], content: Any) -> Iterator[int | str]:
    """The position in the file, without the names of alternatives that pydantic inserts."""
    here, was_kind = content, False
    for part in loc:
        is_kind = isinstance(here, dict) and here.get("kind") == part and not was_kind
        if is_kind or (part in _NOT_WRITTEN and not _has(here, part)):
            was_kind = True
            continue
        was_kind = False
        yield part
        here = here[part] if _has(here, part) else None


def _has(here: Any, part: int | str) -> bool:
    if isinstance(here, dict):
        return part in here
    return isinstance(here, list) and isinstance(part, int) and part < len(here)


def _in_words(
    kind: str, message: str, place: tuple[int | str, ...], loc: tuple[int | str, ...]
) -> str:
    if kind == "extra_forbidden":
        return f"is not a key of the file{_meant(str(place[-1]), loc)}"
    if kind == "union_tag_invalid":
        given, _, known = message.removeprefix("Input tag ").partition(" found using ")
        kinds = known.rpartition("expected tags: ")[2].replace("'", "")
        return f"has an unknown kind, {given}: there are {kinds}"
    if kind == "literal_error":
        return message.replace("Input should be", "must be")
    if kind == "string_pattern_mismatch":
        return f"has an invalid form: it must match {message.rpartition('pattern ')[2]}"
    return _WORDS.get(kind, message.removeprefix("Value error, "))


def _meant(name: str, loc: tuple[int | str, ...]) -> str:
    known = list(_keys_at(loc[:-1]))
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f": did you mean {near[0]}?"
    return f": there are {', '.join(known)}" if known else ""


def _keys_at(loc: tuple[int | str, ...]) -> Iterator[str]:
    shapes: list[type[BaseModel]] = [Declaration]
    for part in loc:
        inner = [
            shape
            for one in shapes
            if part in one.model_fields
            for shape in _shapes_in(one.model_fields[str(part)].annotation)
        ]
        if inner:
            shapes = inner
        else:
            kinds = [one for one in shapes if _is_kind(one, part)]
            shapes = kinds or shapes
    if len(shapes) == 1:
        yield from shapes[0].model_fields


def _is_kind(shape: type[BaseModel], part: int | str) -> bool:
    kind = shape.model_fields.get("kind")
    return kind is not None and part in getattr(kind.annotation, "__args__", ())


def _shapes_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [shape for one in getattr(annotation, "__args__", ()) for shape in _shapes_in(one)]
