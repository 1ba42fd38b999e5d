"""What bought nothing, by cause."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from transforms.economics.spend.rework import lost_parts
from transforms.economics.spend.waste import goodput, run_spend, waste

MAY = date(2025, 5, 1)


def paid(run_id: str | None, usd: object, **given: Any) -> dict[str, Any]:
    return {
        "month": MAY,
        "account": "direct",
        "model_id": "m",
        "phase": "pretraining",
        "run_id": run_id,
        "effective_usd": usd,
        **given,
    }


def ran(run_id: str, status: str, start_hour: int = 0, end_hour: int = 1, parent: str | None = None) -> dict[str, Any]:
    times = {
        "started_at": datetime(2025, 5, 1, start_hour, tzinfo=UTC),
        "ended_at": datetime(2025, 5, 1, end_hour, tzinfo=UTC),
    }
    return {"run_id": run_id, "status": status, "end_source": "logged", "parent_run_id": parent, **times}


def steps(run_id: str, first: int, last: int) -> list[dict[str, Any]]:
    return [{"run_id": run_id, "step": step, "name": "loss"} for step in (first, last)]


def causes(runs: pl.DataFrame) -> dict[str, tuple[str | None, Decimal]]:
    return {run: (cause, usd) for run, cause, usd in runs.select("run_id", "cause", "wasted_usd").iter_rows()}


def test_each_failure_is_named_by_how_the_run_ended(rows: Any) -> None:
    spend = rows(
        "monthly_spend",
        paid("ok", 5), paid("f", 1, is_waste=True), paid("c", 2, is_waste=True), paid("t", 3, is_waste=True),
    )  # fmt: skip
    runs = rows("training_runs", ran("ok", "finished"), ran("f", "failed"), ran("c", "cancelled"), ran("t", "timeout"))
    assert causes(run_spend(spend, runs, rows("run_attempts"), rows("training_metrics"))) == {
        "ok": (None, Decimal(0)),
        "f": ("failed", Decimal(1)),
        "c": ("cancelled", Decimal(2)),
        "t": ("timeout", Decimal(3)),
    }


def test_a_cancelled_child_of_several_is_an_abandoned_sweep(rows: Any) -> None:
    spend = rows("monthly_spend", paid("a", 2, is_waste=True), paid("b", 3))
    runs = rows("training_runs", ran("a", "cancelled", parent="sweep"), ran("b", "finished", parent="sweep"))
    assert causes(run_spend(spend, runs, rows("run_attempts"), rows("training_metrics")))["a"] == (
        "abandoned_sweep",
        Decimal(2),
    )


def test_a_resumed_run_lost_the_steps_that_were_done_again(rows: Any) -> None:
    # steps 1 to 1000, gone on from 801: 200 of 1000 steps of $50 were done twice
    runs = rows("training_runs", ran("a", "finished", 0, 5), ran("b", "finished", 6, 9, parent="a"))
    metrics = rows("training_metrics", *steps("a", 1, 1000), *steps("b", 801, 2000))
    spend = run_spend(rows("monthly_spend", paid("a", 50), paid("b", 60)), runs, rows("run_attempts"), metrics)
    assert causes(spend) == {"a": ("repeated_steps", Decimal(10)), "b": (None, Decimal(0))}
    assert spend["wasted_ratio"].to_list() == [0.2, 0.0]


def test_a_run_done_over_from_the_start_is_superseded(rows: Any) -> None:
    runs = rows("training_runs", ran("a", "finished", 0, 5), ran("b", "finished", 6, 9, parent="a"))
    metrics = rows("training_metrics", *steps("a", 1, 1000), *steps("b", 1, 1200))
    assert causes(run_spend(rows("monthly_spend", paid("a", 50)), runs, rows("run_attempts"), metrics)) == {
        "a": ("superseded", Decimal(50))
    }


def test_a_child_inside_its_parents_time_repeats_nothing(rows: Any) -> None:
    runs = rows("training_runs", ran("a", "finished", 0, 5), ran("b", "finished", 1, 4, parent="a"))
    metrics = rows("training_metrics", *steps("a", 1, 1000), *steps("b", 1, 900))
    assert lost_parts(runs, rows("run_attempts"), metrics).is_empty()


def test_a_run_that_went_on_where_the_other_ended_lost_nothing(rows: Any) -> None:
    runs = rows("training_runs", ran("a", "finished", 0, 5), ran("b", "finished", 6, 9, parent="a"))
    metrics = rows("training_metrics", *steps("a", 1, 1000), *steps("b", 1001, 1200))
    assert lost_parts(runs, rows("run_attempts"), metrics).is_empty()


def test_every_wasted_dollar_has_one_cause_and_is_in_the_ledger(rows: Any) -> None:
    spend = rows(
        "monthly_spend",
        paid("f", 1, is_waste=True, gpu_seconds=10.0), paid("a", 50, gpu_seconds=100.0),
        paid(None, 4, is_waste=True),
        {"month": MAY, "account": "idle", "pool_id": "p", "effective_usd": 7},
        {"month": MAY, "account": "commitment_unused", "effective_usd": 9},
    )  # fmt: skip
    logs = rows("training_runs", ran("f", "failed"), ran("a", "finished", 0, 5), ran("b", "finished", 6, 9, parent="a"))
    metrics = rows("training_metrics", *steps("a", 1, 1000), *steps("b", 801, 2000))
    runs = run_spend(spend, logs, rows("run_attempts"), metrics)
    found = waste(runs, spend)
    assert dict(found.group_by("cause").agg(pl.col("wasted_usd").sum()).iter_rows()) == {
        "failed": Decimal(5),
        "repeated_steps": Decimal(10),
        "idle": Decimal(7),
        "commitment_unused": Decimal(9),
    }
    assert found["wasted_usd"].sum() <= spend["effective_usd"].sum()
    # 10 failed and a fifth of 100 GPU-seconds of 110
    month = goodput(runs).row(0, named=True)
    assert (month["wasted_gpu_seconds"], month["wasted_usd"]) == (30.0, Decimal(11))
    assert round(month["goodput_ratio"], 6) == round(80 / 110, 6)


def test_a_run_without_a_log_counts_as_failed_only_if_the_ledger_says_waste(rows: Any) -> None:
    spend = rows("monthly_spend", paid("x", 3), paid("y", 4, is_waste=True))
    found = causes(run_spend(spend, rows("training_runs"), rows("run_attempts"), rows("training_metrics")))
    assert found == {"x": (None, Decimal(0)), "y": ("failed", Decimal(4))}


def test_no_training_is_no_waste_and_no_goodput(rows: Any) -> None:
    runs = run_spend(rows("monthly_spend"), rows("training_runs"), rows("run_attempts"), rows("training_metrics"))
    assert [runs.height, waste(runs, rows("monthly_spend")).height, goodput(runs).height] == [0, 0, 0]
