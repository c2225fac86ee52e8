"""Default settings of a connection, for whatever its file leaves out. Short: several modules use
these values.

Defaults that depend on the provider: ``cli/connections/provider_defaults.py``. How long a customer
is waited for: ``orders.customer_waits``.
"""

from typing import Final

PAGE_SIZE: Final = 100
"""Orders on a page of a poll."""
REQUESTS_PER_MINUTE: Final = 60
TRACK: Final = "standard"
"""How long the stages of an order may last: ``connections.tracks``."""
STAGE_DAYS_COUNT: Final = "calendar"
"""Whether limits of stages are in calendar days or business days."""
ESCALATE_AFTER_DAYS: Final = 2.0
REMINDER_HOURS: Final = (48.0, 2.0)
"""Hours before an appointment at which its customer is reminded."""
FOLLOW_UP_AFTER_DAYS: Final = 7.0
"""Days after completion at which a customer is asked how satisfied they are."""
NOTICES_PER_HOUR: Final = 100
"""Mails to one recipient; further notices within the hour become a digest."""
TRACKING_DAYS: Final = 180
"""Days for which the link of a tracking page is valid."""
TRACKING_COLOUR: Final = "#1f5a99"
TIME_ZONE: Final = "Europe/Berlin"
COUNTRY: Final = "DE"
LANGUAGE: Final = "en"
