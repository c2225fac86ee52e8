"""A connection's own texts: refused when broken, with the line; never a way out of the sandbox."""

import logging

import pytest

from milepost.common.status import Status
from milepost.notifications.mail.rendering.custom_templates import BrokenTemplate, check_override
from milepost.notifications.notice import Audience
from milepost.orders.order import Kind
from tests.builders import OFFERGRID
from tests.unit.notifications.mail.rendering.mail_builders import KNOWN, renderer, told

OWN = """{% extends layout %}
{% block subject %}Our own: {{ reference }}{% endblock %}
{% block lead %}Dear {{ customer or "customer" }}, all is well.{% endblock %}
"""


class Kept:
    """Implements ``Overrides`` with one template."""

    def __init__(self, source: str, *, language: str = "en", kind: Kind = Kind.ACCEPTED) -> None:
        self._place = (OFFERGRID.id, str(kind), str(Audience.TEAM), language)
        self._source = source

    def get(self, connection_id: str, kind: str, audience: str, language: str) -> str | None:
        wanted = (connection_id, kind, audience, language)
        return self._source if wanted == self._place else None


def check(source: str, kind: str = "accepted", audience: str = "team") -> None:
    check_override(source, kind=kind, audience=audience)


def test_an_override_replaces_our_text_in_the_same_layout() -> None:
    check(OWN)
    mail = renderer(Kept(OWN)).render(*told(Kind.ACCEPTED, Status.ACCEPTED))
    assert mail.subject == "Our own: PP-20417"
    assert mail.text.startswith("Dear Ama Boateng, all is well.\n")
    assert "Southern Fibre" in mail.html


def test_an_override_may_change_one_block_of_ours() -> None:
    source = "{% extends default %}{% block next %}Call us.{% endblock %}"
    check(source)
    mail = renderer(Kept(source)).render(*told(Kind.ACCEPTED, Status.ACCEPTED))
    assert mail.subject.startswith("Accepted: Ama Boateng")
    assert "\nCall us.\n" in mail.text


def test_other_connections_kinds_and_audiences_keep_our_text() -> None:
    own = renderer(Kept(OWN))
    for kind, status, audience in (
        (Kind.REJECTED, Status.REJECTED, Audience.TEAM),
        (Kind.ACCEPTED, Status.ACCEPTED, Audience.CUSTOMER),
    ):
        assert "Our own" not in own.render(*told(kind, status, audience=audience)).subject


def test_our_german_text_comes_before_an_english_override() -> None:
    german = told(Kind.ACCEPTED, Status.ACCEPTED, language="de-AT")
    assert renderer(Kept(OWN)).render(*german).subject.startswith("Angenommen")
    assert renderer(Kept(OWN, language="de")).render(*german).subject.startswith("Our own")
    french = told(Kind.ACCEPTED, Status.ACCEPTED, language="fr")
    assert renderer(Kept(OWN)).render(*french).subject.startswith("Our own")
    assert renderer(Kept(OWN, language="fr")).render(*french).subject.startswith("Our own")


def test_a_preview_shows_the_override() -> None:
    mail = renderer(Kept(OWN)).preview(
        "accepted", connection=OFFERGRID.id, language="en", audience="team"
    )
    assert mail.subject == "[Sample] Our own: SAMPLE-20417"


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        (OWN.replace("{{ reference }}", "{{ reference }"), 2, "correct it"),
        (OWN + "\n{% block next %}\nSee you.", 6, "correct it"),
        (OWN.replace("reference", "referense"), 2, "did you mean 'reference'"),
        (OWN.replace("customer or", "nothing_like_it or"), 3, "there are: about"),
        ("Hello {{ customer }}", 1, "begin with {% extends layout %}"),
        ("{% extends layout %}{% block lead %}x{% endblock %}", 1, "the subject is empty"),
        ("{% extends 'nowhere.j2' %}", 1, "no template nowhere.j2"),
        ("{% extends layout %}\n{% include '../rendering/plain.py' %}", 2, "there is no template"),
        (OWN.replace("Dear", "{{ reason | upper }}\n{{ appointment.strip() }}"), 4, "strip"),
        (OWN.replace("Dear", "<b>Dear</b>"), 3, "{% if html %}"),
        (OWN.replace("Dear", "{{ ''.__class__.__mro__ }}"), 3, "templates may only show values"),
        (OWN.replace("Dear", "{{ facts.append(1) }}"), 3, "templates may only show values"),
        (OWN.replace("Dear", "{{ 1 / 0 }}"), 3, "division by zero"),
        ("x" * 30_000, 1, "longer than 20000"),
    ],
)
def test_a_broken_template_is_refused_with_its_line(source: str, line: int, message: str) -> None:
    with pytest.raises(BrokenTemplate) as refused:
        check(source)
    assert (refused.value.line, message in str(refused.value)) == (line, True), refused.value


def test_markup_meant_for_the_html_part_alone_is_taken() -> None:
    source = OWN.replace("Dear", "{% if html %}<b>Dear</b>{% else %}Dear{% endif %}")
    check(source)
    mail = renderer(Kept(source)).render(*told(Kind.ACCEPTED, Status.ACCEPTED))
    assert "<b>Dear</b>" in mail.html
    assert mail.text.startswith("Dear Ama")


def test_values_are_not_markup_in_an_override_either() -> None:
    details = {**KNOWN, "customer": {"name": "<i>{{ 7*7 }}</i>"}}
    mail = renderer(Kept(OWN)).render(*told(Kind.ACCEPTED, Status.ACCEPTED, details=details))
    assert "&lt;i&gt;{{ 7*7 }}&lt;/i&gt;" in mail.html


def test_a_template_that_breaks_after_all_gives_our_mail_and_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = OWN.replace("reference", "facts[99].x")
    with caplog.at_level(logging.WARNING):
        mail = renderer(Kept(broken)).render(*told(Kind.ACCEPTED, Status.ACCEPTED))
    assert mail.subject.startswith("Accepted: Ama Boateng")
    assert "offergrid-home fails" in caplog.text
    assert "Ama" not in caplog.text


def test_an_audience_that_is_not_told_of_a_kind_has_no_template_to_override() -> None:
    with pytest.raises(LookupError, match="no mail of kind overdue for the customer"):
        check(OWN, kind="overdue", audience="customer")
