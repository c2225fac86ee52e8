"""A declared provider's sandbox sends orders and webhooks in the form of the samples."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from cli.providers.file import read_provider
from cli.providers.samples import Sample, read_samples
from local.sandboxes.declared_samples import SampledOrders, SampledWebhooks
from local.sandboxes.sample_values import steps_in, time_as_sampled
from milepost.connections.connection import Connection
from milepost.providers.base import OrderNamed
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.file_orders import Times

ROOT: Final = Path(__file__).parents[3]
EXAMPLES: Final = sorted((ROOT / "providers" / "examples").glob("*.yaml"))
NOW: Final = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
MAP: Final = {
    "received": "pending",
    "approved": "accepted",
    "planned": "scheduled",
    "done": "completed",
    "declined": "rejected",
    "withdrawn": "cancelled",
    "revoked": "cancelled",
}
KINDS: Final[Mapping[str, Any]] = {
    "ping": {"kind": "ignore"},
    "order.noted": {"kind": "part", "id": "data.order"},
    "order.changed": {"kind": "order", "order": "data"},
    "order.planned": {"kind": "order", "order": "data"},
    "order.declined": {
        "kind": "part",
        "id": "data.order",
        "status": "'declined'",
        "changed_at": "data.at",
        "facts": {"reason": "data.why"},
    },
}


def declaration(**more: Any) -> Declaration:
    said = {
        "version": 1,
        "name": "heatly",
        "sign_in": {"kind": "none"},
        "list": {"path": "/orders", "items": "data", "pages": {"kind": "none"}},
        "one_order": {"path": "/orders/{order_id}", "order": "data"},
        "times": {"zone": "Europe/Berlin"},
        "order": {
            "id": "id",
            "status": "state",
            "changed_at": "changed",
            "facts": {"reference": "number", "appointment": "visit.at", "reason": "why"},
        },
        "statuses": {"map": MAP},
        "webhooks": {
            "signature": {"header": "X-Signature"},
            "event": "type",
            "made_at": "at",
            "kinds": KINDS,
        },
    }
    return Declaration.model_validate({**said, **more})


def order(word: str, **more: Any) -> dict[str, Any]:
    return {"id": 7, "number": 1007, "state": word, "changed": 1772446200, "why": None, **more}


SAMPLES: Final = [
    Sample("list-1.json", "list", {"data": [order(word) for word in MAP]}),
    Sample(
        "webhook-1.json",
        "webhook",
        {"type": "Order.Planned", "at": 1772446200000, "shop": "s-1", "data": order("planned")},
    ),
    Sample(
        "webhook-2.json",
        "webhook",
        {"type": "order.declined", "at": 1772446200, "data": {"order": "7", "at": "2026-03-01"}},
    ),
]


def told(word: str, said: Declaration, samples: list[Sample] = SAMPLES) -> tuple[str, Any]:
    orders = SampledOrders(said, samples)
    made = orders.make(word, 900_001, NOW, {"reason": "no meter"})
    found = SampledWebhooks(said, samples, orders).make(word, made, NOW)
    assert found
    return found


def test_the_kind_of_a_webhook_follows_from_the_status_word() -> None:
    kinds = {word: told(word, declaration())[0] for word in MAP}
    others = dict.fromkeys(MAP, "order.changed")
    assert kinds == {**others, "planned": "order.planned", "declined": "order.declined"}
    unsampled = told("declined", declaration(), SAMPLES[:1])
    assert unsampled[0] == "order.declined"
    assert unsampled[1]["data"] == {
        "order": 900_001,
        "at": "2026-03-20T09:30:00Z",
        "why": "no meter",
    }


def test_a_webhook_is_what_its_sample_shows_with_the_orders_own_values() -> None:
    _, body = told("planned", declaration())
    assert {name: body[name] for name in ("type", "at", "shop")} == {
        "type": "Order.Planned", "at": 1773999000000, "shop": "s-1"
    }  # fmt: skip
    assert (body["data"]["id"], body["data"]["changed"]) == (900_001, 1773999000)
    _, body = told("declined", declaration())
    assert body["data"] == {"order": "900001", "at": "2026-03-20T10:30:00", "why": "no meter"}
    assert body["at"] == 1773999000


@pytest.mark.parametrize(("sample", "sent"), [(7, 900_001), ("7", "900001"), ("a7", "900001")])
def test_an_id_is_a_number_or_a_text_as_the_samples_have_it(sample: Any, sent: Any) -> None:
    samples = [Sample("list-1.json", "list", {"data": [order("done", id=sample)]})]
    _, body = told("done", declaration(), samples)
    assert body["data"]["id"] == sent


@pytest.mark.parametrize(
    ("sample", "sent"), [(1007, 900_001), ("1007", "900001"), ("R-7", "HEA-900001")]
)
def test_a_reference_is_of_the_samples_type(sample: Any, sent: Any) -> None:
    samples = [Sample("list-1.json", "list", {"data": [order("done", number=sample)]})]
    made = SampledOrders(declaration(), samples).make("done", 900_001, NOW, {})
    assert made["number"] == sent


@pytest.mark.parametrize(
    ("action", "word"),
    [
        ({}, "withdrawn"),
        ({"body": {"state": "revoked"}}, "revoked"),
        ({"outcome": "'Revoked'"}, "revoked"),
        ({"body": {"kind": "revoked"}, "outcome": "data.state"}, "withdrawn"),
    ],
)
def test_cancel_moves_an_order_to_the_word_that_the_file_declares(
    action: dict[str, Any], word: str
) -> None:
    cancel = {"statuses": ["pending"], "path": "/orders/{order_id}/cancel", **action}
    said = declaration(actions={"cancel": cancel})
    assert SampledOrders(said, SAMPLES).word_after("cancel", said.actions["cancel"]) == word


@pytest.mark.parametrize(
    ("body", "word"), [({"state": "approved"}, "approved"), ({"state": "sent"}, None), (None, None)]
)
def test_another_action_moves_an_order_if_it_sends_a_status_word(body: Any, word: Any) -> None:
    action = {"statuses": ["pending"], "path": "/orders/{order_id}/state", "body": body}
    said = declaration(actions={"approve": action})
    assert SampledOrders(said, SAMPLES).word_after("approve", said.actions["approve"]) == word


def test_a_move_sets_appointment_reason_and_any_field() -> None:
    change = {
        "scheduledFor": "2026-04-01T08:00:00Z",
        "reason": "moved",
        "set": {"visit": {"by": 1}},
    }
    made = SampledOrders(declaration(), SAMPLES).make("planned", 900_001, NOW, change)
    assert (made["visit"], made["why"]) == ({"at": "2026-04-01T08:00:00Z", "by": 1}, "moved")


@pytest.mark.parametrize(
    ("sample", "sent"),
    [
        (1772446200, 1773999000),
        (1772446200123, 1773999000000),
        ("1772446200", "1773999000"),
        ("02.03.2026 09:00", "20.03.2026 10:30"),
        ("2026-03-02T09:00:00", "2026-03-20T10:30:00"),
        ("2026-03-02T09:00:00+01:00", "2026-03-20T09:30:00Z"),
        (None, "2026-03-20T09:30:00Z"),
    ],
)
def test_a_time_is_written_as_its_sample_is(sample: Any, sent: Any) -> None:
    times = Times(zone="Europe/Berlin", patterns=["%d.%m.%Y %H:%M"], not_set=[])
    assert time_as_sampled(NOW, sample, times) == sent


@pytest.mark.parametrize(
    ("expression", "steps"),
    [
        ("@", ()),
        ("data.payload[0].primaryKey", ("data", "payload", 0, "primaryKey")),
        ('"order-id".x', ("order-id", "x")),
        ("updatedAt || createdAt", ("updatedAt",)),
        ("gone && 'cancelled' || state || 'open'", ("state",)),
        ("'declined'", None),
        (None, None),
    ],
)
def test_a_value_is_put_where_an_expression_reads_it(
    expression: str | None, steps: tuple[str | int, ...] | None
) -> None:
    assert steps_in(expression) == steps


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda one: str(one.stem))
def test_each_words_webhook_says_that_word_and_has_the_samples_types(path: Path) -> None:
    said, samples = read_provider(path), read_samples(path.with_suffix(""))
    orders = SampledOrders(said, samples)
    webhooks, reader = (
        SampledWebhooks(said, samples, orders),
        DeclaredProvider(said, base_url="http://x"),
    )
    connection = Connection(id="x", provider=said.name, base_url="http://x")
    (sample,) = [one.body for one in samples if one.kind == "webhook"]
    for word in said.statuses.map:
        found = webhooks.make(word, orders.make(word, 900_001, NOW, {}), NOW)
        assert found
        shown = dict(types_of(sample))
        assert [one for one in types_of(found[1]) if shown.get(one[0], one[1]) != one[1]] == []
        if said.fetches_by_webhook:
            with pytest.raises(OrderNamed) as named:
                reader.read_event(found[1], connection=connection, seen_at=NOW)
            assert named.value.order_id == "900001"
            continue
        (report,) = reader.read_event(found[1], connection=connection, seen_at=NOW)
        assert (report.order_id, report.raw_status, report.occurred_at) == ("900001", word, NOW)


def types_of(payload: Any, name: str = "") -> set[tuple[str, str]]:
    """Each field with the type that it has on the wire; a null may be any."""
    if isinstance(payload, dict):
        return {one for key, value in payload.items() for one in types_of(value, key)}
    if isinstance(payload, list):
        return {one for value in payload for one in types_of(value, name)}
    return set() if payload is None else {(name, type(payload).__name__)}
