"""Where money can land: accounts with their models, runs, deployments and pools, each once and numbered."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from transforms.periods import cut

DIMENSIONS = (
    "account",
    "model_id",
    "phase",
    "run_id",
    "deployment_id",
    "pool_id",
    "team",
    "tenant",
    "task",
    "reason",
    "is_waste",
)
"""What tells two postings of one charge and day apart; targets are numbered in this order."""

WASTED = ("failed", "cancelled", "timeout")
WHOLE = ("account", "model_id", "phase", "pool_id", "team")
STINT = ["pool_id", "deployment_id", "hour"]
"""One hour of one deployment, paid through a pool or, with a null pool, directly."""


@dataclass(frozen=True)
class AllocationTargets:
    """The targets and the tables that lead to them, as whole numbers all the way.

    `targets` numbers them; `charges` gives whole charges theirs; `uses` shares a pool-hour among runs, idle and
    stints of deployments; `direct` finds the stint that a charge pays without a pool; `models` shares a stint among
    models; `consumers` shares a model's part among teams, tenants and tasks.
    """

    targets: pl.DataFrame
    charges: pl.DataFrame
    uses: pl.DataFrame
    direct: pl.DataFrame
    models: pl.DataFrame
    consumers: pl.DataFrame


def allocation_targets(
    ruled: pl.DataFrame, pool_uses: pl.DataFrame, deployment_shares: pl.DataFrame, training_runs: pl.DataFrame
) -> AllocationTargets:
    """Numbers every target that the ruled charges can reach."""
    whole = _complete(ruled.filter(pl.col("method") == "whole").select("charge_id", *WHOLE))
    used = _used(pool_uses, training_runs)
    stints = _stints(used, ruled)
    served = _served(stints, deployment_shares)
    targets = _numbered(whole, used.filter(pl.col("deployment_id").is_null()), served)
    return AllocationTargets(
        targets=targets,
        charges=_with_target(whole, targets).select("charge_id", "place"),
        uses=_uses(used, targets, stints),
        direct=stints.filter(pl.col("pool_id").is_null()).drop("pool_id"),
        models=served.unique("model_part", maintain_order=True).select("stint", "model_part", weight="model_weight"),
        consumers=_with_target(served, targets).select("model_part", "place", "weight"),
    )


def _used(pool_uses: pl.DataFrame, training_runs: pl.DataFrame) -> pl.DataFrame:
    """Uses in the order of the split; a run or workload with a model is direct, one without is not allocated."""
    order = pl.col("user_kind").replace_strict(
        {"run": 0, "deployment": 1, "workload": 2, "idle": 3}, return_dtype=pl.Int8
    )
    runs = training_runs.select("run_id", "model_id", "phase", "team", pl.col("status").is_in(WASTED).alias("is_waste"))
    kind, has_model = pl.col("user_kind"), pl.col("model_id").is_not_null()
    is_owned = kind.is_in(["run", "workload"])
    account = (
        pl.when(kind == "idle")
        .then(pl.lit("idle"))
        .when(is_owned & has_model)
        .then(pl.lit("direct"))
        .when(is_owned)
        .then(pl.lit("unallocated"))
    )
    used = pool_uses.sort("pool_id", "hour", order, "user_id").with_columns(
        pl.when(kind == "run").then("user_id").alias("run_id"),
        pl.when(kind == "deployment").then("user_id").alias("deployment_id"),
        pl.col("weight").to_physical(),
    )
    of_run = used.join(runs, on="run_id", how="left", maintain_order="left", suffix="_of_run")
    attributed = of_run.with_columns(
        pl.coalesce(f"{name}_of_run", name).alias(name) for name in ("model_id", "phase", "team")
    ).with_columns(account.alias("account"))
    unknown = pl.when(kind == "run").then(pl.lit("run has no model rule"))
    reason = pl.when(is_owned & ~has_model).then(
        unknown.otherwise(pl.format("workload {} has no model rule", "user_id"))
    )
    phase = pl.when(has_model).then("phase")
    return _complete(attributed.with_columns(reason.alias("reason"), phase.alias("phase")))


def _stints(used: pl.DataFrame, ruled: pl.DataFrame) -> pl.DataFrame:
    """The stints that charges pay through pools, and those that a rule gives to a deployment."""
    through_pools = used.filter(pl.col("deployment_id").is_not_null()).select(STINT)
    direct = ruled.filter(pl.col("method") == "deployment").select("deployment_id", "charge_start", "charge_end")
    hours = cut(direct.unique(), "hour", start="charge_start", end="charge_end").select(
        pl.lit(None, dtype=pl.String).alias("pool_id"), "deployment_id", pl.col("bucket").alias("hour")
    )
    return pl.concat([through_pools, hours]).unique().sort(STINT).with_row_index("stint")


def _served(stints: pl.DataFrame, deployment_shares: pl.DataFrame) -> pl.DataFrame:
    """Each stint with its models and consumers; one without a valid model is not allocated."""
    has_model = pl.col("model_id").is_not_null()
    rows = stints.join(deployment_shares, on=["deployment_id", "hour"]).with_columns(
        pl.when(has_model).then(pl.lit("direct")).otherwise(pl.lit("unallocated")).alias("account"),
        pl.when(has_model).then(pl.lit("inference")).alias("phase"),
        pl.when(~has_model).then(pl.lit("deployment serves no model in this hour")).alias("reason"),
        pl.col("weight", "model_weight").to_physical(),
    )
    ordered = rows.sort("stint", "model_id", "team", "tenant", "task")
    return _complete(ordered.with_columns(pl.struct("stint", "model_id").rle_id().alias("model_part")))


def _uses(used: pl.DataFrame, targets: pl.DataFrame, stints: pl.DataFrame) -> pl.DataFrame:
    """Uses of a pool-hour in the order of the split, each with the target or the stint it leads to."""
    with_targets = _with_target(used, targets)
    return with_targets.join(stints, on=STINT, how="left", maintain_order="left").select(
        "pool_id", "hour", "weight", "place", "stint"
    )


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with every dimension, unknown ones as null."""
    missing = [
        pl.lit(None, dtype=pl.String).alias(name)
        for name in DIMENSIONS
        if name not in rows.columns and name != "is_waste"
    ]
    waste = pl.col("is_waste") if "is_waste" in rows.columns else pl.lit(value=False)
    return rows.with_columns(*missing, waste.fill_null(value=False).alias("is_waste"))


def _numbered(*rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([part.select(DIMENSIONS) for part in rows]).unique().sort(DIMENSIONS).with_row_index("place")


def _with_target(rows: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    return rows.join(targets, on=list(DIMENSIONS), how="left", nulls_equal=True, maintain_order="left")
