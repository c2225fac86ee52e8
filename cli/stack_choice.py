"""The choice of a stack: its name, region and profile. Short: importing it is cheap."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChoice:
    """What ``--stack``, ``--region`` and ``--profile`` say. None is what was not said."""

    name: str | None = None
    region: str | None = None
    profile: str | None = None
