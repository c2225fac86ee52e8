"""The renderer: from a notice or a digest to a mail."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from jinja2 import Template, TemplateError

from milepost.connections.connection import Connection, Connections, existing_connections
from milepost.forecasts.expected_dates import Expected
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.rendering.compose import Composed, compose, unsubscribe_headers
from milepost.notifications.mail.rendering.context import MailContext, make_context
from milepost.notifications.mail.rendering.custom_templates import Overrides
from milepost.notifications.mail.rendering.digest import ComposedDigest, compose_digest
from milepost.notifications.mail.rendering.digest_lines import Digest, DigestLine
from milepost.notifications.mail.rendering.fact_readers import part, text_of
from milepost.notifications.mail.rendering.facts import mail_values
from milepost.notifications.mail.rendering.forecast_facts import Forecasts, expected_end
from milepost.notifications.mail.rendering.jinja import environment, override_template, template_for
from milepost.notifications.mail.rendering.languages import LANGUAGES, languages_for
from milepost.notifications.mail.rendering.links import TrackingPages, order_url, tracking_url
from milepost.notifications.mail.rendering.mail_footer import MailEnds, mail_ends, reason_for_mail
from milepost.notifications.mail.rendering.samples import WRITTEN_AT, sample, sample_digest
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.overdue_list import OverdueNow

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MailRenderer:
    """Implements ``sender.Renderer``.

    ``clock`` returns the time at which a mail is rendered. Facts that are past by then are in the
    past tense.
    ``console_url`` is where the team looks at orders: its mails lead there, customers' never.
    ``forecasts`` are for the team's mails as well.
    ``tracking`` makes the links to tracking pages, which are in customers' mails alone.
    """

    def __init__(
        self,
        connections: Connections,
        overrides: Overrides | None = None,
        *,
        clock: Clock = _utc_now,
        console_url: str | None = None,
        forecasts: Forecasts | None = None,
        tracking: TrackingPages | None = None,
    ) -> None:
        self._connections = connections
        self._overrides = overrides
        self._clock = clock
        self._console_url = console_url
        self._forecasts = forecasts
        self._tracking = tracking

    def render(
        self,
        notice: Notice,
        tracked: TrackedOrder,
        *,
        unsubscribe_url: str | None = None,
        time_zone: str | None = None,
    ) -> Mail:
        """The mail of a notice, in its language, about the current version of the order.

        :param time_zone: the recipient's (IANA name); without one, the connection's
        :raises UnknownConnection: when the order's connection was removed
        :raises LookupError: when this audience isn't notified of this kind
        """
        connection, now = self._connections.get(notice.key.connection), self._clock()
        context = make_context(notice, tracked.order, connection, now=now, time_zone=time_zone)
        end = (
            expected_end(tracked.order, connection, self._forecasts, now=now)
            if notice.audience is Audience.TEAM
            else None
        )
        return self._write(
            context,
            end=end,
            unsubscribe_url=unsubscribe_url,
            order_url=order_url(self._console_url, notice),
            tracking_url=tracking_url(self._tracking, notice, connection, now=now),
        )

    def render_digest(self, digest: Digest, *, unsubscribe_url: str | None = None) -> Mail:
        """The mail of a digest: at most 200 lines, and how many more there are.

        :raises ValueError: without any line
        """
        made = compose_digest(
            digest,
            now=self._clock(),
            unsubscribe_url=unsubscribe_url,
            console_url=self._console_url,
            tracking=self._tracking,
            forecasts=self._forecasts,
        )
        return _mail(digest.recipient, made, made.ends, unsubscribe_url)

    def render_batch(
        self,
        lines: Iterable[tuple[Notice, TrackedOrder | None]],
        *,
        time_zone: str,
        reason: DigestReason,
        beyond: Sequence[Notice] = (),
        unsubscribe_url: str | None = None,
        overdue: OverdueNow | None = None,
    ) -> Mail:
        """The mail for the held notices of one recipient, in the language of the first line.

        :param time_zone: the recipient's (IANA name)
        :param reason: why it is one mail
        :param beyond: notices that are only counted
        :raises UnknownConnection: when none of the lines' connections is applied any more
        :raises ValueError: without any line
        """
        listed = tuple(DigestLine(notice=notice, tracked=tracked) for notice, tracked in lines)
        if not listed:
            raise ValueError("a digest needs at least one line")
        notices = [line.notice for line in listed]
        digest = Digest(
            recipient=notices[0].recipient,
            language=notices[0].language,
            time_zone=time_zone,
            reason=reason,
            lines=listed,
            overdue=overdue or OverdueNow(),
            connections=existing_connections(
                self._connections, [one.key.connection for one in notices]
            ),
            beyond=tuple(beyond),
        )
        return self.render_digest(digest, unsubscribe_url=unsubscribe_url)

    def preview(self, kind: str, *, connection: str, language: str, audience: str) -> Mail:
        """The mail of a sample order, marked as a sample, as this connection would send it.

        :raises UnknownConnection: when there is no such connection
        :raises LookupError: when this audience isn't notified of this kind
        """
        found: Connection = self._connections.get(connection)
        template_for(kind, audience, language)
        notice, tracked = sample(Kind(kind), Audience(audience), found, language)
        context = make_context(notice, tracked.order, found, now=WRITTEN_AT)
        return self._write(context, sample=True)

    def preview_digest(
        self, reason: DigestReason, *, connection: str, language: str, audience: str
    ) -> Mail:
        """A digest of sample orders, marked as a sample.

        :raises UnknownConnection: when there is no such connection
        """
        found = self._connections.get(connection)
        digest = sample_digest(reason, Audience(audience), found, language)
        made = compose_digest(digest, now=WRITTEN_AT, unsubscribe_url=None, sample=True)
        return _mail(digest.recipient, made, made.ends, None)

    def _write(
        self,
        context: MailContext,
        *,
        unsubscribe_url: str | None = None,
        order_url: str | None = None,
        tracking_url: str | None = None,
        sample: bool = False,
        end: Expected | None = None,
    ) -> Mail:
        email = text_of(part(context.details, "customer").get("email"))
        footer = reason_for_mail(context.notice, context.words, customer_email=email)
        ends = mail_ends(
            context.notice.audience, [context.connection], context.words, footer=footer
        )
        values = {
            **mail_values(context, end=end),
            **ends.values,
            "unsubscribe_url": unsubscribe_url,
            "order_url": order_url,
            "tracking_url": tracking_url,
            "sample": sample,
        }
        made = self._compose(context.notice, values)
        return _mail(context.notice.recipient, made, ends, unsubscribe_url)

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
                # A mail in the built-in words is better than none; the error's message may be
                # personal.
                logger.warning(
                    "the template of %s for %s of %s fails (%s): the built-in one is used",
                    notice.audience,
                    notice.announcement.kind,
                    notice.key.connection,
                    type(error).__name__,
                )
        return compose(_ours(notice, html=False), _ours(notice, html=True), values)

    def _override_for(self, notice: Notice) -> str | None:
        """The connection's custom template, in the first language for which there is a custom or
        built-in one."""
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
