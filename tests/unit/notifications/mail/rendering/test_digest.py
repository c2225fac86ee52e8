"""A digest: many notices in one mail that can be scanned."""

import re
from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import Connection, UnknownConnection
from milepost.notifications.mail.rendering.digest_lines import Digest, DigestLine
from milepost.notifications.mail.rendering.languages import words_of
from milepost.notifications.mail.rendering.sanitize import LONGEST_SUBJECT, wrap
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind
from milepost.orders.overdue_list import OverdueNow, OverdueOrder
from tests.builders import OFFERGRID, RABOT, minute
from tests.unit.notifications.mail.rendering.mail_builders import KNOWN, key_of, renderer, told

TOGETHER: dict[str, Any] = {"time_zone": "Europe/Berlin", "reason": DigestReason.TOGETHER}


def line(
    kind: Kind = Kind.ACCEPTED,
    status: Status = Status.ACCEPTED,
    *,
    number: int = 1,
    connection: Connection = OFFERGRID,
    **details: object,
) -> DigestLine:
    facts = {**KNOWN, "reference": f"PP-{number}", **details}
    notice, tracked = told(kind, status, connection=connection, details=facts)
    return DigestLine(notice=_numbered(notice, number), tracked=tracked)


def _numbered(notice: Notice, number: int) -> Notice:
    one = replace(notice.announcement, occurred_at=minute(number))
    connection = OFFERGRID if notice.key.connection == OFFERGRID.id else RABOT
    return replace(notice, key=key_of(connection, number), announcement=one)


def digest(
    *lines: DigestLine, language: str = "en", reason: DigestReason = DigestReason.HOURLY
) -> Digest:
    return Digest(
        recipient="sales@example.org",
        language=language,
        time_zone="Europe/Berlin",
        reason=reason,
        lines=lines,
    )


def test_it_lists_customer_reference_what_when_and_connection_under_its_kind() -> None:
    mail = renderer().render_digest(
        digest(line(number=1), line(Kind.REJECTED, Status.REJECTED, number=2, connection=RABOT))
    )
    assert mail.subject == "2 updates: 1 rejected, 1 accepted"
    when = "Mon 2 Mar, 13:0"
    first = f"Rejected (1)\n- Ama Boateng, PP-2: Fibre 1000 · {when}2 · rabot-energy\n"
    then = f"Accepted (1)\n- Ama Boateng, PP-1: Fibre 1000 · {when}1 · offergrid-home\n"
    assert f"{first}\n{then}" in mail.text
    assert "Times are in CET." in mail.text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Status now: cancelled"),
        ("de", "Status jetzt: storniert"),
        ("da", "Status nu: annulleret"),
    ],
)
def test_a_line_about_an_order_that_has_moved_on_says_its_status_now(
    language: str, said: str
) -> None:
    moved = line(Kind.OVERDUE, Status.ACCEPTED, number=1)
    assert moved.tracked is not None
    order = replace(moved.tracked.order, status=Status.CANCELLED)
    moved = replace(moved, tracked=replace(moved.tracked, order=order))
    mail = renderer().render_digest(digest(moved, line(number=2), language=language))
    text = " ".join(mail.text.split())
    assert re.search(rf"PP-1: [^·]* · [^·]* · {said} · offergrid-home", text)
    assert text.count(said.partition(":")[0]) == 1
    assert said in mail.html


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Overdue now\n- PP-7 (rabot-energy): accepted, overdue since Mon"),
        ("de", "Jetzt überfällig\n- PP-7 (rabot-energy): angenommen, überfällig seit Mo"),
        ("da", "Forsinket nu\n- PP-7 (rabot-energy): accepteret, forsinket siden man"),
    ],
)
def test_it_mentions_what_is_overdue_besides(language: str, said: str) -> None:
    late = OverdueOrder(
        key=key_of(RABOT, 7), reference="PP-7", status=Status.ACCEPTED, since=minute(0)
    )
    hostile = replace(late, reference="<b>{{ 7 * 7 }}</b>\r\nBcc: x")
    whole = replace(
        digest(line(number=1), language=language),
        overdue=OverdueNow(orders=(late, hostile), more=True),
    )
    mail = renderer().render_digest(whole)
    assert said in mail.text.replace("\n  ", " ")
    assert "PP-7 (rabot-energy)" in mail.html
    assert "<b>" not in mail.html
    assert words_of(language)["digest"]["overdue_more"] in mail.text.replace("\n  ", " ")


def test_where_nothing_is_overdue_it_says_nothing_of_it() -> None:
    assert "Overdue now" not in renderer().render_digest(digest(line(), line(number=2))).text


def test_one_update_is_said_in_the_singular() -> None:
    assert renderer().render_digest(digest(line())).subject == "1 update: 1 accepted"


