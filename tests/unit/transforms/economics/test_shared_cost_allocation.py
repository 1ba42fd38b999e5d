"""Who carries what is idle and shared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.economics.spend.shared_cost_allocation import company_spend, idle_shares, model_spend, shared_shares

MAY = date(2025, 5, 1)


@pytest.fixture
def spend(rows: Any) -> Callable[..., pl.DataFrame]:
    """Days of spend in May 2025."""

    def build(*written: dict[str, Any]) -> pl.DataFrame:
        given = [{"charge_date": date(2025, 5, 7), "currency": "USD", **row} for row in written]
        frame: pl.DataFrame = rows("daily_spend", *({"effective_usd": 0, **row} for row in given))
        return frame

    return build


def direct(model_id: str, phase: str, usd: object, **given: Any) -> dict[str, Any]:
    return {"account": "direct", "model_id": model_id, "phase": phase, "effective_usd": usd, **given}


def parts(frame: pl.DataFrame, column: str) -> dict[object, Decimal]:
    return dict(frame.select("model_id", column).iter_rows())


def test_idle_follows_the_gpu_time_used_in_the_pool(spend: Any) -> None:
    # 75 of 100 GPU-seconds carry 75 % of $40 idle and of $4 unused
    shares = idle_shares(
        spend(
            direct("a", "pretraining", 900, pool_id="p", gpu_seconds=75.0),
            direct("b", "inference", 1, pool_id="p", gpu_seconds=25.0),
            {"account": "idle", "pool_id": "p", "effective_usd": 40},
            {"account": "commitment_unused", "pool_id": "p", "effective_usd": 4},
        )
    )
    assert parts(shares, "idle_usd") == {"a": Decimal(30), "b": Decimal(10)}
    assert parts(shares, "unused_usd") == {"a": Decimal(3), "b": Decimal(1)}
    assert shares["basis"].unique().to_list() == ["gpu_seconds"]


def test_three_equal_users_of_ten_dollars_lose_no_unit(spend: Any) -> None:
    users = [direct(model, "inference", 1, pool_id="p", gpu_seconds=10.0) for model in "abc"]
    shares = idle_shares(spend(*users, {"account": "idle", "pool_id": "p", "effective_usd": 10}))
    assert parts(shares, "idle_usd") == {
        "a": Decimal("3.333333333334"),
        "b": Decimal("3.333333333333"),
        "c": Decimal("3.333333333333"),
    }


def test_a_user_without_a_model_takes_part_and_leaves_its_share_to_the_company(spend: Any) -> None:
    days = spend(
        direct("a", "inference", 1, pool_id="p", gpu_seconds=30.0),
        {"account": "unallocated", "pool_id": "p", "gpu_seconds": 10.0, "effective_usd": 1},
        {"account": "idle", "pool_id": "p", "effective_usd": 8},
    )
    assert parts(idle_shares(days), "idle_usd") == {"a": Decimal(6), None: Decimal(2)}


def test_idle_of_a_pool_that_nobody_used_stays_visible(spend: Any) -> None:
    days = spend({"account": "idle", "pool_id": "p", "effective_usd": 8}, direct("a", "inference", 1, gpu_seconds=5.0))
    shares = idle_shares(days)
    assert shares.select("model_id", "basis", "idle_usd").rows() == [(None, "nobody", Decimal(8))]
    company = company_spend(days, shares, shared_shares(days))
    assert company.select("account", "pool_id", "effective_usd").rows() == [("idle", "p", Decimal(8))]


def test_the_use_of_another_month_carries_no_idle(spend: Any) -> None:
    used_in_june = direct("a", "inference", 1, pool_id="p", gpu_seconds=5.0, charge_date=date(2025, 6, 1))
    shares = idle_shares(spend(used_in_june, {"account": "idle", "pool_id": "p", "effective_usd": 8}))
    assert shares["model_id"].to_list() == [None]


def test_without_gpu_time_the_direct_cost_of_the_pool_is_the_key(spend: Any) -> None:
    shares = idle_shares(
        spend(
            direct("a", "inference", 3, pool_id="p"),
            direct("b", "inference", 1, pool_id="p"),
            {"account": "idle", "pool_id": "p", "effective_usd": 8},
        )
    )
    assert parts(shares, "idle_usd") == {"a": Decimal(6), "b": Decimal(2)}
    assert shares["basis"].unique().to_list() == ["direct_usd"]


def test_shared_cost_follows_direct_cost_and_a_model_in_credit_carries_none(spend: Any) -> None:
    # keys 60 + 20; $8 shared: 6 and 2
    shares = shared_shares(
        spend(
            direct("a", "pretraining", 60),
            direct("b", "inference", 20),
            direct("c", "inference", -5),
            {"account": "shared", "effective_usd": 8},
        )
    )
    assert parts(shares, "shared_usd") == {"a": Decimal(6), "b": Decimal(2)}


def test_a_credit_on_shared_cost_is_shared_too(spend: Any) -> None:
    shares = shared_shares(
        spend(direct("a", "inference", 1), direct("b", "inference", 1), {"account": "shared", "effective_usd": -3})
    )
    assert parts(shares, "shared_usd") == {"a": Decimal("-1.5"), "b": Decimal("-1.5")}


def test_models_and_company_together_are_the_ledger(rows: Any, spend: Any) -> None:
    days = spend(
        direct("a", "pretraining", "10.000000000001", pool_id="p", gpu_seconds=1.0, is_waste=True),
        direct("a", "inference", 7, pool_id="p", gpu_seconds=2.0),
        {"account": "idle", "pool_id": "p", "effective_usd": "1.000000000001"},
        {"account": "idle", "pool_id": "q", "effective_usd": 2},
        {"account": "commitment_unused", "effective_usd": 3},
        {"account": "shared", "effective_usd": 4},
        {"account": "adjustment", "effective_usd": -1},
        {"account": "unallocated", "effective_usd": 5},
        {"account": "out_of_scope", "effective_usd": 6},
    )
    idle, shared = idle_shares(days), shared_shares(days)
    models, company = model_spend(days, idle, shared, rows("run_spend")), company_spend(days, idle, shared)
    carried = models.select(pl.sum_horizontal("direct_usd", "idle_share_usd", "shared_share_usd").sum()).item()
    # 10.000000000001 + 7 + 1.000000000001 + 4 on the model; 2 + 3 − 1 + 5 + 6 on the company
    assert carried == Decimal("22.000000000002")
    assert company["effective_usd"].sum() == Decimal(15)
    assert carried + company["effective_usd"].sum() == days["effective_usd"].sum()
    assert parts(models.filter(pl.col("phase") == "pretraining"), "waste_usd") == {"a": Decimal("10.000000000001")}


def test_direct_cost_without_a_phase_has_no_home_and_stays_with_the_company(rows: Any, spend: Any) -> None:
    days = spend({"account": "direct", "model_id": "a", "effective_usd": 5}, {"account": "shared", "effective_usd": 1})
    idle, shared = idle_shares(days), shared_shares(days)
    assert model_spend(days, idle, shared, rows("run_spend")).is_empty()
    assert company_spend(days, idle, shared)["effective_usd"].to_list() == [Decimal(5), Decimal(1)]


def test_what_a_resumed_run_did_again_is_waste_of_its_phase(rows: Any, spend: Any) -> None:
    # $10 of training, of which the successor did a fifth again; a failed run is in the daily spend already
    days = spend(direct("a", "pretraining", 10), direct("a", "pretraining", 3, is_waste=True))
    month = days["charge_date"].dt.truncate("1mo")[0]
    run = {"month": month, "model_id": "a", "phase": "pretraining"}
    runs = rows(
        "run_spend",
        {**run, "run_id": "first", "cause": "repeated_steps", "wasted_usd": 2},
        {**run, "run_id": "second"},
        {**run, "run_id": "failed", "cause": "failed", "wasted_usd": 3},
    )
    found = model_spend(days, idle_shares(days), shared_shares(days), runs).row(0, named=True)
    assert (found["direct_usd"], found["waste_usd"]) == (Decimal(13), Decimal(5))


def test_no_spend_is_no_share(rows: Any, spend: Any) -> None:
    days = spend()
    idle, shared = idle_shares(days), shared_shares(days)
    assert [frame.height for frame in (idle, shared, model_spend(days, idle, shared, rows("run_spend")))] == [0, 0, 0]
    assert company_spend(days, idle, shared).is_empty()
