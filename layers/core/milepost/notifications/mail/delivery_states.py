"""How the notice of a mail stands in the log, and how it may stand next."""

from dataclasses import dataclass
from datetime import datetime

from milepost.notifications.notice import Notice, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """How a notice stands in the log; ``message_id`` is that of its latest mail."""

    notice: Notice
    state: State
    message_id: str | None = None
    attempts: int = 0
    """How often it was tried again after a soft bounce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A notice's next state; ``retry_at`` when it is to be tried again."""

    state: State
    reason: str | None = None
    retry_at: datetime | None = None
    attempts: int = 0
