"""The renderer: from a notice or a digest to a mail."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from jinja2 import Template, TemplateError

from milepost.connection import Connection, Connections, UnknownConnection
from milepost.notices import Audience, Notice
from milepost.order import Kind, TrackedOrder
from milepost.overdue_orders import OverdueNow
from milepost.rendering.composing import Composed, compose, unsubscribe_headers
from milepost.rendering.digests import (
    ComposedDigest,
    Digest,
    DigestLine,
    DigestReason,
    compose_digest,
    digest_reason,
)
from milepost.rendering.environments import environment, override_template, template_for
from milepost.rendering.facts import mail_values
from milepost.rendering.overrides import Overrides
from milepost.rendering.reading import part, text_of
from milepost.rendering.samples import WRITTEN_AT, sample, sample_digest
from milepost.rendering.senders import MailEnds, mail_ends, reason_for_mail
from milepost.rendering.telling import Telling, telling
from milepost.rendering.words import LANGUAGES, languages_for
from milepost.sending import Batch, Mail
from milepost.subscriptions import Subscription

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


class Subscriptions(Protocol):
    """Where the renderer looks up how a subscriber wants to be written to."""

    def get(self, subscription_id: str) -> Subscription | None: ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MailRenderer:
    """Implements ``sending.Renderer``.

    ``clock`` gives the moment at which a mail is written: what is past then is told as past.
    ``subscriptions`` says in which zone, and why gathered, a subscriber gets mails, where the
    caller doesn't.
    """

    def __init__(
        self,
        connections: Connections,
        overrides: Overrides | None = None,
        *,
        subscriptions: Subscriptions | None = None,
        clock: Clock = _utc_now,
    ) -> None:
        self._connections = connections
        self._overrides = overrides
        self._subscriptions = subscriptions
        self._clock = clock

    def render(
        self,
        notice: Notice,
        tracked: TrackedOrder,
        *,
        unsubscribe_url: str | None = None,
        time_zone: str | None = None,
        language: str | None = None,
        order_url: str | None = None,
    ) -> Mail:
        """The mail of a notice, of the order as it stands now.

        :param time_zone: the recipient's (IANA name); without one, the subscription's, else the
            connection's
        :param language: as the recipient asked for it; without one, the notice's
        :param order_url: where the recipient can look at the order
        :raises UnknownConnection: when the order's connection was removed
        :raises LookupError: when this audience isn't told of this kind
        """
        told = telling(
            replace(notice, language=language or notice.language),
            tracked.order,
            self._connections.get(notice.key.connection),
            now=self._clock(),
            time_zone=time_zone or self._zone_of([notice]),
        )
        return self._write(told, unsubscribe_url=unsubscribe_url, order_url=order_url)

    def render_digest(self, digest: Digest, *, unsubscribe_url: str | None = None) -> Mail:
        """The mail of a digest: at most 200 lines, and how many more there are.

        :raises ValueError: without any line
        """
        made = compose_digest(digest, now=self._clock(), unsubscribe_url=unsubscribe_url)
        return _mail(digest.recipient, made, made.ends, unsubscribe_url)

    def render_batch(
        self,
        batch: Batch,
        lines: Iterable[tuple[Notice, TrackedOrder | None]],
        *,
        unsubscribe_url: str | None = None,
        overdue: OverdueNow | None = None,
        time_zone: str | None = None,
        language: str | None = None,
        reason: str | None = None,
        beyond: Sequence[Notice] = (),
    ) -> Mail:
        """The mail of what was held for one recipient.

        :param time_zone: as in ``render``; without one and without a subscription, that of the
            lines' connections
        :param reason: why it comes as one (``DigestReason``); without one, what follows from the
            subscriptions
        :param beyond: notices that are counted, and not listed
        :raises UnknownConnection: when none of the lines' connections is applied any more
        :raises ValueError: without any line
        """
        listed = tuple(DigestLine(notice=notice, tracked=tracked) for notice, tracked in lines)
        if not listed:
            raise ValueError("a digest needs at least one line")
        notices = [line.notice for line in listed]
        connections = self._applied(notices)
        digest = Digest(
            recipient=notices[0].recipient,
            language=language or notices[0].language,
            time_zone=time_zone or self._zone_of(notices) or connections[0].time_zone,
            reason=DigestReason(reason) if reason else self._reason_for(notices, batch),
            lines=listed,
            overdue=overdue or OverdueNow(),
            connections=connections,
            beyond=tuple(beyond),
        )
        return self.render_digest(digest, unsubscribe_url=unsubscribe_url)

    def preview(self, kind: str, *, connection: str, language: str, audience: str) -> Mail:
        """The mail of an invented order, marked as a sample, as this connection would send it.

        :raises UnknownConnection: when there is no such connection
        :raises LookupError: when this audience isn't told of this kind
        """
        found: Connection = self._connections.get(connection)
        template_for(kind, audience, language)
        notice, tracked = sample(Kind(kind), Audience(audience), found, language)
        told = telling(notice, tracked.order, found, now=WRITTEN_AT)
        return self._write(told, sample=True)

    def preview_digest(
        self, reason: DigestReason, *, connection: str, language: str, audience: str
    ) -> Mail:
        """A digest of invented orders, marked as a sample.

        :raises UnknownConnection: when there is no such connection
        """
        found = self._connections.get(connection)
        digest = sample_digest(reason, Audience(audience), found, language)
        made = compose_digest(digest, now=WRITTEN_AT, unsubscribe_url=None, sample=True)
        return _mail(digest.recipient, made, made.ends, None)

    def _write(
        self,
        told: Telling,
        *,
        unsubscribe_url: str | None = None,
        order_url: str | None = None,
        sample: bool = False,
    ) -> Mail:
        email = text_of(part(told.details, "customer").get("email"))
        footer = reason_for_mail(told.notice, told.words, customer_email=email)
        ends = mail_ends(told.notice.audience, [told.connection], told.words, footer=footer)
        values = {
            **mail_values(told),
            **ends.values,
            "unsubscribe_url": unsubscribe_url,
            "order_url": order_url,
            "sample": sample,
        }
        made = self._compose(told.notice, values)
        return _mail(told.notice.recipient, made, ends, unsubscribe_url)

    def _applied(self, notices: Sequence[Notice]) -> tuple[Connection, ...]:
        """The connections of the notices, each once; one that was removed is left out."""
        found: dict[str, Connection] = {}
        missing: UnknownConnection | None = None
        for name in dict.fromkeys(one.key.connection for one in notices):
            try:
                found[name] = self._connections.get(name)
            except UnknownConnection as error:
                missing = error
        if missing is not None and not found:
            raise missing
        return tuple(found.values())

    def _subscribed(self, notices: Sequence[Notice]) -> list[Subscription | None]:
        ids = dict.fromkeys(one.subscription for one in notices)
        if self._subscriptions is None:
            return []
        return [self._subscriptions.get(name) if name else None for name in ids]

    def _zone_of(self, notices: Sequence[Notice]) -> str | None:
        zones = (one.time_zone for one in self._subscribed(notices) if one is not None)
        return next(zones, None)

    def _reason_for(self, notices: Sequence[Notice], batch: Batch) -> DigestReason:
        if self._subscriptions is None:
            return DigestReason.TOGETHER
        return digest_reason(self._subscribed(notices), due_at=batch.due_at)

    def _compose(self, notice: Notice, values: dict[str, Any]) -> Composed:
        source = self._override_for(notice)
        if source is not None:
            try:
                return compose(
                    override_template(source, html=False),
                    override_template(source, html=True),
                    values,
                )
            except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
                # A mail in our words is better than none; what the error says may be personal.
                logger.warning(
                    "the template of %s for %s of %s is broken (%s): ours is used",
                    notice.audience,
                    notice.announcement.kind,
                    notice.key.connection,
                    type(error).__name__,
                )
        return compose(_ours(notice, html=False), _ours(notice, html=True), values)

    def _override_for(self, notice: Notice) -> str | None:
        """The connection's own template, in the first language for which there is one or ours."""
        kind, audience = str(notice.announcement.kind), str(notice.audience)
        if self._overrides is None:
            return None
        for language in languages_for(notice.language):
            own = self._overrides.get(notice.key.connection, kind, audience, language)
            if own is not None or language in LANGUAGES:
                return own
        return None


def _mail(to: str, made: Composed | ComposedDigest, ends: MailEnds, url: str | None) -> Mail:
    return Mail(
        to=to,
        subject=made.subject,
        text=made.text,
        html=made.html,
        headers=unsubscribe_headers(url),
        from_name=ends.from_name,
        reply_to=ends.reply_to,
    )


def _ours(notice: Notice, *, html: bool) -> Template:
    name = template_for(str(notice.announcement.kind), str(notice.audience), notice.language)
    return environment(html=html).get_template(name)
