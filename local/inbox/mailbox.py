"""The mails that arrived, newest first."""

import threading
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

_KEPT: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail with one envelope; ``received_at`` is ISO 8601 in UTC."""

    id: str
    to: Sequence[str]
    sender: str
    subject: str
    received_at: str
    text: str
    html: str
    headers: Sequence[tuple[str, str]]
    raw: bytes

    def as_json(self) -> dict[str, Any]:
        """The mail in the form of /messages.json."""
        headers: dict[str, str] = {}
        for name, value in self.headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return {
            "id": self.id,
            "to": list(self.to),
            "from": self.sender,
            "subject": self.subject,
            "received_at": self.received_at,
            "text": self.text,
            "html": self.html,
            "headers": headers,
        }


def read_mail(content: bytes, *, sender: str, recipients: Sequence[str]) -> Mail:
    """The mail in an SMTP transaction; characters that can't be decoded are replaced, never
    refused.
    """
    parsed = message_from_bytes(content, policy=policy.default)
    return Mail(
        id=uuid.uuid4().hex,
        to=tuple(recipients),
        sender=str(parsed["From"] or sender),
        subject=str(parsed["Subject"] or ""),
        received_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        text=_read_part(parsed, "plain"),
        html=_read_part(parsed, "html"),
        headers=tuple((name, str(value)) for name, value in parsed.items()),
        raw=content,
    )


def _read_part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")


class Mailbox:
    """Keeps the last 5,000 mails; thread-safe."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, mail: Mail) -> None:
        """Store a mail that has just arrived."""
        with self._lock:
            self._mails.appendleft(mail)

    def list(self) -> Sequence[Mail]:
        """Every mail, the newest first."""
        with self._lock:
            return tuple(self._mails)

    def find(self, mail_id: str) -> Mail | None:
        """The mail with this id."""
        return next((mail for mail in self.list() if mail.id == mail_id), None)
