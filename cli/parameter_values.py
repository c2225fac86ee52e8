"""Values of a command's parameters: pydantic is imported only if one has to be converted.

Typer converts every value by pydantic, also those that nobody gave. Importing pydantic takes a
sixth of ``milepost orders list``, whose usual options are texts or not given at all.
"""

from dataclasses import dataclass
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption


class _WithTypedValues:
    """Leaves values of parameters unchanged if they already have the parameter's type."""

    def get_params(self, ctx: Any) -> Any:
        found = super().get_params(ctx)  # type: ignore[misc]
        for one in found:
            if not isinstance(one.get_runtime_param, _Conversion):
                one.get_runtime_param = _Conversion(one, one.get_runtime_param)
        return found


class Command(_WithTypedValues, TyperCommand):
    """A command with one action."""


class Group(_WithTypedValues, TyperGroup):
    """A command with several commands."""


@dataclass(frozen=True, slots=True)
class _Conversion:
    """Replaces a parameter's ``get_runtime_param``, and the object that it returns."""

    parameter: TyperOption | TyperArgument
    by_typer: Any

    def __call__(self) -> "_Conversion":
        return self

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value, converted to the parameter's type.

        :raises BadParameter: when it can't be converted
        """
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if self._has_type(value):
            return value
        return self.by_typer().coerce(value, param=param, ctx=ctx)

    def _has_type(self, value: Any) -> bool:
        described = self.parameter.type_descriptor
        parser = described.parameter_info.parser
        wanted = str if parser is str else described.annotation
        if parser not in (None, str) or not isinstance(wanted, type):
            return False
        # A default was chosen by the command's author. Other values may be out of their range.
        return isinstance(value, wanted) and (wanted is str or value is self.parameter.default)
