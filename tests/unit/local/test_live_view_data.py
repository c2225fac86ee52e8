"""What the live views show of the tables' items."""

from local.live_view_data import SHOWN, make_overview

KEY = {"pk": "order#offergrid-home#order-1"}


def order(number: int, *, status: str = "accepted", raw: str = "accepted") -> dict[str, str]:
    return {
        "connection": "offergrid-home",
        "order_id": f"order-{number}",
        "item_id": f"item-{number}",
        "status": status,
        "raw_status": raw,
        "since": f"2026-01-01T00:00:{number:02}Z",
    }


def test_statuses_are_counted_in_the_order_of_a_life() -> None:
    orders = [order(1, status="completed"), order(2), order(3), order(4, status="odd")]
    overview = make_overview(orders, [])
    assert list(overview.statuses.items()) == [("accepted", 2), ("completed", 1), ("odd", 1)]


def test_the_latest_transitions_come_first_and_are_bounded() -> None:
    overview = make_overview([order(number) for number in range(30)], [])
    assert len(overview.transitions) == SHOWN
    assert overview.transitions[0].order == "order-29 / item-29"


def test_notices_are_counted_by_state() -> None:
    notices = [
        {
            **KEY,
            "state": "sent",
            "kind": "accepted",
            "queued_at": "2026",
            "recipient": "k",
        }
    ] * 2
    assert make_overview([], notices).notice_states == {"sent": 2}


def test_a_tombstone_without_a_status_is_not_shown() -> None:
    assert make_overview([{"connection": "c", "order_id": "o"}], []).statuses == {}


def test_a_notice_of_the_stack_itself_names_the_resource() -> None:
    notices = [
        {
            **KEY,
            "state": "sent",
            "kind": "accepted",
            "channel": channel,
            "recipient": "a-long-name",
        }
        for channel in ("sns", "event_bus")
    ]
    shown = {one.recipient for one in make_overview([], notices).notices}
    assert shown == {"SNS topic", "event bus"}
