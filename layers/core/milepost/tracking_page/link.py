"""Links to the tracking page: signed, with an expiry, and revocable by their version.

A link names the order and holds nothing of its customer. Its signature differs from that of an
unsubscribe link, although the same keys sign both: neither can be used as the other.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from milepost.connections.connection import Connection
from milepost.notifications.mail.unsubscribe import LinkKeys
from milepost.orders.order import OrderKey

FORMAT: Final = "1"
NEVER_REVOKED: Final = 0
"""The version of an order's links until they are revoked for the first time."""
LONGEST_TOKEN: Final = 2048


class BadTrackingLink(Exception):
    """Not a link of this stack. There is no reason, so that somebody who guesses links learns
    nothing.
    """


class TrackingIsOff(Exception):
    """The order's connection has no tracking page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingLink:
    """The content of a link: the order, the version of its links, and when it expires (UTC).

    The version is when the order's links had last been revoked, in milliseconds since 1970.
    """

    key: OrderKey
    version: int
    expires: datetime


class LinkVersions(Protocol):
    """The current version of each order's links."""

    def current(self, key: OrderKey) -> int:
        """``NEVER_REVOKED`` while nobody has revoked the order's links."""
        ...

    def revoke(self, key: OrderKey, *, at: datetime) -> None:
        """Make all existing links invalid."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLink:
    """A new link, and when it expires (UTC).

    ``url`` is only a path where the maker doesn't know the public URL.
    """

    url: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingLinks:
    """Creates links, and revokes them.

    ``public_url`` is where the API is reached from outside; empty for links that are only paths.
    """

    keys: LinkKeys
    versions: LinkVersions
    public_url: str = ""

    def make(self, key: OrderKey, connection: Connection, *, now: datetime) -> MadeLink:
        """A link to the order's page, valid for the number of days in the connection's settings.

        :raises TrackingIsOff: when the connection has no tracking page
        :raises NoLinkKey: when it can't be signed now
        """
        if connection.tracking is None:
            raise TrackingIsOff(f"the connection {connection.id} has no tracking page")
        expires = (now + timedelta(days=connection.tracking.days)).replace(microsecond=0)
        link = TrackingLink(key=key, version=self.versions.current(key), expires=expires)
        token = token_of(link, self.keys.keys()[0])
        return MadeLink(url=f"{self.public_url.rstrip('/')}/track/{token}", expires=expires)

    def url_for(self, key: OrderKey, connection: Connection, *, now: datetime) -> str | None:
        """The URL of a link; None if the connection has no tracking page.

        :raises NoLinkKey: when it can't be signed now
        """
        if connection.tracking is None:
            return None
        return self.make(key, connection, now=now).url

    def revoke(self, key: OrderKey, *, at: datetime) -> None:
        """Make all existing links to the order's page invalid; links that are created later are
        valid.
        """
        self.versions.revoke(key, at=at)


def token_of(link: TrackingLink, key: bytes) -> str:
    """The last part of a link's path: format, content, and the signature over both."""
    one = link.key
    values = {
        "o": [one.connection, one.order_id, one.item_id],
        "v": link.version,
        "e": int(link.expires.timestamp()),
    }
    content = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    signed = f"{FORMAT}.{_encode(content)}"
    return f"{signed}.{_signature(signed, key)}"


def read_token(token: str, keys: Sequence[bytes]) -> TrackingLink:
    """The content of a link, whether it has expired or not.

    :raises BadTrackingLink: for everything that none of these keys signed
    """
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise BadTrackingLink
    signed, _, signature = token.rpartition(".")
    matches = [hmac.compare_digest(_signature(signed, key), signature) for key in keys]
    form, _, content = signed.partition(".")
    if not any(matches) or form != FORMAT:
        raise BadTrackingLink
    values = json.loads(urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    return TrackingLink(
        key=OrderKey(*values["o"]),
        version=values["v"],
        expires=datetime.fromtimestamp(values["e"], UTC),
    )


def _signature(signed: str, key: bytes) -> str:
    return _encode(hmac.digest(key, f"milepost tracking {signed}".encode(), "sha256"))


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
