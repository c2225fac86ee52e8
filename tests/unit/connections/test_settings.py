"""A connection's stored settings: what can't be used is named, and nothing of it is quoted."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.connections.aws.settings import read_each
from milepost.connections.connection import (
    CommissionTerms,
    Connection,
    FollowUp,
    TrackingPage,
    UnusableConnection,
)
from milepost.connections.settings import read_settings
from milepost.providers.registry import REGISTRY

NAME = "grid-home"
GOOD: dict[str, Any] = {
    "id": NAME,
    "provider": "offergrid",
    "base_url": "https://api.example.com/v1",
}
HIDDEN = "hunter2-hunter2"
BAD: list[tuple[str, Any]] = [
    ("id", "another"),
    ("id", None),
    ("provider", HIDDEN),
    ("provider", ["offergrid"]),
    ("base_url", f"https://user:{HIDDEN}@api.example.com"),
    ("base_url", "https://api.example.com:99999999"),
    ("base_url", "https://[::1"),
    ("base_url", f"https://a/\n{HIDDEN}"),
    ("base_url", "ftp://api.example.com"),
    ("base_url", HIDDEN),
    ("token_url", 7),
    ("order_page", f"https://{HIDDEN}.example"),
    ("order_page", "http://portal.example/{order_id}"),
    ("order_page", "https://{order_id}.example/"),
    ("order_page", "javascript:alert({order_id})"),
    ("order_page", "https://portal.example/{order_id}/{customer}"),
    ("page_size", "100"),
    ("page_size", 0),
    ("page_size", True),
    ("page_size", 1.5),
    ("page_size", None),
    ("requests_per_minute", -1),
    ("poll_minutes", []),
    ("poll_minutes", 10**400),
    ("service_type", {}),
    ("track", "fastest"),
    ("tracks", ["fast"]),
    ("tracks", {"internet": "fastest"}),
    ("stage_days", {"accepted": "3"}),
    ("stage_days", {"accepted": -3}),
    ("stage_days", {"accepted": 10**300}),
    ("stage_days_count", "weekly"),
    ("escalate_after_days", "2"),
    ("wait_days", {"contact": "3"}),
    ("wait_days", [3]),
    ("reminder_hours", "48"),
    ("reminder_hours", [48, "2"]),
    ("reminder_hours", [0]),
    ("reminder_hours", [10**9]),
    ("commission", HIDDEN),
    ("commission", [{"amount": "7"}]),
    ("commission", [{"amount": "7", "currency": "EUR", "supplier": 7}]),
    ("commission", [{"amount": "7", "currency": "EUR"}] * 2),
    ("follow_up", HIDDEN),
    ("follow_up", {"after_days": 7}),
    ("follow_up", {"link": HIDDEN}),
    ("follow_up", {"link": "https://survey.example", "after_days": "7"}),
    ("time_zone", "Europe/Atlantis"),
    ("time_zone", "Europe"),
    ("time_zone", "../../etc/passwd"),
    ("time_zone", "Europe/Berlin\x00"),
    ("time_zone", None),
    ("country", "Germany"),
    ("language", 3),
    ("contact", [HIDDEN]),
    ("customer_notices", "accepted"),
    ("customer_notices", {"accepted": True}),
    ("customer_notices", [1]),
    ("notices_per_hour", "many"),
    ("statuses", {"In Planung": "planned"}),
    ("statuses", {"In Planung": "unknown"}),
    ("stage_days", {"accepted": "long"}),
    ("commission", "75 EUR"),
    ("commission", {"amount": "75"}),
    ("commission", {"amount": "NaN", "currency": "EUR"}),
    ("commission", {"amount": 75, "currency": "EUR"}),
    ("commission", {"amount": "75", "currency": "EUR", "due_day": 32}),
    ("commission", {"amount": "75", "currency": "EUR", "recurring": "weekly"}),
    ("tracking", HIDDEN),
    ("tracking", {"colour": HIDDEN}),
    ("tracking", {"colour": "red;}"}),
    ("tracking", {"days": 0}),
    ("search_fields", "name"),
    ("search_fields", ["name", "birthday"]),
    ("options", ["statuses"]),
]
NOT_JSON = ["", "{", "null", "[]", '"text"', "7", "{'id': 1}", "[" * 100_000, '{"page_size": NaN}']


def read(text: str) -> Connection:
    return read_settings(text, connection_id=NAME, providers=REGISTRY)


@pytest.mark.parametrize(("setting", "value"), BAD)
def test_a_bad_setting_is_named_and_never_quoted(setting: str, value: Any) -> None:
    with pytest.raises(UnusableConnection) as raised:
        read(json.dumps(GOOD | {setting: value}))
    assert f"the settings of {NAME} can't be used: {setting}" in str(raised.value)
    assert HIDDEN not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("setting", GOOD)
def test_a_setting_that_every_connection_needs_is_missed(setting: str) -> None:
    with pytest.raises(UnusableConnection, match=f"{setting} is missing"):
        read(json.dumps({name: one for name, one in GOOD.items() if name != setting}))


@pytest.mark.parametrize("text", NOT_JSON)
def test_what_is_no_json_object_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UnusableConnection, match=f"the settings of {NAME} can't be used: they are"):
        read(text)


def test_options_may_be_nested_but_not_without_end() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = {"a": deep}
    with pytest.raises(UnusableConnection, match="options is nested more"):
        read(json.dumps(GOOD | {"options": deep}))
    assert read(json.dumps(GOOD | {"options": {"a": [{"b": 1}]}})).options == {"a": [{"b": 1}]}


def test_business_days_need_a_country_that_has_them() -> None:
    business = GOOD | {"stage_days_count": "business"}
    with pytest.raises(UnusableConnection, match="business days"):
        read(json.dumps(business | {"country": "XX"}))
    with pytest.raises(UnusableConnection, match="business days"):
        read(json.dumps(business | {"country": "DE", "region": "ATLANTIS"}))
    assert read(json.dumps(business | {"country": "DE", "region": "BY"})).region == "BY"


def test_what_is_stored_today_is_read_as_it_was() -> None:
    connection = Connection(
        **GOOD,
        poll_minutes=15,
        tracks={"internet": "fast"},
        stage_days={"accepted": 2.5},
        customer_notices=frozenset({"accepted"}),
        wait_days={"contact": 1.5},
        order_page="https://portal.example/orders/{order_id}?item={item_id}",
        reminder_hours=(24.0,),
        follow_up=FollowUp(link="https://survey.example/x?a=1", after_days=3.0),
        tracking=TrackingPage(colour="#0A6b5e", days=30),
        commission=(CommissionTerms(amount="75.50", currency="EUR"),),
        options={"statuses": {"Geöffnet": "pending"}},
    )
    text = json.dumps(asdict(connection) | {"of_a_newer_version": [1]}, default=sorted)
    assert read(text) == connection


@given(
    setting=st.sampled_from(sorted(Connection.__dataclass_fields__)),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
)
def test_any_value_of_any_setting_is_used_or_refused_and_keeps_no_other_from_being_read(
    setting: str, value: Any
) -> None:
    other = {**GOOD, "id": "other"}
    known, unusable = read_each(
        {NAME: json.dumps(GOOD | {setting: value}), "other": json.dumps(other)}, providers=REGISTRY
    )
    assert known["other"].base_url == GOOD["base_url"]
    assert (NAME in known) is not (NAME in unusable)


def test_an_entry_that_names_another_connection_does_not_take_its_place() -> None:
    real, false = json.dumps(GOOD), json.dumps(GOOD | {"base_url": "https://evil.example"})
    known, unusable = read_each({NAME: real, "zz": false}, providers=REGISTRY)
    assert known[NAME].base_url == GOOD["base_url"]
    assert unusable["zz"].why.endswith("id differs from the name of the parameter")
    assert unusable["zz"].provider == "offergrid"


def test_terms_that_were_stored_alone_are_read_as_those_for_all_orders() -> None:
    stored = json.dumps(GOOD | {"commission": {"amount": "75.50", "currency": "EUR", "due_day": 5}})
    assert read(stored).commission == (CommissionTerms(amount="75.50", currency="EUR", due_day=5),)
