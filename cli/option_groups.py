"""Options that belong together, such as the filters of a list, as one parameter of a command.

A group is a dataclass whose fields are Typer options. A command that takes it as a keyword has all
of its options, at that place of its help::

    @dataclass(frozen=True, kw_only=True)
    class Period:
        first_day: Annotated[str | None, typer.Option("--from")] = None
        last_day: Annotated[str | None, typer.Option("--to")] = None

    def list_changes(*, period: Period, limit: int = 50) -> None: ...
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from typing import Any


def with_groups_as_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The command with each group replaced by its options; the function gets the groups.

    :raises TypeError: when two parameters, or fields, of the command have the same name
    """
    signature = inspect.signature(function)
    groups = {
        one.name: one.annotation
        for one in signature.parameters.values()
        if is_dataclass(one.annotation)
    }
    if not groups:
        return function

    @wraps(function)
    def call(**given: Any) -> Any:
        return function(**_gathered(given, groups))

    parameters = [
        option
        for one in signature.parameters.values()
        for option in (_options(groups[one.name]) if one.name in groups else (one,))
    ]
    if len({one.name for one in parameters}) < len(parameters):
        raise TypeError(f"{function.__name__} has two parameters of one name, with its groups")
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=signature.return_annotation
    )
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


def _options(group: Any) -> Iterator[inspect.Parameter]:
    for one in fields(group):
        yield inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(one),
            annotation=one.type,
        )


def _default(field: Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is MISSING else field.default


def _gathered(given: Mapping[str, Any], groups: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for the function: the values of a group's fields become one object."""
    values = dict(given)
    for name, group in groups.items():
        values[name] = group(**{one.name: values.pop(one.name) for one in fields(group)})
    return values
