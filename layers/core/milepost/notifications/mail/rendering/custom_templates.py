"""Custom templates of a connection, checked before they are stored."""

import difflib
import re
import traceback
from typing import Any, Final, Protocol

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError

from milepost.connections.connection import Connection
from milepost.notifications.mail.rendering.compose import Composed, compose
from milepost.notifications.mail.rendering.context import make_context
from milepost.notifications.mail.rendering.facts import mail_values
from milepost.notifications.mail.rendering.jinja import environment, override_template, template_for
from milepost.notifications.mail.rendering.mail_footer import mail_ends
from milepost.notifications.mail.rendering.samples import WRITTEN_AT, bare_sample, sample
from milepost.notifications.notice import Audience
from milepost.orders.order import Kind

LONGEST_SOURCE: Final = 20_000
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>\n]*>")
_UNKNOWN_NAME: Final = re.compile(r"'(\w+)' is undefined")
_SAMPLE_CONNECTION: Final = Connection(
    id="sample", provider="sample", base_url="https://sample.invalid"
)


class Overrides(Protocol):
    """The custom templates of connections."""

    def get(self, connection_id: str, kind: str, audience: str, language: str) -> str | None:
        """The template's source; None if the built-in one is used."""
        ...


class BrokenTemplate(ValueError):
    """A template that can't be used; ``line`` counts from 1, the message says what to do."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


def check_override(source: str, *, kind: str, audience: str) -> None:
    """Compile a template and render it with sample orders: one with all facts and one with few.

    :raises BrokenTemplate: with the line, the error, and what to do
    :raises LookupError: when this audience isn't notified of this kind
    """
    template_for(kind, audience, "en")
    if len(source) > LONGEST_SOURCE:
        raise BrokenTemplate(1, f"longer than {LONGEST_SOURCE} characters: shorten it")
    _check_start(source)
    for order_of in (sample, bare_sample):
        notice, tracked = order_of(Kind(kind), Audience(audience), _SAMPLE_CONNECTION, "en")
        context = make_context(notice, tracked.order, _SAMPLE_CONNECTION, now=WRITTEN_AT)
        ends = mail_ends(notice.audience, [_SAMPLE_CONNECTION], context.words, footer="")
        _check_result(source, _render(source, {**mail_values(context), **ends.values}))


def _check_start(source: str) -> None:
    try:
        tree = environment(html=False).parse(source)
    except TemplateSyntaxError as error:
        raise BrokenTemplate(error.lineno, f"{error.message}; correct it") from None
    if tree.find(nodes.Extends) is None:
        raise BrokenTemplate(
            1, "it extends no template: begin with {% extends layout %}, or {% extends default %}"
        )


def _render(source: str, values: dict[str, Any]) -> Composed:
    try:
        return compose(
            override_template(source, html=False), override_template(source, html=True), values
        )
    except UndefinedError as error:
        raise BrokenTemplate(_line(error), _name_hint(error, values)) from None
    except SecurityError as error:
        raise BrokenTemplate(_line(error), f"{error}: templates may only show values") from None
    except TemplateNotFound as error:
        raise BrokenTemplate(
            _line(error), f"there is no template {error.name}: use layout or default"
        ) from None
    except Exception as error:
        raise BrokenTemplate(
            _line(error),
            f"{error}: this fails with some orders; test a value with 'if' before it is changed",
        ) from None


def _check_result(source: str, made: Composed) -> None:
    if not made.subject:
        raise BrokenTemplate(
            1, ("the subject is empty: fill {% block subject %}, also for orders with few facts")
        )
    markup = _TAG.search(made.text)
    if markup:
        place = source.find(markup.group())
        raise BrokenTemplate(
            source.count("\n", 0, max(place, 0)) + 1,
            f"{markup.group()} would be in the plain text: put markup between "
            f"{{% if html %}} and {{% endif %}}",
        )


def _line(error: Exception) -> int:
    """The line of the override that failed, which Jinja writes into the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename in ("<template>", "<unknown>")]
    return lines[-1] or 1 if lines else 1


def _name_hint(error: UndefinedError, values: dict[str, Any]) -> str:
    unknown = _UNKNOWN_NAME.search(str(error))
    near = difflib.get_close_matches(unknown.group(1), values, n=1) if unknown else []
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(values))}"
    return f"{error}; {hint}"
