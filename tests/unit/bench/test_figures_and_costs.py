"""The arithmetic of the benchmarks: goals, ratios, units and dollars."""

import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.hooks import HierarchicalEmitter

from bench.__main__ import PARTS
from bench.cost import TEAMS
from bench.engine import Meter
from bench.events import STEPS, batches
from bench.figures import Figure, percentile, ratio
from bench.poll import read_units
from bench.prices import (
    ASSUMED,
    Load,
    Standing,
    lambda_price,
    price_events,
    price_month,
    price_naive,
    read_measured,
)
from bench.prices import read_prices as prices
from bench.sizes import item_bytes, write_units
from bench.writes import WORDS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("measured", "goal", "at_least", "verdict"),
    [
        (1.0, None, False, ""),
        (1.15, 1.15, False, "reached"),
        (1.38, 1.15, False, "missed by 20%"),
        (0.7, 0.7, True, "reached"),
        (0.35, 0.7, True, "missed by 50%"),
        (1.1055, 1.1, False, "missed by 0.5%"),
        (3, 0, False, "missed by 3"),
    ],
)
def test_a_figure_says_whether_its_goal_is_reached_or_by_how_much_it_is_missed(
    measured: float, goal: float | None, at_least: bool, verdict: str
) -> None:
    figure = Figure(what="it", measured=measured, goal=goal, at_least=at_least)
    assert figure.verdict == verdict
    assert figure.as_json()["verdict"] == verdict


def test_a_figure_says_why_it_missed_its_goal_only_when_it_did() -> None:
    why = "it walks through every value"
    missed = Figure(what="it", measured=1.4, goal=1.3, note="3 ms", if_missed=why)
    reached = Figure(what="it", measured=1.2, goal=1.3, note="3 ms", if_missed=why)
    assert (missed.reason, reached.reason) == (why, "")


def test_a_ratio_is_the_median_of_the_rounds_and_no_round_of_another_moment() -> None:
    assert ratio([2, 30, 4], [1, 10, 4]) == 2
    with pytest.raises(ValueError, match="same rounds"):
        ratio([1, 2], [1])


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2
    assert percentile(range(1, 201), 99) == 198
    assert percentile([7], 99) == 7
    with pytest.raises(ValueError, match="needs values"):
        percentile([], 50)


def test_every_part_is_a_module() -> None:
    for part in PARTS:
        place = ROOT / "bench" / part
        assert place.with_suffix(".py").exists() or (place / "__init__.py").exists(), part


def test_batches_tell_of_every_step_of_every_order() -> None:
    found = list(batches(5))
    assert [len(one["Records"]) for one in found] == [10, 10, 10]
    assert sum(len(one["Records"]) for one in found) == 5 * len(STEPS)


def test_a_read_of_an_order_is_half_a_unit() -> None:
    assert read_units(Counter(GetItem=4, PutItem=9)) == 2


def test_an_item_is_as_large_as_its_names_and_values_and_what_holds_them() -> None:
    item = {"pk": {"S": "ab"}, "list": {"L": [{"S": "abc"}, {"NULL": True}]}, "n": {"N": "12"}}
    assert item_bytes(item) == (2 + 2) + (4 + 3 + 1 + 3 + 1 + 1) + (1 + 2)
    assert write_units({"text": {"S": "x" * 1_020}}) == 1
    assert write_units({"text": {"S": "x" * 1_021}}) == 2


def test_a_function_costs_its_requests_and_its_share_of_a_processor() -> None:
    listed = {"lambda": {"per_million_requests": 0.2, "per_gb_second": 0.00001}}
    # A call of 5 ms at half a gigabyte, a million times: 2,500 GB-seconds.
    price = lambda_price(listed, invocations=1e6, processor_ms=0, calls=1e6)
    assert price == pytest.approx(0.2 + 2_500 * 0.00001)


def test_a_million_events_cost_by_their_parts_and_in_proportion() -> None:
    one, ten = (price_events(Load(orders=n / 6), prices(), {}) for n in (1e6, 1e7))
    assert ten.total == pytest.approx(10 * one.total)
    assert one.parts["orders"] == pytest.approx(
        ASSUMED["write units per transition, by webhook"]
        * prices()["dynamodb"]["per_million_write_units"]
    )
    assert one.total < price_naive(Load(orders=1e6 / 6), prices(), {}).total


def test_a_team_of_1000_orders_a_month_pays_less_than_4_dollars() -> None:
    load = TEAMS["1,000 orders a month"]
    fixed, events = price_month(load, prices()), price_events(load, prices(), {})
    assert fixed.total + events.total < 4.0, fixed.parts


def test_what_is_charged_by_the_month_is_counted_in_the_template() -> None:
    queue = {"ScalingConfig": {"MaximumConcurrency": 2}}
    by_clock = {"ScheduleExpression": "rate(15 minutes)"}
    math = [{"MetricStat": {}}, {"MetricStat": {}}, {"Expression": "a + b"}]
    function = {
        "Events": {
            "Queue": {"Type": "SQS", "Properties": queue},
            "Clock": {"Type": "ScheduleV2", "Properties": by_clock},
        }
    }
    resources = {
        "One": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "a"}},
        "Sum": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": math}},
        "Secret": {"Type": "AWS::SecretsManager::Secret"},
        "Key": {"Type": "AWS::KMS::Key"},
        "Function": {"Type": "AWS::Serverless::Function", "Properties": function},
    }
    assert Standing.of_template({"Resources": resources}) == Standing(
        alarms=3, secrets=1, keys=1, pollers=2, starts_a_month=4 * 24 * 30
    )


def test_the_words_of_an_order_cost_their_write_units_once_whatever_its_steps() -> None:
    few, many = (price_events(Load(orders=1_000, steps=n), prices(), {WORDS: 40}) for n in (1, 9))
    per_unit = prices()["dynamodb"]["per_million_write_units"] / 1e6
    assert few.parts["words"] == many.parts["words"] == pytest.approx(1_000 * 40 * per_unit)


def test_an_item_of_a_transaction_is_charged_twice_by_its_size() -> None:
    events = HierarchicalEmitter()
    meter = Meter(SimpleNamespace(meta=SimpleNamespace(events=events)))
    items = [{"pk": {"S": "a"}, "text": {"S": "x" * size}} for size in (10, 1_500)]
    actions = [*({"Put": {"Item": one}} for one in items), {"Delete": {"Key": {}}}]
    model = SimpleNamespace(name="TransactWriteItems", input_shape=SimpleNamespace(members={}))
    events.emit(
        "provide-client-params.dynamodb.TransactWriteItems",
        params={"TransactItems": actions},
        model=model,
    )
    assert meter.total("TransactWriteItems") == 2 + 4 + 2


def test_fewer_write_units_cost_less() -> None:
    load, name = Load(orders=1_000), "write units per transition, by webhook"
    assert (
        price_events(load, prices(), {name: 2}).total
        < price_events(load, prices(), {name: 4}).total
    )


def test_what_was_measured_is_taken_from_what_the_parts_kept(tmp_path: Path) -> None:
    warm = [Figure(what="record_report, per event", measured=1.8, note="2.50 ms; a call 1.4 ms")]
    logs = [Figure(what="both together", measured=500), Figure(what="another", measured=1)]
    for name, figures in (("warm", warm), ("logs", logs)):
        content = json.dumps([one.as_json() for one in figures])
        (tmp_path / f"{name}.json").write_text(content)
    assert read_measured(tmp_path) == {"record_report, per event": 2.5, "both together": 500}
