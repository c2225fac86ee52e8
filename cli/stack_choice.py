"""Which stack an operator means: its name, and the region and profile to look for it with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChoice:
    """What ``--stack``, ``--region`` and ``--profile`` say. None is what was not said."""

    name: str | None = None
    region: str | None = None
    profile: str | None = None
