"""Notices as the API shows them."""

import pytest

from milepost.api.notice_schema import notice_view


@pytest.mark.parametrize(
    ("channel", "recipient", "shown"),
    [
        ("https", "https://hooks.example.org/in?key=secret", "https://hooks.example.org/in"),
        ("email", "what?now@example.org", "what?now@example.org"),
        ("email", None, None),
    ],
)
def test_the_query_of_an_endpoint_is_not_shown_and_an_address_is_shown_whole(
    channel: str, recipient: str | None, shown: str | None
) -> None:
    entry = {
        "id": f"offergrid-home/ord/item/1/{channel}/0a1b2c3d4e5f",
        "kind": "rejected",
        "audience": "team",
        "state": "queued",
        "recipient": recipient,
    }
    assert notice_view(entry).recipient == shown
