"""One hostile order on a page of good ones: all the others are recorded, it is kept as it came."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.polling.page_limits import MOST_ORDER_BYTES
from milepost.polling.result import PollOutcome, PollResult
from milepost.providers.readable_parts import MOST_ITEMS
from tests.builders import minute
from tests.unit.polling.polls import World
from tests.unit.providers.four_providers import MODELS, Listed, world_of

GOOD = ("good-1", "good-2", "good-3")
DEEP = b"[" * 200_000 + b"]" * 200_000
HOSTILE = {
    "null": b"null",
    "a number": b"7",
    "a text": b'"order"',
    "a list": b'[{"orderId": "x"}]',
    "an empty object": b"{}",
    "a repeated key": b'{"id": "x", "id": "y"}',
    "a number out of range": b'{"n": 1e999999}',
    "NaN": b'{"n": NaN}',
    "minus infinity": b'{"n": -Infinity}',
    "a number of 10,000 digits": b'{"n": ' + b"7" * 10_000 + b"}",
    "half of a surrogate pair": b'{"id": "\\ud800"}',
    "half of a pair in a key": b'{"\\udc00": 1}',
    "nested deep": b'{"x": ' + DEEP + b"}",
    "nested deep at its top": DEEP,
    "objects nested deep": b'{"x":' * 50_000 + b"1" + b"}" * 50_000,
    "nested as deep as digests go": b'{"x": ' + b"[" * 1_990 + b"]" * 1_990 + b"}",
    "bytes that aren't UTF-8": b'{"id": "\xff\xfe\x80"}',
    "a NUL": b'{"id": "\x00"}',
    "a line break in a text": b'{"id": "a\nb"}',
    "a trailing comma": b'{"id": "x",}',
    "single quotes": b"{'id': 'x'}",
    "a missing value": b'{"id": }',
    "a word that is none": b"undefined",
    "a call": b"f(1)",
    "two values": b'{"id": "x"} {"id": "y"}',
    "a list that isn't closed": b'{"id": [1, 2}',
    "braces in a text": b'{"id": "}]{[,\\"", "x": nope}',
    "nothing at all": b"",
    "a wrong escape": b'{"id": "\\x41"}',
    "a comment": b'{"id": 1 /* one */}',
    "brackets with braces that close nothing": b"[" * 50_000 + b"}" * 50_000 + b"]" * 50_000,
    "braces with brackets that close nothing": b"{" * 50_000 + b"]" * 50_000 + b"}" * 50_000,
    "1 MB of small values": b'{"x": [' + b"0," * 500_000 + b"0]}",
}


def poll_with(name: str, hostile: bytes, place: int = 1) -> tuple[World, PollResult]:
    """A poll of a page of three good orders and this one."""
    model = MODELS[name]
    orders = [json.dumps(model.order(one, "x", minute(0))).encode() for one in GOOD]
    orders.insert(place, hostile)
    # All at one time, in this order.
    listed = [Listed(place, "9", raw) for place, raw in zip("abcd", orders, strict=True)]
    world = world_of(name, lambda: listed, limit=100)
    return world, world.poll()


def good(world: World) -> list[str]:
    return sorted(key.order_id for key in world.orders.kept)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", MODELS)
def test_a_hostile_order_is_quarantined_as_it_came_and_delays_no_other(
    name: str, hostile: bytes
) -> None:
    world, result = poll_with(name, hostile)
    assert (result.outcome, result.error) == (PollOutcome.COMPLETE, None)
    assert good(world) == list(GOOD)
    ((kept, reason),) = world.quarantined
    assert kept == hostile
    assert reason
    # It comes again unchanged, on a page that has changed.
    again = world.poll()
    assert (again.outcome, again.quarantined, again.recorded) == (PollOutcome.COMPLETE, 0, 0)
    assert len(world.quarantined) == 1


@pytest.mark.parametrize("place", [0, 3])
def test_a_hostile_order_may_be_the_first_or_last_of_its_page(place: int) -> None:
    world, result = poll_with("rabot", b"{'id': [}", place)
    assert (result.outcome, good(world)) == (PollOutcome.COMPLETE, list(GOOD))
    assert [kept for kept, _ in world.quarantined] == [b"{'id': [}"]


JSON_LIKE = st.recursive(
    st.one_of(
        st.sampled_from([b"null", b"true", b"NaN", b"1e9999", b"-0", b"\xff", b"nope", b"1.5.5"]),
        st.binary(max_size=8).map(
            lambda raw: b'"' + raw.replace(b'"', b"").replace(b"\\", b"\\\\") + b'"'
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: b"[" + b",".join(parts) + b"]"),
        st.lists(st.tuples(inner, inner), max_size=3).map(
            lambda pairs: b"{" + b",".join(key + b":" + value for key, value in pairs) + b"}"
        ),
    ),
    max_leaves=8,
)
"""What is balanced, so that one can tell where it ends, and else may be anything."""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=60, deadline=None)
@given(hostile=JSON_LIKE, place=st.integers(0, 3))
def test_no_bytes_of_one_order_keep_another_from_being_recorded(
    name: str, hostile: bytes, place: int
) -> None:
    world, result = poll_with(name, hostile, place)
    assert result.outcome is PollOutcome.COMPLETE
    assert good(world) == list(GOOD)
    assert [kept for kept, _ in world.quarantined] == [hostile]


@pytest.mark.thorough
@settings(max_examples=300, deadline=None)
@given(hostile=st.binary(max_size=40))
def test_any_bytes_in_a_page_end_in_a_result_that_loses_nothing(hostile: bytes) -> None:
    world, result = poll_with("offergrid", hostile)
    if result.outcome is PollOutcome.COMPLETE:
        kept = b"".join(raw for raw, _ in world.quarantined)
        assert all(one in good(world) or one.encode() in kept for one in GOOD)
    else:
        assert result.outcome is PollOutcome.FAILED
        assert result.error
        assert world.cursor is None


FIELDS = {
    "offergrid": ["orderId", "updatedAt", "items", "customer", "address", "createdAt"],
    "spirii": ["id", "status", "updated_at", "customer", "payment", "emails"],
    "subs": ["id", "milestone", "updated_at", "customer", "invoices", "installer"],
    "rabot": ["contractNumber", "state", "deliveryAddress", "contractSignedAt", "deliveryState"],
}
VALUES = [
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "9" * 300,
    "\u202e\u0000",
    [],
    [[]],
    {},
    {"x": {}},
    -1,
    10**40,
    True,
    "",
]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("name", "field"), [(name, one) for name, fields in FIELDS.items() for one in fields]
)
def test_no_value_of_one_field_keeps_another_order_from_being_recorded(
    name: str, field: str
) -> None:
    for value in VALUES:
        order = {**MODELS[name].order("bad", "x", minute(0)), field: value}
        world, result = poll_with(name, json.dumps(order).encode())
        assert (result.outcome, result.error) == (PollOutcome.COMPLETE, None), value
        assert set(good(world)) >= set(GOOD), value
        assert world.poll().outcome is PollOutcome.COMPLETE, value


def test_a_good_order_among_bad_ones_is_recorded_though_its_envelope_has_a_mark_of_order() -> None:
    model = MODELS["offergrid"]
    order = json.dumps(model.order("good-1", "x", minute(0))).encode()
    world = world_of("offergrid", lambda: [Listed("a", "9", order)], limit=10)
    rule = world.wire.rule

    def with_mark(query: dict[str, str]) -> object:
        answered = rule(query)
        return type(answered)(200, {}, b"\xef\xbb\xbf" + answered.body)  # type: ignore[union-attr]

    world.wire.rule = with_mark  # type: ignore[assignment]
    assert world.poll().outcome is PollOutcome.COMPLETE
    assert good(world) == ["good-1"]


def test_an_order_that_was_quarantined_and_is_good_again_is_recorded() -> None:
    model = MODELS["offergrid"]
    served = [b'{"orderId": 1e9999}']
    world = world_of("offergrid", lambda: [Listed("a", "9", served[0])], limit=10)
    assert world.poll().quarantined == 1
    served[0] = json.dumps(model.order("ord-1", "x", world.now)).encode()
    assert world.poll().recorded == 1


def test_what_is_in_the_quarantine_is_not_put_there_again_by_polls_that_fail() -> None:
    world, _ = poll_with("offergrid", b"null")
    rule = world.wire.rule
    world.wire.rule = lambda query: type(rule(query))(500, {}, b"")  # type: ignore[call-arg]
    assert world.poll().outcome is PollOutcome.FAILED
    world.wire.rule = rule
    world.poll()
    assert len(world.quarantined) == 1


def test_pages_that_are_alike_since_nothing_on_them_can_be_read_are_no_endless_list() -> None:
    listed = [Listed(place, "9", b"null") for place in "abc"]
    world = world_of("offergrid", lambda: listed, limit=1)
    assert [world.poll().outcome for _ in range(3)] == [PollOutcome.COMPLETE] * 3
    assert [kept for kept, _ in world.quarantined] == [b"null"]


@pytest.mark.parametrize("fact", [{}, {"commission": 7}, {"itemId": ""}])
def test_an_order_of_thousands_of_items_is_quarantined_as_it_came(fact: dict[str, object]) -> None:
    order = json.loads(json.dumps(MODELS["offergrid"].order("many", "x", minute(0))))
    (item,) = order["items"]
    order["items"] = [{**item, "itemId": str(place), **fact} for place in range(3_000)]
    hostile = json.dumps(order, separators=(",", ":")).encode()[:MOST_ORDER_BYTES]
    world, result = poll_with("offergrid", hostile)
    assert (result.outcome, result.quarantined) == (PollOutcome.COMPLETE, 1)
    assert good(world) == list(GOOD)
    assert [kept for kept, _ in world.quarantined] == [hostile]


def test_an_order_of_as_many_items_as_may_be_is_recorded_and_one_more_is_too_many() -> None:
    order = json.loads(json.dumps(MODELS["offergrid"].order("many", "x", minute(0))))
    (item,) = order["items"]

    def of(count: int) -> bytes:
        items = [{**item, "itemId": str(place), "commission": 7} for place in range(count)]
        return json.dumps({**order, "items": items}).encode()

    world, result = poll_with("offergrid", of(MOST_ITEMS))
    assert (result.outcome, result.recorded) == (PollOutcome.COMPLETE, MOST_ITEMS + len(GOOD))
    for key, kept in world.orders.kept.items():
        if key.order_id == "many":
            assert kept.order.details["unread"] == ["items.commission"]
    world, _ = poll_with("offergrid", of(MOST_ITEMS + 1))
    ((_, reason),) = world.quarantined
    assert reason == "more than 500 items in one order"
