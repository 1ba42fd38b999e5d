"""Who used a pool in an hour and what each pays: allocation rules, sections 5 and 6."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
TO_POOL = {"field": "resource_id", "pattern": "*", "target": "pool", "target_id": "p"}


def charge(cost: str = "8", gpu_hours: str = "8", **more: Any) -> dict[str, Any]:
    return {"charge_id": "c", "charge_start": TEN, "charge_end": TEN + HOUR, "billed_cost": cost,
            "gpu_hours": gpu_hours, "resource_id": "node", **more}  # fmt: skip


def run(name: str, minutes: int, gpus: float = 8.0, **more: Any) -> dict[str, Any]:
    return {"run_id": name, "pool_id": "p", "gpu_count": gpus, "held_from": TEN, "status": "finished",
            "held_to": TEN + timedelta(minutes=minutes), "model_id": "m", "phase": "pretraining", **more}  # fmt: skip


def paid(tables: dict[str, pl.DataFrame]) -> dict[Any, str]:
    """Billed cost by run, deployment or account."""
    who = pl.coalesce("run_id", "deployment_id", "account")
    sums = tables["postings"].group_by(who.alias("who")).agg(pl.col("billed_cost").sum())
    return {name: f"{cost.normalize():f}" for name, cost in sums.iter_rows()}


def test_a_run_pays_for_the_time_it_held_its_gpus_and_the_rest_is_idle(books: Any) -> None:
    # 8 GPUs × 45 of 60 minutes: 6 of the 8 GPU-hours, 6 of the 8 dollars
    assert paid(books(charges=[charge()], rules=[TO_POOL], runs=[run("a", 45)]).tables()) == {"a": "6", "idle": "2"}


def test_overlapping_runs_share_the_pool_and_never_pay_in_full_each(books: Any) -> None:
    # both hold all 8 GPUs for the hour: 16 GPU-hours are used of 8 billed, so each pays half and nothing is idle
    both = books(charges=[charge()], rules=[TO_POOL], runs=[run("a", 60), run("b", 60)])

    assert paid(both.tables()) == {"a": "4", "b": "4"}


def test_an_hour_without_use_is_idle(books: Any) -> None:
    assert paid(books(charges=[charge()], rules=[TO_POOL]).tables()) == {"idle": "8"}


def test_an_hour_without_use_and_without_capacity_is_idle_too(books: Any) -> None:
    assert paid(books(charges=[charge(gpu_hours="0")], rules=[TO_POOL]).tables()) == {"idle": "8"}


def test_a_use_without_capacity_pays_everything(books: Any) -> None:
    # a disk of the pool brings no GPU-hours: who uses the pool pays it
    assert paid(books(charges=[charge(gpu_hours="0")], rules=[TO_POOL], runs=[run("a", 1)]).tables()) == {"a": "8"}


def test_the_stated_capacity_of_a_pool_comes_before_that_of_the_bill(books: Any) -> None:
    # 16 GPUs are stated, 8 are used: half is idle although the bill shows 8 only
    stated = [{"pool_id": "p", "gpu_count": 16.0, "valid_from": date(2026, 11, 20), "valid_to": date(2026, 11, 21)}]
    later = [{"pool_id": "p", "gpu_count": 16.0, "valid_from": date(2026, 11, 21)}]

    for pools, expected in ((stated, {"a": "4", "idle": "4"}), (later, {"a": "8"})):
        assert paid(books(charges=[charge()], rules=[TO_POOL], runs=[run("a", 60)], pools=pools).tables()) == expected


def test_gpu_models_in_one_pool_count_alike_and_every_charge_is_split_by_the_same_weights(books: Any) -> None:
    # 8 + 4 GPU-hours of two prices; a run on 3 of the 12 GPUs pays a quarter of each charge
    bill = [charge("8", "8", charge_id="h100"), charge("2", "4", charge_id="a100"), charge("4", "0", charge_id="disk")]
    night = books(charges=bill, rules=[TO_POOL], runs=[run("a", 60, gpus=3.0)]).tables()

    by_charge = night["postings"].filter(pl.col("run_id") == "a").select("charge_id", "billed_cost").rows()
    assert dict(by_charge) == {"h100": Decimal(2), "a100": Decimal("0.5"), "disk": Decimal(1)}


def test_gpus_are_counted_in_thousandths_rounded_half_up(books: Any) -> None:
    # 0.0005 GPUs count as 0.001: 0.001 of 8 GPU-hours
    night = books(charges=[charge("8000")], rules=[TO_POOL], runs=[run("a", 60, gpus=0.0005)])

    assert paid(night.tables())["a"] == "1"


def test_a_deployment_uses_its_gpus_while_it_is_valid_with_or_without_traffic(books: Any) -> None:
    serving = [{"deployment_id": "d", "model_id": "m", "pool_id": "p", "gpu_count": 4.0, "valid_from": TEN + HOUR / 2}]

    # 4 GPUs × half an hour = 2 of 8 GPU-hours
    assert paid(books(charges=[charge()], rules=[TO_POOL], deployments=serving).tables()) == {"d": "2", "idle": "6"}


def test_rows_of_one_deployment_for_several_models_count_once(books: Any) -> None:
    serving = [{"deployment_id": "d", "model_id": name, "pool_id": "p", "gpu_count": 4.0} for name in ("m", "n")]

    assert paid(books(charges=[charge()], rules=[TO_POOL], deployments=serving).tables()) == {"d": "4", "idle": "4"}


def test_a_deployment_that_grows_within_the_hour_uses_both_sizes(books: Any) -> None:
    half = TEN + HOUR / 2
    row = {"deployment_id": "d", "model_id": "m", "pool_id": "p"}
    serving = [{**row, "gpu_count": 2.0, "valid_to": half}, {**row, "gpu_count": 6.0, "valid_from": half}]

    # 2 × ½ h + 6 × ½ h = 4 of 8 GPU-hours
    assert paid(books(charges=[charge()], rules=[TO_POOL], deployments=serving).tables()) == {"d": "4", "idle": "4"}


def test_runs_come_before_deployments_and_idle_when_a_unit_is_left(books: Any) -> None:
    # three users of equal weight share 10 units of 10⁻¹²: 3 each, and the first in the list takes the last
    serving = [{"deployment_id": "a", "model_id": "m", "pool_id": "p", "gpu_count": 4.0}]
    night = books(
        charges=[charge("0.000000000010", "12")], rules=[TO_POOL], runs=[run("z", 60, gpus=4.0)], deployments=serving
    ).tables()

    assert paid(night) == {"z": "0.000000000004", "a": "0.000000000003", "idle": "0.000000000003"}


def test_a_use_in_an_hour_without_a_charge_costs_nothing_and_is_reported_as_unbilled(books: Any) -> None:
    night = books(charges=[charge()], rules=[TO_POOL], runs=[run("a", 90)]).tables()

    uses = night["pool_uses"].filter(pl.col("user_kind") == "run").select("hour", "is_billed").rows()
    assert uses == [(TEN, True), (TEN + HOUR, False)]
    assert paid(night) == {"a": "8"}


def test_a_run_without_a_model_is_not_allocated_but_keeps_its_run_and_pool(books: Any) -> None:
    night = books(
        charges=[charge()], rules=[TO_POOL], runs=[run("a", 60, model_id=None, phase=None, team="t")]
    ).tables()

    line = night["postings"].row(0, named=True)
    assert (line["account"], line["run_id"], line["pool_id"], line["team"]) == ("unallocated", "a", "p", "t")
    assert line["rule"] == "run has no model rule"


def test_what_failed_was_cancelled_or_ran_out_of_time_is_waste(books: Any) -> None:
    for status, is_waste in {
        "failed": True,
        "cancelled": True,
        "timeout": True,
        "finished": False,
        "unknown": False,
    }.items():
        night = books(charges=[charge()], rules=[TO_POOL], runs=[run("a", 60, status=status)]).tables()
        assert night["postings"]["is_waste"].to_list() == [is_waste], status


def test_the_gpu_time_of_a_charge_is_shared_like_its_money(books: Any) -> None:
    night = books(charges=[charge()], rules=[TO_POOL], runs=[run("a", 45)]).tables()

    # 8 GPU-hours = 28,800 GPU-seconds, three quarters and one quarter
    assert sorted(night["postings"]["gpu_seconds"]) == [7_200.0, 21_600.0]


def test_a_charge_of_a_pool_with_more_than_half_a_million_gpu_hours_in_one_hour_is_split_exactly(books: Any) -> None:
    # 5 million GPU-hours at one instant: 1.8·10¹⁹ thousandth GPU-microseconds are more than 64 bits hold
    night = books(
        charges=[charge("5000000", "5000000", charge_end=TEN)], rules=[TO_POOL], runs=[run("a", 60, gpus=1_000_000.0)]
    ).tables()

    assert paid(night) == {"a": "1000000", "idle": "4000000"}


def test_a_month_is_split_hour_by_hour_and_merged_by_day(books: Any) -> None:
    # 720 dollars over 30 days of 24 hours: 1 dollar an hour; a run holds everything for two hours over midnight
    month = charge(
        "720", "5760", charge_start=datetime(2026, 11, 1, tzinfo=UTC), charge_end=datetime(2026, 12, 1, tzinfo=UTC)
    )
    late = run("a", 0, held_from=datetime(2026, 11, 20, 23, tzinfo=UTC), held_to=datetime(2026, 11, 21, 1, tzinfo=UTC))
    lines = books(charges=[month], rules=[TO_POOL], runs=[late]).tables()["postings"]

    assert lines.height == 30 + 2
    of_run = lines.filter(pl.col("run_id") == "a").select("charge_date", "billed_cost").rows()
    assert of_run == [(date(2026, 11, 20), Decimal(1)), (date(2026, 11, 21), Decimal(1))]
    idle = dict(lines.filter(pl.col("account") == "idle").select("charge_date", "billed_cost").iter_rows())
    assert (idle[date(2026, 11, 19)], idle[date(2026, 11, 20)]) == (Decimal(24), Decimal(23))


def test_depreciation_is_divided_by_the_hours_that_owned_gpus_were_there_and_idle_stands_apart(books: Any) -> None:
    # 16 GPUs for a day = 384 GPU-hours lose 960 dollars: 2.5 each. A run holds 8 of them for an hour: 8 × 2.5 = 20
    midnight = TEN - 10 * HOUR
    day = {"source": "accrual", "resource_id": "p", "charge_start": midnight, "charge_end": midnight + 24 * HOUR}
    stated = [{"pool_id": "p", "gpu_count": 16.0, "valid_from": date(2026, 11, 20), "valid_to": date(2026, 11, 21)}]
    night = books(charges=[charge("960", "384", **day)], rules=[], pools=stated, runs=[run("a", 60)])

    assert paid(night.tables()) == {"a": "20", "idle": "940"}


def workload(name: str, gpu_hours: str, minutes: int = 60, **more: Any) -> dict[str, Any]:
    return {"source": "k", "workload": name, "started_at": TEN, "ended_at": TEN + timedelta(minutes=minutes),
            "gpu_hours": Decimal(gpu_hours), "pool_id": "p", "model_id": "m", "phase": "inference", **more}  # fmt: skip


def test_measured_workloads_share_the_pool_with_runs_and_leave_the_rest_idle(books: Any) -> None:
    # 8 GPU-hours cost 8 dollars: a run holds 2, one workload 3, one without a model 1; 2 are idle
    night = books(
        charges=[charge()],
        rules=[TO_POOL],
        runs=[run("a", 60, gpus=2.0)],
        workloads=[workload("w1", "3"), workload("w2", "1", model_id=None, phase=None)],
    ).tables()
    lines = night["postings"].select("account", "model_id", "phase", "run_id", "rule", "billed_cost").rows()

    assert sorted(lines, key=str) == [
        ("direct", "m", "inference", None, "attribution.csv line 2", Decimal(3)),
        ("direct", "m", "pretraining", "a", "attribution.csv line 2", Decimal(2)),
        ("idle", None, None, None, "attribution.csv line 2", Decimal(2)),
        ("unallocated", None, None, None, "workload w2 has no model rule", Decimal(1)),
    ]


def test_the_gpu_hours_of_a_long_window_fall_into_its_hours_by_time(books: Any) -> None:
    # 6 GPU-hours from 10:00 to 11:30: 4 in the first hour, 2 in the second, of which only the first is billed
    uses = books(charges=[charge()], rules=[TO_POOL], workloads=[workload("w", "6", 90)]).tables()["pool_uses"]

    found = uses.filter(pl.col("user_kind") == "workload").select("hour", "weight", "is_billed").rows()
    assert found == [(TEN, 4 * 3_600 * 10**9, True), (TEN + HOUR, 2 * 3_600 * 10**9, False)]