def test_what_needs_a_person_most_stands_first() -> None:
    mail = renderer().render_digest(
        digest(
            line(number=1),
            line(Kind.OVERDUE, number=2),
            line(Kind.REJECTED, Status.REJECTED, number=3, reason="No coverage"),
        )
    )
    assert re.findall(r"PP-\d", mail.text) == ["PP-3", "PP-2", "PP-1"]
    assert "Fibre 1000 – “No coverage”" in mail.text


def test_a_scheduled_order_is_listed_with_its_appointment() -> None:
    one = line(Kind.SCHEDULED, Status.SCHEDULED, appointment="2026-03-12T02:00:00Z")
    text = renderer().render_digest(digest(one, language="de")).text.replace("\n", " ")
    assert "Do., 12. März, 03:00" in text.replace("  ", " ")


def test_of_an_erased_order_nothing_personal_is_listed() -> None:
    tombstone = line()
    assert tombstone.tracked
    erased = replace(tombstone, tracked=replace(tombstone.tracked, erased_at=minute(5)))
    mail = renderer().render_digest(digest(erased, line(number=2, customer={"name": "Kofi"})))
    assert "ord-1: the order was erased · " in mail.text
    assert "Ama" not in mail.text + mail.html


def test_an_order_that_could_not_be_read_is_counted_and_never_called_erased() -> None:
    unread = replace(line(number=1), tracked=None)
    mail = renderer().render_digest(digest(unread, line(number=2)))
    assert "… and 1 more update. This command lists its order:" in mail.text
    assert "erased" not in mail.text + mail.html
    assert "ord-1" not in mail.text
    assert mail.subject == "2 updates: 2 accepted"
    held = [(one.notice, one.tracked) for one in (line(number=1), line(number=2))]
    beyond = [_numbered(held[0][0], number) for number in range(3, 43)]
    with_more = renderer().render_batch(held, **TOGETHER, beyond=beyond)
    said = " ".join(with_more.text.split())
    command = "milepost orders list --connection offergrid-home"
    assert f"… and 40 more updates. This command lists their orders: {command}" in said
    assert command in with_more.html
    assert with_more.subject.startswith("42 updates: ")


def test_hundreds_of_lines_are_cut_at_two_hundred_and_counted() -> None:
    many = [line(number=number) for number in range(1, 500)]
    mail = renderer().render_digest(
        digest(*many, line(Kind.REJECTED, Status.REJECTED, number=777), reason=DigestReason.MANY)
    )
    assert mail.text.count("\n- ") == 200
    assert "and 300 more" in mail.text
    assert "PP-777" in mail.text
    assert "Accepted (499)" in mail.text
    assert len(mail.html.encode()) < 100_000  # Gmail cuts what is longer
    assert len(mail.subject) <= 150


@pytest.mark.parametrize("language", ["en", "de", "da"])
@pytest.mark.parametrize("reason", list(DigestReason))
def test_every_reason_has_its_heading_in_every_language(
    reason: DigestReason, language: str
) -> None:
    mail = renderer().render_digest(
        digest(*(line(kind, number=1) for kind in Kind), language=language, reason=reason)
    )
    assert max(map(len, mail.text.splitlines())) <= 78
    assert not re.search(r"\bNone\b|\{", mail.text)
    assert mail.text.splitlines()[0] in mail.html


def test_hostile_values_are_inert_in_a_digest() -> None:
    attack = "<b>\r\nBcc: x@evil.example {{ 7*7 }}" + "A" * 10_000
    one = line(
        Kind.REJECTED,
        Status.REJECTED,
        customer={"name": attack},
        reason=attack,
        service_type=attack,
        offer={"name": attack},
    )
    mail = renderer().render_digest(digest(one))
    assert "<b>" not in mail.html
    assert "49" not in mail.text
    assert not re.search(r"^\s*Bcc", mail.text, re.MULTILINE)
    assert len(mail.html) < 5_000


def test_a_digest_can_be_unsubscribed_from() -> None:
    url = "https://mail.example/unsubscribe/abc"
    mail = renderer().render_digest(digest(line()), unsubscribe_url=url)
    assert mail.headers["List-Unsubscribe"] == f"<{url}>"
    assert url in mail.text


def test_what_was_held_for_a_customer_is_listed_without_our_connections() -> None:
    lines = [line(number=1), line(number=2)]
    held = [(replace(one.notice, audience=Audience.CUSTOMER), one.tracked) for one in lines]
    mail = renderer().render_batch(held, time_zone="Australia/Melbourne", reason=DigestReason.MANY)
    assert mail.to == "sales@example.org"
    assert "PP-1" in mail.text
    assert "AEDT" in mail.text or "Melbourne time" in mail.text
    assert "offergrid" not in mail.text + mail.html


def test_a_digest_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one line"):
        renderer().render_digest(digest())


