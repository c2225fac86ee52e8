"""Command groups: options, help and errors that all of them share."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Final

import typer

from cli.errors import EXIT_CODES
from cli.option_groups import with_groups_as_options
from cli.parameter_values import Command, Group
from cli.stack_choice import StackChoice

_REGION: Final = Annotated[
    str | None,
    typer.Option(
        "--region",
        help="The stack's AWS region. Without it: AWS_REGION, AWS_DEFAULT_REGION or the profile's.",
        show_default=False,
    ),
]
_PROFILE: Final = Annotated[
    str | None,
    typer.Option("--profile", help="The AWS profile. Without it: AWS_PROFILE.", show_default=False),
]
_AFTER_STACK: Final = (
    inspect.Parameter("region", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_REGION),
    inspect.Parameter("profile", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_PROFILE),
)


class _Part(typer.Typer):
    def command(self, *rest: Any, **named: Any) -> Callable[[Any], Any]:
        register = super().command(*rest, cls=Command, **named)

        def decorate(function: Any) -> Any:
            register(_with_region_and_profile(with_groups_as_options(function)))
            return function

        return decorate


def _with_region_and_profile(function: Callable[..., Any]) -> Callable[..., Any]:
    """The command with ``--region`` and ``--profile``, if it has ``--stack``.

    The three become one value, the ``StackChoice`` that is the function's ``stack``.
    """
    signature = inspect.signature(function)
    if "stack" not in signature.parameters:
        return function

    @wraps(function)
    def call(*, stack: str | None, region: str | None, profile: str | None, **others: Any) -> Any:
        choice = StackChoice(name=stack, region=region, profile=profile)
        return function(stack=choice, **others)

    parameters = [*signature.parameters.values(), *_AFTER_STACK]
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {
        **function.__annotations__,
        **{one.name: one.annotation for one in _AFTER_STACK},
    }
    return call


def make_part(about: str | None = None) -> typer.Typer:
    """An empty command group. ``about`` is its help, if it has several commands."""
    return _Part(
        cls=Group,
        help=about,
        epilog=EXIT_CODES,
        no_args_is_help=about is not None,
        # The command as a whole has it.
        add_completion=False,
        # Folds the lines of a docstring's paragraph.
        rich_markup_mode="markdown",
    )


def examples(*commands: str) -> str:
    """The end of the text of ``--help``: how to call the command, and what its exit codes mean.

    :param commands: what to type after ``milepost``
    """
    title = "Example" if len(commands) == 1 else "Examples"
    lines = "\n\n".join(f"`milepost {one}`" for one in commands)
    return f"{title}:\n\n{lines}\n\n{EXIT_CODES}"
