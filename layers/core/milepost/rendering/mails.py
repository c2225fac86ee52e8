"""The renderer: from a notice or a digest to a mail."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from jinja2 import Template, TemplateError

from milepost.connection import Connection, Connections
from milepost.notices import Audience, Notice
from milepost.order import Kind, TrackedOrder
from milepost.overdue_orders import OverdueNow
from milepost.rendering.composing import Composed, compose, unsubscribe_headers
from milepost.rendering.digests import Digest, DigestLine, DigestReason, compose_digest
from milepost.rendering.environments import environment, override_template, template_for
from milepost.rendering.facts import mail_values
from milepost.rendering.overrides import Overrides
from milepost.rendering.samples import sample
from milepost.rendering.telling import telling
from milepost.rendering.words import LANGUAGES, languages_for
from milepost.sending import Batch, Mail

logger = logging.getLogger(__name__)


class MailRenderer:
    """Implements ``sending.Renderer``."""

    def __init__(self, connections: Connections, overrides: Overrides | None = None) -> None:
        self._connections = connections
        self._overrides = overrides

    def render(
        self,
        notice: Notice,
        tracked: TrackedOrder,
        *,
        time_zone: str | None = None,
        unsubscribe_url: str | None = None,
    ) -> Mail:
        """The mail of a notice, of the order as it stands now.

        :param time_zone: the recipient's (IANA name); None for the connection's
        :raises UnknownConnection: when the order's connection was removed
        :raises LookupError: when this audience isn't told of this kind
        """
        connection = self._connections.get(notice.key.connection)
        values = mail_values(telling(notice, tracked.order, connection, time_zone=time_zone))
        made = self._compose(notice, {**values, "unsubscribe_url": unsubscribe_url})
        return Mail(
            to=notice.recipient,
            subject=made.subject,
            text=made.text,
            html=made.html,
            headers=unsubscribe_headers(unsubscribe_url),
        )

    def render_digest(self, digest: Digest, *, unsubscribe_url: str | None = None) -> Mail:
        """The mail of a digest: at most 200 lines, and how many more there are.

        :raises ValueError: without any line
        """
        made = compose_digest(digest, unsubscribe_url=unsubscribe_url)
        return Mail(
            to=digest.recipient,
            subject=made.subject,
            text=made.text,
            html=made.html,
            headers=unsubscribe_headers(unsubscribe_url),
        )

    def render_batch(
        self,
        batch: Batch,  # noqa: ARG002 - what is held names its recipient and language itself
        lines: Iterable[tuple[Notice, TrackedOrder]],
        *,
        time_zone: str,
        beyond: Sequence[Notice] = (),
        reason: str | None = None,
        unsubscribe_url: str | None = None,
        overdue: OverdueNow | None = None,
    ) -> Mail:
        """The mail of what was held for one recipient, in the language of its notices.

        :param time_zone: the recipient's (IANA name)
        :param beyond: notices that are counted, but not shown
        :param reason: why they come as one mail, if all do for one reason
        :raises ValueError: without any line
        """
        listed = tuple(DigestLine(notice=notice, tracked=tracked) for notice, tracked in lines)
        if not listed:
            raise ValueError("a digest needs at least one line")
        first = listed[0].notice
        digest = Digest(
            recipient=first.recipient,
            language=first.language,
            time_zone=time_zone,
            reason=DigestReason(reason) if reason else DigestReason.TOGETHER,
            lines=listed,
            beyond=tuple(beyond),
            overdue=overdue or OverdueNow(),
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
        values = {**mail_values(telling(notice, tracked.order, found)), "sample": True}
        made = self._compose(notice, values)
        return Mail(to=notice.recipient, subject=made.subject, text=made.text, html=made.html)

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


def _ours(notice: Notice, *, html: bool) -> Template:
    name = template_for(str(notice.announcement.kind), str(notice.audience), notice.language)
    return environment(html=html).get_template(name)