def test_what_is_held_is_shown_in_the_recipients_zone_and_what_is_beyond_is_counted() -> None:
    shown = [line(number=1), line(number=2)]
    held = [(one.notice, one.tracked) for one in shown if one.tracked]
    beyond = [_numbered(shown[0].notice, number) for number in range(3, 43)]
    mail = renderer().render_batch(
        held,
        time_zone="Asia/Tokyo",
        beyond=beyond,
        reason=DigestReason.DAILY,
    )
    text = " ".join(mail.text.split())
    assert mail.subject == "42 updates: 42 accepted"
    assert mail.text.startswith("Your daily summary\n")
    assert "Tokyo time" in text
    assert "40 more" in text


def test_groups_stand_by_urgency_and_their_lines_by_the_date_they_show() -> None:
    def scheduled(number: int, day: str) -> DigestLine:
        return line(Kind.SCHEDULED, Status.SCHEDULED, number=number, appointment=day)

    mail = renderer().render_digest(
        digest(
            line(number=9),
            line(number=2, connection=RABOT),
            scheduled(3, "2026-04-09"),
            scheduled(4, "2026-04-02"),
            line(Kind.FAILED, Status.FAILED, number=5, connection=RABOT),
            line(Kind.COMPLETED, Status.COMPLETED, number=6),
            line(Kind.REJECTED, Status.REJECTED, number=8, reason="No coverage"),
            line(Kind.REJECTED, Status.REJECTED, number=7, connection=RABOT, reason="No"),
        )
    )
    assert re.findall(r"^(\w+) \(\d\)$", mail.text, re.MULTILINE) == [
        "Rejected",
        "Failed",
        "Scheduled",
        "Accepted",
        "Completed",
    ]
    for part in (mail.text, mail.html):
        assert re.findall(r"PP-(\d)", part) == list("78543296")


def test_what_is_overdue_besides_stands_before_what_is_not_urgent() -> None:
    late = OverdueOrder(
        key=key_of(RABOT, 7), reference="PP-7", status=Status.ACCEPTED, since=minute(0)
    )
    lines = (line(number=1), line(Kind.REJECTED, Status.REJECTED, number=2, reason="No"))
    mail = renderer().render_digest(replace(digest(*lines), overdue=OverdueNow(orders=(late,))))
    assert re.findall(r"PP-\d", mail.text) == ["PP-2", "PP-7", "PP-1"]


def test_a_connection_that_was_removed_doesn_t_take_the_rest_with_it() -> None:
    lines = [line(number=1), line(number=2)]
    gone = replace(lines[0].notice, key=replace(lines[0].notice.key, connection="gone"))
    held = [(gone, lines[0].tracked), (lines[1].notice, lines[1].tracked)]
    mail = renderer().render_batch(held, **TOGETHER)
    assert "PP-2" in mail.text
    with pytest.raises(UnknownConnection):
        renderer().render_batch(held[:1], **TOGETHER)


@pytest.mark.parametrize(
    ("correction", "said"),
    [(False, "Fibre 1000 – also accepted"), (True, "Fibre 1000 – also corrected")],
)
def test_a_line_says_what_else_the_same_change_says(*, correction: bool, said: str) -> None:
    one = line(Kind.SCHEDULED, Status.SCHEDULED, number=1)
    announcement = replace(one.notice.announcement, joined=True, correction=correction)
    joined = replace(one, notice=replace(one.notice, announcement=announcement))
    mail = renderer().render_digest(digest(joined, line(number=2)))
    assert said in mail.text


def test_a_subject_names_as_many_kinds_as_fit_and_cuts_none_in_two() -> None:
    made = renderer().preview_digest(
        DigestReason.DAILY, connection="offergrid-home", language="de", audience="team"
    )
    assert made.subject.endswith(", …")
    assert len(made.subject) <= LONGEST_SUBJECT
    named = made.subject.partition("Meldungen: ")[2].removesuffix(", …").split(", ")
    assert all(re.fullmatch(r"1 \w[\w ]+", one) for one in named)
    assert named[0] == "1 abgelehnt"


def test_an_order_accepted_and_scheduled_without_a_date_is_both_in_the_subject() -> None:
    said = {
        Audience.TEAM: "Accepted and scheduled: Ama Boateng, ",
        Audience.CUSTOMER: "Your order PP-20417: accepted and scheduled",
    }
    for audience, start in said.items():
        made = told(Kind.SCHEDULED, Status.SCHEDULED, audience=audience, joined=True)
        assert renderer().render(*made).subject.startswith(start)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_link_is_never_wrapped(scheme: str) -> None:
    link = f"{scheme}://127.0.0.1:39139/console/orders/{'offergrid-home:' * 8}item-1"
    assert wrap(f"ord-1: 28 Nov {link}", "  ", "- ") == f"- ord-1: 28 Nov\n  {link}"
