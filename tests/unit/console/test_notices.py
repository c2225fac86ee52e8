"""The pages about notices and suppressions."""

from datetime import UTC, datetime
from typing import Any

from milepost.notifications.notice import Channel, State
from milepost.notifications.suppression import Suppression, SuppressionId, SuppressionPage
from milepost.orders.order import Kind
from tests.builders import notice
from tests.unit.console.conftest import Browser


class Suppressions:
    """Has one, until it is lifted."""

    def __init__(self) -> None:
        id = SuppressionId("0" * 32)
        self.kept = [
            Suppression(
                id=id, address="no@example.org", reason="bounced", since="2026-03-01T09:00:00Z"
            )
        ]

    def page(self, **_how: Any) -> SuppressionPage:
        return SuppressionPage(self.kept, None)

    def lift(self, id: SuppressionId, *, at: datetime) -> bool:
        was, self.kept = len(self.kept), [one for one in self.kept if one.id != id]
        return len(self.kept) < was


def entry(**changes: Any) -> dict[str, Any]:
    made = notice(Kind.REJECTED, channel=Channel.EMAIL, recipient="a@example.org")
    return {
        "id": made.id,
        "kind": "rejected",
        "audience": "team",
        "recipient": "a@example.org",
        "state": "bounced",
        "bounced_at": "2026-03-02T11:00:00Z",
        "reason": "550 <no such user>",
        **changes,
    }


def test_filters_reach_the_list_and_the_reason_is_shown_as_text(browser: Browser) -> None:
    browser.sign_in()
    browser.desk.notice_lists.entries = [entry()]
    shown = browser.get(
        "/console/notices?state=bounced&state=failed&kind=rejected&from=2026-03-01&to=2026-03-02"
    )
    [(wanted, _, _)] = browser.desk.notice_lists.asked
    assert wanted.states == {State.BOUNCED, State.FAILED}
    assert wanted.kinds == {Kind.REJECTED}
    assert wanted.since == datetime(2026, 3, 1, tzinfo=UTC)
    assert wanted.until == datetime(2026, 3, 3, tzinfo=UTC)
    assert "550 &lt;no such user&gt;" in shown.text


def test_a_filter_that_does_not_exist_is_named(browser: Browser) -> None:
    browser.sign_in()
    assert "There is no such state" in browser.get("/console/notices?state=lost").text


def test_an_operator_can_resend_a_mail_and_a_viewer_sees_no_button(browser: Browser) -> None:
    one = entry()
    browser.desk.notices.items[one["id"]] = one
    address = f"/console/notices/{one['id'].replace('/', ':')}"
    browser.sign_in("viewer")
    assert "Send it again" not in browser.get(address).text
    browser.sign_in("operator")
    assert "Send it again" in browser.get(address).text
    back = browser.post(
        f"{address}/resend", csrf=browser.get(address).token, shown="0:", to="other@example.org"
    )
    assert (back.status, back.location) == (303, f"{address}/resend?to=other%40example.org")
    # It is refused, since there is no such order: the page says so.
    refused = browser.post(f"{address}/resend", csrf=browser.get(address).token)
    assert refused.status == 409
    [recorded] = browser.desk.activity.entries.values()
    assert (recorded.kind, recorded.outcome) == ("resend_notice", "refused")


def test_lifting_a_suppression_is_for_operators_and_is_done_once(browser: Browser) -> None:
    kept = Suppressions()
    browser.desk.api.services.operations.suppressions = kept  # type: ignore[misc, assignment]
    address = "/console/notices/suppressions"
    browser.sign_in("viewer")
    shown = browser.get(address).text
    assert "no@example.org" in shown
    assert "Lift" not in shown
    browser.sign_in("operator")
    token = browser.get(address).token
    assert browser.post(f"{address}/{'0' * 32}/lift", csrf=token).location == address
    assert not kept.kept
    assert browser.post(f"{address}/{'0' * 32}/lift", csrf=token).status == 404
