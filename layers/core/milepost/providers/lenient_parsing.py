"""Lenient parsing: leaves out the parts of a payload that are invalid and not required.

A part can be left out if its field has a default, or if it is in a list that has one: it is a fact.
Required fields of parts that can't be left out are needed to identify the order and its status.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Place: TypeAlias = tuple[int | str, ...]
"""A place in a payload: field names, and indexes into lists."""

_MOST_NAMED: Final = 5


class Unusable(ValueError):
    """A required field is missing or invalid; the message names it, without its content."""


def places_to_leave_out(shape: type[BaseModel], error: ValidationError) -> list[Place]:
    """The smallest parts to leave out so that the rest of the payload is valid.

    :raises Unusable: when a required field is invalid
    """
    problems = error.errors(include_url=False)
    places = [_place_to_leave_out(shape, problem) for problem in problems]
    required = [one for one, place in zip(problems, places, strict=True) if place is None]
    if required:
        raise Unusable("; ".join(map(_in_words, required[:_MOST_NAMED])))
    return [
        part
        for problem, place in zip(problems, places, strict=True)
        if place is not None
        for part in _parts_to_leave_out(problem, place)
    ]


def _parts_to_leave_out(problem: ErrorDetails, place: Place) -> Iterable[Place]:
    """For a list that is too long, the elements beyond the limit; else the place itself."""
    if problem["type"] != "too_long" or place != problem["loc"]:
        return [place]
    return [
        (*place, number) for number in range(problem["ctx"]["max_length"], len(problem["input"]))
    ]


def _place_to_leave_out(shape: type[BaseModel], problem: ErrorDetails) -> Place | None:
    found: Place | None = None
    model: type[BaseModel] | None = shape
    is_fact = False
    for length, step in enumerate(problem["loc"], start=1):
        if isinstance(step, int):
            # An element of a list can be left out if the list could.
            found = problem["loc"][:length] if is_fact else found
            continue
        field = model.model_fields.get(step) if model else None
        is_fact = field is not None and not field.is_required()
        found = problem["loc"][:length] if is_fact else found
        model = _model_in(field.annotation) if field else None
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as ``list[Invoice] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _in_words(problem: ErrorDetails) -> str:
    where = name_of(problem["loc"]) or "the payload"
    if problem["input"] is None:
        return f"{where}: missing"
    # Only our own checks raise these, with our own messages.
    own = problem.get("ctx", {}).get("error") if problem["type"] == "value_error" else None
    return f"{where}: {own or problem['type']}"


def name_of(place: Iterable[int | str]) -> str:
    """A place as one text, such as ``invoices.2.amount``."""
    return ".".join(map(str, place))


def without(value: Any, places: Iterable[Place]) -> Any:
    """A copy of a JSON value without the parts at these places."""
    below: dict[int | str, list[Place]] = {}
    for first, *rest in places:
        below.setdefault(first, []).append(tuple(rest))
    gone = {step for step, rests in below.items() if () in rests}

    def kept(step: int | str, one: Any) -> Any:
        return without(one, below[step]) if step in below else one

    if isinstance(value, Mapping):
        return {name: kept(name, one) for name, one in value.items() if name not in gone}
    if isinstance(value, list):
        return [kept(place, one) for place, one in enumerate(value) if place not in gone]
    return value
