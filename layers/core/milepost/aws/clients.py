"""Clients of AWS services, all of one session.

botocore instead of boto3: the same clients, a tenth less to import. See docs/decisions.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

_CONFIG = Config(
    connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
)
IMPATIENT = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)
"""For a caller who waits: better a 503 that is retried than an answer that comes too late."""

FOR_MAIL = Config(
    connect_timeout=2, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 1}
)
"""For sending a mail, within ``sending.CLAIM``. Tried once: a mail whose answer was slow may have
gone out, and would go out twice."""


@cache
def _session() -> Session:
    return get_session()


def client(service: str, *, config: Config = _CONFIG) -> Any:
    """A client such as ``client("sqs")``, for the region and credentials of the environment."""
    return _session().create_client(service, config=config)
