"""The decisions that the report asks for, in the order in which they must be signed, each with why it is asked now."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Final

import polars as pl

from warehouse.schemas.reports import RequestedDecisions

STANDINGS: Final = ("safe", "measured", "evaluate_first")
SAFE_ACTIONS: Final = ("release_capacity", "tune_serving")
Row = dict[str, Any]


def requested_decisions(
    subject: pl.DataFrame,
    recommendations: pl.DataFrame,
    pool_states: pl.DataFrame,
    workloads: pl.DataFrame,
    trails: pl.DataFrame,
    models: pl.DataFrame,
) -> pl.DataFrame:
    """One recommendation to act. Safe and measured ones come first, by the day of signature, then by what they save.

    Why now is a fact with its date or its shares, as a code: the pool stands idle, serving passed pre-training, a
    student was measured, a successor can take over, or nothing of the kind is known.
    """
    facts = _Facts(pool_states, workloads, trails)
    owners = dict(models.select("model_id", "owner").iter_rows())
    rows = [_row(row, facts, owners) for row in recommendations.sort("rank").to_dicts() if row["action"] != "hold"]
    as_of: date = subject["as_of"].item()
    rows.sort(key=lambda row: _order(row, as_of))
    ordered = [{"position": position, **row} for position, row in enumerate(rows, start=1)]
    return RequestedDecisions.frame(pl.DataFrame(ordered, schema=RequestedDecisions.polars_schema()))


def _order(row: Row, as_of: date) -> tuple[bool, bool, date, float, int]:
    saving = row["monthly_saving_usd_p50"]
    return (
        row["standing"] == "evaluate_first",
        row["sign_by"] is None,
        row["sign_by"] or as_of,
        -float(saving or 0),
        row["rank"],
    )


class _Facts:
    """What the night knows of pools, students and the past of each model."""

    def __init__(self, pool_states: pl.DataFrame, workloads: pl.DataFrame, trails: pl.DataFrame) -> None:
        self.pools = {row["pool_id"]: row for row in pool_states.to_dicts()}
        kept = workloads.filter(pl.col("teacher_quality") > 0, pl.col("student_quality").is_not_null())
        self.kept = {
            (row["task"], row["student_model_id"]): row["student_quality"] / row["teacher_quality"]
            for row in kept.to_dicts()
        }
        passed = trails.filter(pl.col("inference_usd") > pl.col("pretraining_usd"), pl.col("pretraining_usd") > 0)
        self.passed = dict(passed.group_by("model_id").agg(pl.col("month").min()).iter_rows())


def _row(row: Row, facts: _Facts, owners: dict[str, str | None]) -> Row:
    assumptions = json.loads(row["assumptions"])
    same = ("rank", "model_id", "task", "pool_id", "action", "monthly_saving_usd_p50")
    return {
        **{name: row[name] for name in same},
        "standing": _standing(row, assumptions),
        "sign_by": row.get("sign_by"),
        "owner": owners.get(row["model_id"]) if row["model_id"] else None,
        "target_model_id": row.get("target_model_id") or assumptions.get("target_model_id"),
        "target_params": row.get("target_params") or assumptions.get("target_params"),
        **_why(row, assumptions, facts),
    }


def _standing(row: Row, assumptions: Row) -> str:
    """As the decisions say it; a change that leaves every answer as it is is safe, an unmeasured one waits."""
    if row.get("standing") in STANDINGS:
        return str(row["standing"])
    if row["action"] in SAFE_ACTIONS:
        return "safe"
    return "measured" if assumptions.get("is_quality_measured", True) else "evaluate_first"


def _why(row: Row, assumptions: Row, facts: _Facts) -> Row:
    pool = facts.pools.get(row["pool_id"])
    if row["action"] == "release_capacity" and pool and pool["capacity_gpus"] > 0:
        idle = max(1 - pool["used_gpus"] / pool["capacity_gpus"], 0.0)
        return {"why_code": "pool_idle", "why_ratio": idle, "why_on": pool["renews_on"]}
    if row["action"] == "retrain_smaller" and row["model_id"] in facts.passed:
        return {"why_code": "serving_passed_pretraining", "why_on": facts.passed[row["model_id"]]}
    student = row.get("target_model_id") or assumptions.get("target_model_id")
    kept = facts.kept.get((row["task"], student)) if student else None
    if row["action"] in {"route", "distil"} and kept is not None:
        return {"why_code": "student_measured", "why_ratio": kept}
    if row["action"] == "retire" and student:
        return {"why_code": "successor"}
    if row["action"] == "tune_serving":
        return {"why_code": "small_batches"}
    return {"why_code": "unmeasured" if row["action"] in {"route", "distil"} else "saving"}
