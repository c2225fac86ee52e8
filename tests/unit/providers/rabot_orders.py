"""RABOT's orders and connection."""

from milepost.providers.rabot import Rabot
from tests.builders import RABOT

PROVIDER = Rabot()
FIRST = PROVIDER.first_page(RABOT, changed_since=None)
