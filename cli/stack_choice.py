"""The choice of a stack: its name, region and profile. Short: importing it is cheap."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChoice:
    """The values of ``--stack``, ``--region`` and ``--profile``. None if an option isn't set."""

    name: str | None = None
    region: str | None = None
    profile: str | None = None
