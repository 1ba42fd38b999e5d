"""What a million tokens costs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.spend.service import daily_service, production_units, served_days
from transforms.economics.unit_costs.unit_costs import unit_costs

MAY = date(2025, 5, 1)
NIGHT = date(2025, 5, 31)


def costs(rows: Any, night: Any, **tables: pl.DataFrame) -> pl.DataFrame:
    names = ("daily_service", "model_spend", "amortization", "daily_spend", "gpu_activity")
    return unit_costs(*(tables.get(name, rows(name)) for name in names), night(NIGHT))


def served(rows: Any, **given: Any) -> pl.DataFrame:
    frame: pl.DataFrame = rows("daily_service", {"day": NIGHT, "model_id": "m", "requests": 4, **given})
    return frame


def spent(rows: Any, **given: Any) -> pl.DataFrame:
    frame: pl.DataFrame = rows("model_spend", {"month": MAY, "model_id": "m", "phase": "inference", **given})
    return frame


def test_a_million_tokens_used_allocated_and_fully_loaded(rows: Any, night: Any) -> None:
    # 3 + 1 = 4 million tokens: 12/4 used, 6/4 idle, 2/4 shared, 40/4 training
    found = costs(
        rows,
        night,
        daily_service=served(rows, input_tokens=3_000_000, cached_input_tokens=600_000, output_tokens=1_000_000),
        model_spend=spent(rows, direct_usd=12, idle_share_usd=6, shared_share_usd=2),
        amortization=rows("amortization", {"month": MAY, "model_id": "m", "amortized_usd": 40}),
    ).row(0, named=True)
    assert found["used_usd_per_mtok"] == 3
    assert found["allocated_usd_per_mtok"] == 5
    assert found["amortized_training_usd_per_mtok"] == 10
    assert found["fully_loaded_usd_per_mtok"] == 15
    assert found["cached_ratio"] == 0.2


def test_parts_add_up_to_the_last_decimal(rows: Any, night: Any) -> None:
    found = costs(
        rows,
        night,
        daily_service=served(rows, input_tokens=7),
        model_spend=spent(rows, direct_usd=1, idle_share_usd=1, shared_share_usd=1),
    ).row(0, named=True)
    # $1 over 7 tokens is 142857.142857142857 a million; three of them
    assert found["used_usd_per_mtok"] == Decimal("142857.142857142857")
    assert found["allocated_usd_per_mtok"] == Decimal("428571.428571428571")
    assert found["fully_loaded_usd_per_mtok"] == found["allocated_usd_per_mtok"]


def test_cost_without_tokens_has_no_rate(rows: Any, night: Any) -> None:
    found = costs(rows, night, model_spend=spent(rows, direct_usd=5)).row(0, named=True)
    assert (found["used_usd"], found["requests"]) == (Decimal(5), 0)
    assert (found["used_usd_per_mtok"], found["fully_loaded_usd_per_mtok"]) == (None, None)


def test_tokens_without_cost_are_free(rows: Any, night: Any) -> None:
    found = costs(rows, night, daily_service=served(rows, input_tokens=10)).row(0, named=True)
    assert found["used_usd_per_mtok"] == 0


def active(**given: Any) -> dict[str, Any]:
    hour = datetime(2025, 5, 30, 10, tzinfo=UTC)
    return {"gpu": "g", "hour": hour, "gpu_hours": 1.0, "activity_ratio": 0.25, "model_id": "m", **given}


def test_the_allocated_cost_is_split_by_the_time_that_the_gpus_worked(rows: Any, night: Any) -> None:
    # 20 allocated; three hours of whole GPUs at 25 %, one at 45 %, and one that nothing is known of: 30 % of four
    hours = [active(gpu=name) for name in "abc"] + [active(gpu="d", activity_ratio=0.45)]
    found = costs(
        rows,
        night,
        daily_service=served(rows, input_tokens=4_000_000),
        model_spend=spent(rows, direct_usd=12, idle_share_usd=6, shared_share_usd=2),
        gpu_activity=rows("gpu_activity", *hours, active(gpu="e", activity_ratio=None)),
    ).row(0, named=True)

    assert (found["activity_ratio"], found["activity_gpu_hours"]) == (pytest.approx(0.3), 4.0)
    assert (found["active_usd"], found["inactive_usd"]) == (Decimal(6), Decimal(14))
    assert (found["active_usd_per_mtok"], found["inactive_usd_per_mtok"]) == (Decimal("1.5"), Decimal("3.5"))


def test_without_rules_for_pods_the_gpus_of_the_pools_tell_by_the_time_used_of_each(rows: Any, night: Any) -> None:
    # Of 4 GPU-hours of serving 3 were in pool p at 40 % and 1 in pool q at 80 %: 2.0 of 4
    serving = {"charge_date": NIGHT, "account": "direct", "phase": "inference", "model_id": "m"}
    found = costs(
        rows,
        night,
        model_spend=spent(rows, direct_usd=8),
        daily_spend=rows("daily_spend", {**serving, "pool_id": "p", "gpu_seconds": 3 * 3600.0},
                         {**serving, "pool_id": "q", "gpu_seconds": 3600.0}),
        gpu_activity=rows("gpu_activity", active(model_id=None, pool_id="p", activity_ratio=0.4),
                          active(gpu="h", model_id=None, pool_id="q", activity_ratio=0.8)),
    ).row(0, named=True)  # fmt: skip

    assert found["activity_ratio"] == pytest.approx(0.5)
    assert (found["active_usd"], found["inactive_usd"]) == (Decimal(4), Decimal(4))


def test_a_model_whose_gpus_nobody_measured_has_no_used_part_and_not_none(rows: Any, night: Any) -> None:
    found = costs(rows, night, model_spend=spent(rows, direct_usd=8)).row(0, named=True)

    assert (found["activity_ratio"], found["active_usd"], found["inactive_usd"]) == (None, None, None)


def test_a_credit_makes_a_negative_rate(rows: Any, night: Any) -> None:
    found = costs(
        rows, night, daily_service=served(rows, input_tokens=2_000_000), model_spend=spent(rows, direct_usd=-4)
    ).row(0, named=True)
    assert found["used_usd_per_mtok"] == -2


def test_images_cost_by_the_image(rows: Any, night: Any) -> None:
    found = costs(
        rows,
        night,
        daily_service=served(rows, units=200.0, unit_name="image"),
        model_spend=spent(rows, direct_usd=5, idle_share_usd=1),
    ).row(0, named=True)
    assert (found["used_usd_per_unit"], found["allocated_usd_per_unit"]) == (Decimal("0.025"), Decimal("0.03"))
    assert (found["unit_name"], found["used_usd_per_mtok"]) == ("image", None)


def test_utilisation_is_the_busy_share_of_the_pools_weighted_by_their_use(rows: Any, night: Any) -> None:
    # pool p is busy 60 of 80, q 50 of 100; the model used 40 of p and 10 of q: (0.75 × 40 + 0.5 × 10) / 50 = 0.7
    def day(account: str, pool_id: str, gpu_seconds: float, model_id: str | None = None) -> dict[str, Any]:
        phase = "inference" if model_id else None
        given = {"account": account, "pool_id": pool_id, "gpu_seconds": gpu_seconds, "phase": phase}
        return {"charge_date": NIGHT, "model_id": model_id, **given}

    days = rows(
        "daily_spend",
        day("direct", "p", 40.0, "m"), day("unallocated", "p", 20.0), day("idle", "p", 20.0),
        day("direct", "q", 10.0, "m"), day("direct", "q", 40.0, "other"), day("idle", "q", 50.0),
    )  # fmt: skip
    found = costs(rows, night, daily_spend=days, daily_service=served(rows, input_tokens=1))
    assert found.filter(pl.col("model_id") == "m")["utilization_ratio"].item() == pytest.approx(0.7)


def test_no_service_is_no_unit_cost(rows: Any, night: Any) -> None:
    assert costs(rows, night).is_empty()


def service(usage: pl.DataFrame, spend: pl.DataFrame, night: pl.DataFrame) -> pl.DataFrame:
    served = served_days(usage)
    return daily_service(served, production_units(served), spend, night)


def test_a_day_of_service_adds_requests_of_all_teams_and_leaves_pending_ones_out(rows: Any, night: Any) -> None:
    hour = rows("token_usage", {})["hour"].item().replace(year=2025, month=5, day=30, hour=7)
    usage = rows(
        "token_usage",
        {"hour": hour, "model_id": "m", "team": "a", "status": "ok", "requests": 2, "input_tokens": 10},
        {"hour": hour, "model_id": "m", "team": "b", "status": "error", "requests": 1, "input_tokens": 5},
        {"hour": hour, "model_id": "m", "status": "pending", "requests": 9, "input_tokens": 99},
        {"hour": hour, "model_id": None, "status": "ok", "requests": 7, "input_tokens": 70},
        {"hour": hour.replace(month=6), "model_id": "m", "status": "ok", "requests": 1, "input_tokens": 1},
    )
    cost = {"charge_date": date(2025, 5, 30), "account": "direct", "model_id": "m", "phase": "inference"}
    days = service(usage, rows("daily_spend", {**cost, "effective_usd": 3}), night(NIGHT))
    assert days.select("day", "requests", "input_tokens", "inference_usd").rows() == [
        (date(2025, 5, 30), 3, 15, Decimal(3))
    ]


def test_images_and_seconds_are_never_added(rows: Any, night: Any) -> None:
    hour = rows("token_usage", {})["hour"].item().replace(year=2025, month=5)
    usage = rows(
        "token_usage",
        {"hour": hour, "model_id": "m", "status": "ok", "units": 30.0, "unit_name": "image"},
        {"hour": hour, "model_id": "m", "status": "ok", "units": 5.0, "unit_name": "second"},
    )
    found = service(usage, rows("daily_spend"), night(NIGHT))
    assert found.select("units", "unit_name").rows() == [(30.0, "image")]
