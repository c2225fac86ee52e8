"""Sandboxes of the four providers: the same protocols, made-up orders, and faults on request.

``python -m local.sandboxes`` serves them; ``Sandboxes`` does the same inside a test.
What they speak is in docs/providers.
"""

from local.sandboxes.server import Sandboxes
from local.sandboxes.settings import (
    BadSettings,
    Connection,
    Signing,
    default_connections,
    load_connections,
    make_connection,
)

__all__ = [
    "BadSettings",
    "Connection",
    "Sandboxes",
    "Signing",
    "default_connections",
    "load_connections",
    "make_connection",
]
